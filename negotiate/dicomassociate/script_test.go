package dicomassociate

import (
	"context"
	"net"
	"testing"
	"testing/synctest"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomscript"
	"gantry/protocols/dicom"
)

const (
	ile = dicom.ImplicitVRLittleEndianUID
	ele = dicom.ExplicitVRLittleEndianUID
	ct  = dicom.CTImageStorageUID
	mr  = dicom.MRImageStorageUID
)

// plays is what a server does on each connection, in their order; the last script is for all that follow.
type plays [][]dicomscript.Step

// survey asks a scripted server in fake time; got are the PDUs that each connection received.
func survey(t *testing.T, s Survey, server plays) (result Result, got [][][]byte) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var running []chan *dicomscript.Script
		s.Target = negotiate.Target{Server: "DICOM2", Version: "1.2.3"}
		s.Check.Address = func() (string, error) { return "10.12.1.111:104", nil }
		s.Check.Dial = func(context.Context, string) (net.Conn, error) {
			steps := server[min(len(running), len(server)-1)]
			here, there := net.Pipe()
			played := make(chan *dicomscript.Script, 1)
			running = append(running, played)
			go func() {
				script := &dicomscript.Script{Conn: there}
				for _, do := range steps {
					do(script)
				}
				there.Close()
				played <- script
			}()
			return here, nil
		}
		result = s.Run(t.Context())
		for _, played := range running {
			got = append(got, (<-played).Got)
		}
	})
	return result, got
}

// answer reads the request and accepts it as edit says: it may change the AC, or its bytes.
func answer(edit func(*dicom.AssociateRQ, *dicom.AssociateAC), raw ...func([]byte) []byte) dicomscript.Step {
	return func(s *dicomscript.Script) {
		dicomscript.Recv(s)
		rq, err := dicom.DecodeAssociateRQ(s.Got[len(s.Got)-1])
		if err != nil {
			panic(err)
		}
		ac := dicom.AssociateAC{CalledAE: rq.CalledAE, CallingAE: rq.CallingAE,
			UserInformation: dicom.UserInformation{MaxLength: 32768, ImplementationClassUID: "2.25.1", ImplementationVersion: "ZZ_1"}}
		for _, c := range rq.Contexts {
			ac.Results = append(ac.Results, dicom.ContextResult{ID: c.ID, TransferSyntax: c.TransferSyntaxes[0]})
		}
		if edit != nil {
			edit(rq, &ac)
		}
		pdu := ac.Append(nil)
		for _, change := range raw {
			pdu = change(pdu)
		}
		_, _ = s.Conn.Write(pdu)
	}
}

// released answers the release.
func released(s *dicomscript.Script) {
	dicomscript.Recv(s)
	dicomscript.Released(s)
	dicomscript.Hear(s)
}

// good accepts everything.
var good = []dicomscript.Step{answer(nil), released}

// accepting is a server that accepts with a change.
func accepting(edit func(*dicom.AssociateRQ, *dicom.AssociateAC), raw ...func([]byte) []byte) plays {
	return plays{{answer(edit, raw...), released}}
}

// pairs are CT and MR in both uncompressed transfer syntaxes.
var pairs = Product([]string{ct, mr}, []string{ile, ele})
