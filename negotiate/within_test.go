package negotiate

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestSentencesTellTheTimeThatThereWas: a scrape of Prometheus may leave less than the check's timeout.
func TestSentencesTellTheTimeThatThereWas(t *testing.T) {
	said := ""
	c := Check{
		Address: at("x:1"), Dial: piped(func(net.Conn) {}), Timeout: time.Hour,
		Prober: proberFunc(func(ctx context.Context, _ net.Conn) error { said = Within(ctx); return nil }),
	}
	Run(context.Background(), c)
	require.Equal(t, "3600 s", said)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	Run(ctx, c)
	require.NotEqual(t, "3600 s", said)
}
