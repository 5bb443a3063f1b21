package conformance

import (
	"bufio"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
	"gantry/fixtures/hl7"
	"gantry/fixtures/hl7/ledger"
)

// chaosReceiver is one of the receivers behind the gateway. All of them write down what they get before they answer, in
// records whose times are of one clock.
type chaosReceiver struct {
	name, addr, record string
	inside             *hl7.Receiver   // in this process: it fails as it is told
	wrong              atomic.Int64    // turns in which it did
	process            *peers.Receiver // or in one of its own: it is killed, and frozen
	program            string
}

// receiverInside starts one in this process.
func receiverInside(t *testing.T, name string) *chaosReceiver {
	t.Helper()
	r := &chaosReceiver{name: name, record: filepath.Join(t.TempDir(), name)}
	w, err := ledger.RecordReceived(r.record)
	require.NoError(t, err)
	r.inside, err = hl7.Start(hl7.Options{Listen: peers.FreeAddr(), Record: w.Receive, OnExchange: func(x hl7.Exchange) {
		if x.Faulty {
			r.wrong.Add(1)
		}
	}})
	require.NoError(t, err)
	r.addr = r.inside.Addr()
	t.Cleanup(func() { r.inside.Close(); w.Close() })
	return r
}

// receiverProcess starts one in a process of its own.
func receiverProcess(t *testing.T, ctx context.Context, name string) *chaosReceiver {
	t.Helper()
	r := &chaosReceiver{name: name, addr: peers.FreeAddr(), record: filepath.Join(t.TempDir(), name), program: raced(t)}
	require.NoError(t, r.start(ctx))
	t.Cleanup(func() { r.process.Stop() })
	return r
}

// start starts the receiver, for the first time or again.
func (r *chaosReceiver) start(ctx context.Context) (err error) {
	if r.inside != nil {
		return r.inside.Start()
	}
	r.process, err = peers.StartSimulatedHL7(ctx, r.program, r.addr, r.record)
	return err
}

// kill ends it at once.
func (r *chaosReceiver) kill() {
	if r.inside != nil {
		r.inside.Stop()
		return
	}
	r.process.Kill()
}

// fails tells the receiver what to do wrong in so many of a hundred messages, in the words of `gantry simulate mllp
// --fault`; without words it works.
func (r *chaosReceiver) fails(percent int, words ...string) error {
	f, err := hl7.FaultTable.Parse(words)
	f.When.Percent = percent
	if err == nil {
		r.inside.SetFaults(f)
	}
	return err
}

// kept gives to each the control id and the time of the messages that the receiver kept.
func (r *chaosReceiver) kept(each func(id string, at time.Time)) error {
	f, err := os.Open(r.record)
	if err != nil {
		return err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var line struct {
			ID   string    `json:"control_id"`
			Time time.Time `json:"time"`
			Kept bool      `json:"kept"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return err
		}
		if line.Kept {
			each(line.ID, line.Time)
		}
	}
	return nil
}

// tell gives the record to a ledger. The receiver must have ended.
func (r *chaosReceiver) tell(book *ledger.Ledger) error {
	f, err := os.Open(r.record)
	if err != nil {
		return err
	}
	defer f.Close()
	return book.Load(r.name, f)
}
