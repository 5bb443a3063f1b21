package mllpack

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
)

// FuzzAnswer: whatever a receiver sends, the check ends with a judgement and shows nothing of it.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte("\x0b" + ackHead + "MSA|AA|1\r\x1c\r"))
	f.Add([]byte("\x0b\x06\x1c\r"))
	f.Add([]byte("\x0bMSH|^~\\&|\x1c\x0bMSH|^~\\&|\rMSA|AE|1\rERR|PID^1^3^101&x\r\x1c"))
	f.Fuzz(func(t *testing.T, answer []byte) {
		here, there := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			recv(&script{conn: there})
			_ = there.SetDeadline(time.Now().Add(time.Second))
			_, _ = there.Write(answer)
			_ = there.Close()
		}()
		p, err := (&Settings{}).Prober(hl71)
		require.NoError(t, err)
		err = p.Negotiate(t.Context(), here)
		_ = here.Close()
		<-done
		if err == nil {
			return
		}
		var fault *negotiate.Fault
		require.ErrorAs(t, err, &fault)
		require.NotEmpty(t, fault.Sentence)
		require.NotEqual(t, negotiate.ReasonInternal, fault.Reason)
		require.LessOrEqual(t, len(fault.Peer), negotiate.MaxPeerWords)
		for _, c := range fault.Sentence + fault.Peer {
			require.True(t, c >= ' ' && c <= '~')
		}
	})
}
