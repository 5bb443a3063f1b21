package admin

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestClientGivesUpOnAFrozenGateway: its kernel still takes connections.
func TestClientGivesUpOnAFrozenGateway(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	c, err := NewClient(l.Addr().String(), "")
	require.NoError(t, err)
	defer c.Close()
	start := time.Now()
	_, err = c.Status(t.Context())
	require.EqualError(t, err, "no gateway answers at http://"+l.Addr().String()+": no answer in time; it hangs, or the address is wrong: use --admin")
	require.Less(t, time.Since(start), clientTimeout/2)
}
