package dicomgate_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/fixtures/recorded"
	"gantry/gateway/dicomgate"
	"gantry/protocols/dicom"
)

// bodies are what both sides said in the recorded associations behind their opening, at most some kB of it.
func bodies(f *testing.F) (client, server [][]byte) {
	all, err := recorded.All()
	require.NoError(f, err)
	for _, c := range all {
		if c.Name == "rejected" {
			continue
		}
		_, _, atClient, atServer := opening(f, c)
		a, b := c.From(false)[atClient:], c.From(true)[atServer:]
		client = append(client, a[:min(len(a), 6<<10)])
		server = append(server, b[:min(len(b), 6<<10)])
	}
	return client, server
}

// Whatever both sides say, in whatever pieces and with whatever holes, the numbers make sense and are bounded. Each byte
// of the schedule says who speaks next, how much, and whether it passes unseen.
func FuzzAssociation(f *testing.F) {
	client, server := bodies(f)
	for i := range client {
		j := (i + 1) % len(client)
		for _, schedule := range [][]byte{{0x3e, 0x3f}, {0x7e, 0x7f, 0x80}, {8, 9, 0xff, 10}} {
			f.Add(client[i], server[i], schedule, byte(i))
		}
		f.Add(client[i], server[j], []byte{0x3e, 0x3f}, byte(0))                    // of two conversations
		f.Add(client[i][:len(client[i])/2], server[i], []byte{0x3e, 0x3f}, byte(1)) // cut short
		f.Add(slices.Concat(client[i], client[j]), slices.Concat(server[j], server[i]), []byte{0x1e, 0x3f}, byte(2))
	}
	f.Fuzz(func(t *testing.T, client, server, schedule []byte, window byte) {
		k := begin(&dicom.AsyncWindow{Invoked: uint16(window), Performed: 1})
		if len(schedule) == 0 {
			schedule = []byte{0x3e, 0x3f}
		}
		for i := 0; len(client)+len(server) > 0; i++ {
			step := schedule[i%len(schedule)]
			left, n := &client, int(step&0x7f)*8+1
			if step&1 == 1 {
				left = &server
			}
			n = min(n, len(*left))
			part := (*left)[:n]
			*left = (*left)[n:]
			switch {
			case len(part) == 0:
				left = &client
				if len(client) == 0 {
					left = &server
				}
				k.from(left == &server, (*left)[:1])
				*left = (*left)[1:]
			case step&0x80 != 0 && step&1 == 1:
				k.SkippedFromServer(n)
			case step&0x80 != 0:
				k.SkippedFromClient(n)
			default:
				k.from(step&1 == 1, part)
			}
			sane(t, k)
		}
		finals := uint32(0)
		for _, o := range k.Summary().Operations {
			finals += o.Finals()
		}
		for _, r := range k.heard {
			if r.Final() {
				finals--
			}
		}
		require.Zero(t, finals, "what was heard is what was summed up")
	})
}

func sane(t *testing.T, k *talk) {
	n, known := k.Outstanding()
	require.True(t, n >= 0 && n < 1<<20)
	require.False(t, !known && n != 0)
	for _, side := range []dicomgate.Side{dicomgate.Client, dicomgate.Server} {
		require.False(t, k.AtBoundary(side) && k.Stage() >= dicomgate.Released)
		require.False(t, k.AtBoundary(dicomgate.Client) && k.Garbled(dicomgate.Server))
	}
	s := k.Summary()
	require.LessOrEqual(t, len(s.Operations), 18)
	require.Less(t, len(s.String())+len(k.Ending()), 2000)
}

// Whatever a server says first, what is decided stays so when more comes.
func FuzzReply(f *testing.F) {
	all, err := recorded.All()
	require.NoError(f, err)
	for _, c := range all {
		b := c.From(true)
		f.Add(b[:min(len(b), 6<<10)])
		f.Add(b[:len(b)/3])
	}
	f.Add(acceptance())
	f.Add(dicom.AbortUser.Append(dicom.RejectCongestion.Append(nil)))
	f.Add([]byte("SSH-2.0-OpenSSH"))
	f.Fuzz(func(t *testing.T, b []byte) {
		final, err := dicomgate.ReadReply(b)
		decided := false
		for n := 0; n <= len(b); n += 1 + n/64 {
			r, early := dicomgate.ReadReply(b[:n])
			switch {
			case early != nil:
				require.ErrorIs(t, early, dicomgate.ErrNoReply)
				require.EqualError(t, err, early.Error())
			case r.Kind == dicomgate.Unfinished:
				require.False(t, decided)
				require.Greater(t, r.Len, n)
				require.LessOrEqual(t, r.Len, dicom.MaxAssociatePDU)
			default:
				decided = true
				require.Equal(t, final, r)
			}
		}
		_ = dicomgate.RewriteTitles(b, "A", "B")
		dicomgate.RestoreTitles(b, b)
	})
}
