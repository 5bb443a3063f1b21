package main

import (
	"encoding/json"
	"io"
	"net"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/protocols/dicom"
)

// acceptor is a DICOM server on loopback that accepts each association as edit says, and answers its release.
func acceptor(t *testing.T, edit func(*dicom.AssociateRQ, *dicom.AssociateAC)) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			accept(conn, edit)
		}
	}()
	return l.Addr().String()
}

func accept(conn net.Conn, edit func(*dicom.AssociateRQ, *dicom.AssociateAC)) {
	defer conn.Close()
	rq, err := dicom.DecodeAssociateRQ(onePDU(conn))
	if err != nil {
		return
	}
	ac := dicom.AssociateAC{CalledAE: rq.CalledAE, CallingAE: rq.CallingAE,
		UserInformation: dicom.UserInformation{MaxLength: 16384, ImplementationClassUID: "2.25.1", ImplementationVersion: "ZZ_SERVER_1"}}
	for _, c := range rq.Contexts {
		ac.Results = append(ac.Results, dicom.ContextResult{ID: c.ID, TransferSyntax: c.TransferSyntaxes[0]})
	}
	edit(rq, &ac)
	_, _ = conn.Write(ac.Append(nil))
	if onePDU(conn) != nil {
		_, _ = conn.Write(dicom.AppendReleaseRP(nil))
		_ = onePDU(conn)
	}
}

// onePDU reads one; nil at the end of the stream.
func onePDU(conn net.Conn) []byte {
	head := make([]byte, dicom.HeaderLen)
	if _, err := io.ReadFull(conn, head); err != nil {
		return nil
	}
	_, length, _ := dicom.DecodeHeader(head)
	body := make([]byte, length)
	_, _ = io.ReadFull(conn, body)
	return append(head, body...)
}

// refusing refuses, of one SOP class (or any: ""), the given transfer syntaxes (none: all of them).
func refusing(r dicom.Result, class string, syntaxes ...string) func(*dicom.AssociateRQ, *dicom.AssociateAC) {
	classUID, _ := dicom.LookupUID(class)
	refused := map[string]bool{}
	for _, name := range syntaxes {
		uid, _ := dicom.LookupUID(name)
		refused[uid] = true
	}
	return func(rq *dicom.AssociateRQ, ac *dicom.AssociateAC) {
		for i, c := range rq.Contexts {
			if (class == "" || c.AbstractSyntax == classUID) && (len(refused) == 0 || refused[c.TransferSyntaxes[0]]) {
				ac.Results[i].Result = r
			}
		}
	}
}

func allOfIt(*dicom.AssociateRQ, *dicom.AssociateAC) {}

// steadyTable is an output without times, and without the widths of columns that they make.
func steadyTable(text string) string {
	text = regexp.MustCompile(`[0-9.]+ ms`).ReplaceAllString(steady(text), "0 ms")
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		if strings.Contains(l, " ms") || strings.Contains(l, "ASSOCIATION  ") {
			lines[i] = regexp.MustCompile(` {2,}`).ReplaceAllString(l, "  ")
		}
	}
	return strings.Join(lines, "\n")
}

// TestAssociateText: the matrix, in golden files.
func TestAssociateText(t *testing.T) {
	both := func(rq *dicom.AssociateRQ, ac *dicom.AssociateAC) {
		refusing(dicom.TransferSyntaxesRejected, "", "JPEG2000Lossless", "RLELossless")(rq, ac)
		refusing(dicom.AbstractSyntaxRejected, "EnhancedCTImageStorage")(rq, ac)
		ac.MaxLength, ac.Results = 0, ac.Results[:len(ac.Results)-1]
	}
	roles := func(rq *dicom.AssociateRQ, ac *dicom.AssociateAC) { ac.Roles = rq.Roles[:2] }
	tests := map[string]struct {
		edit func(*dicom.AssociateRQ, *dicom.AssociateAC)
		args string
		code int
	}{
		"associate-ct.txt":  {both, "--profile ct --called-ae VNA", exitFailed},
		"associate-qr.txt":  {roles, "--profile qr --async 4/1", exitOK},
		"associate-all.txt": {refusing(dicom.TransferSyntaxesRejected, "", "MPEG2MPML"), "--profile ct,us,es,wsi --sop-class 1.2.3.4 --transfer-syntax 1.2.3.5,MPEG2MPML,JPEG2000,HTJ2K,HTJ2KLossless,JPEGXL,JPEGXLLossless,HEVCMP51,RLELossless,JPEGBaseline8Bit,JPEGLossless,JPEGLosslessSV1,MPEG4HP41", exitOK},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newStage()
			args := append([]string{"associate", acceptor(t, tt.edit)}, strings.Fields(tt.args)...)
			require.Equal(t, tt.code, s.run(t, args...), s.err.String())
			golden(t, name, steadyTable(s.out.String()))
			require.Empty(t, s.err.String())
			for line := range strings.SplitSeq(s.out.String(), "\n") {
				if !strings.HasPrefix(line, "partly: ") {
					require.LessOrEqual(t, len([]rune(line)), 120, line)
				}
			}
		})
	}
}

// TestAssociateCompare: where two servers differ.
func TestAssociateCompare(t *testing.T) {
	whole := acceptor(t, allOfIt)
	tests := map[string]struct {
		edit func(*dicom.AssociateRQ, *dicom.AssociateAC)
		code int
	}{
		"associate-same.txt": {allOfIt, exitOK},
		"associate-different.txt": {func(rq *dicom.AssociateRQ, ac *dicom.AssociateAC) {
			refusing(dicom.TransferSyntaxesRejected, "", "JPEG2000Lossless")(rq, ac)
			refusing(dicom.AbstractSyntaxRejected, "XRayRadiationDoseSRStorage")(rq, ac)
			ac.ImplementationVersion = "ZZ_SERVER_2"
		}, exitFailed},
		"associate-facts.txt": {func(_ *dicom.AssociateRQ, ac *dicom.AssociateAC) { ac.MaxLength = 0 }, exitFailed},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newStage()
			require.Equal(t, tt.code, s.run(t, "associate", whole, "--profile", "ct", "--compare", acceptor(t, tt.edit)), s.err.String())
			golden(t, name, steadyTable(s.out.String()))
		})
	}
	s := newStage()
	require.Equal(t, exitFailed, s.run(t, "associate", whole, "--profile", "ct", "--compare", nobody(t)))
	require.Contains(t, s.out.String(), "not-comparable: B did not answer all that was asked\n")
	require.NotContains(t, s.out.String(), "CTImageStorage", "no answer is no difference")
}

// TestAssociateJSON: the form that scripts rely on.
func TestAssociateJSON(t *testing.T) {
	s := newStage()
	address := acceptor(t, func(rq *dicom.AssociateRQ, ac *dicom.AssociateAC) {
		refusing(dicom.AbstractSyntaxRejected, "CTImageStorage")(rq, ac)
		ac.Roles, ac.Async = rq.Roles, rq.Async
		ac.Results = append(ac.Results, dicom.ContextResult{ID: 77})
	})
	require.Equal(t, exitFailed, s.run(t, "associate", address, "-o", "json", "--async", "0/3",
		"--sop-class", "CTImageStorage,StudyRootQueryRetrieveInformationModelFind", "--transfer-syntax", "ImplicitVRLittleEndian", "--role", "CTImageStorage=both"))
	golden(t, "associate.json", steady(s.out.String()))

	s = newStage()
	require.Equal(t, exitFailed, s.run(t, "associate", acceptor(t, allOfIt), "-o", "json", "-v", "--profile", "mwl", "--compare", address))
	var c compareReport
	require.NoError(t, json.Unmarshal(s.out.Bytes(), &c))
	require.Equal(t, verdictDifferent, c.Verdict)
	require.Len(t, c.Servers, 2)
	require.NotEmpty(t, c.Servers[0].Associations[0].Transcript)
}

// TestAssociateExit: what is wrong, in words and as exit code.
func TestAssociateExit(t *testing.T) {
	tests := []struct {
		name, args string
		code       int
		says       string
	}{
		{"nobody there", nobody(t) + " --profile ct", 1, "failed: nothing listens on "},
		{"another protocol", answering(t, "220 hello\r\n") + " --profile ct", 1, "failed: answers with text, not with DICOM"},
		{"rejected", answering(t, string(dicom.RejectCallingAE.Append(nil))) + " --calling-ae CT2", 1, "failed: calling AE title 'CT2' not recognised"},
		{"nothing accepted", acceptor(t, refusing(dicom.AbstractSyntaxRejected, "")) + " --profile mwl", 1, "refused: accepts the association and refuses all that was proposed in it: Verification and ModalityWorklistInformationModelFind (abstract syntax not supported): switched off there, or not allowed for 'GANTRY'\n"},
		{"all accepted", acceptor(t, allOfIt), 0, "accepted: accepts all 84 SOP classes, each in at least one transfer syntax (283 of 283 pairs)\n"},
		{"conversation", acceptor(t, allOfIt) + " --profile mpps -v", 0, "context 5: ModalityPerformedProcedureStep, as ImplicitVRLittleEndian\n"},
		{"profiles", "--list", 0, "\nstorage-commitment            2      4  storage commitment\n"},
		{"one profile", "--list --profile ct,mwl", 0, "\nmwl: modality worklist, 4 pairs\n\n  the test button of every modality\n    Verification:\n      ImplicitVRLittleEndian, ExplicitVRLittleEndian\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage()
			require.Equal(t, tt.code, s.run(t, append([]string{"associate"}, strings.Fields(tt.args)...)...), s.err.String())
			require.Contains(t, s.out.String(), tt.says)
		})
	}
}

func TestAssociateUsage(t *testing.T) {
	tests := []struct{ args, want string }{
		{"", "TARGET is missing; write HOST:PORT"},
		{"a:1 b:1", "one TARGET at a time, and no more; got a:1 b:1; a second one stands behind --compare"},
		{"a:1 --list", "--list needs no TARGET; it asks nobody"},
		{"pacs", `"pacs" has no port; write HOST:PORT or [IPv6]:PORT; DICOM servers usually listen on 104 or 11112`},
		{"a:1 --compare b", `"b" has no port`},
		{"a:1 --profile foo", `--profile: there is no profile "foo"; there are ct, mr,`},
		{"a:1 --sop-class CT,GIF", `--sop-class: "CT" is not a SOP class; near are CTImageStorage, `},
		{"a:1 --transfer-syntax Verification", `--transfer-syntax: "Verification" is a SOP class, not a transfer syntax`},
		{"a:1 --role scx", `--role: "scx" is not a role; write scu, scp or both, or CLASS=ROLE`},
		{"a:1 --profile ct --role MRImageStorage=scp", "--role: MRImageStorage is not proposed; give --sop-class MRImageStorage too"},
		{"a:1 --async many", `--async: "many" is not a window; write INVOKED or INVOKED/PERFORMED, numbers up to 65535`},
		{"a:1 --max-pdu 10", `--max-pdu: "10" is not a size from 1KiB to 16MiB`},
		{"a:1 --max-pdu 1GiB", `--max-pdu: "1GiB" is not a size from 1KiB to 16MiB`},
		{"a:1 --max-pdu much", `--max-pdu: "much" is not a size from 1KiB to 16MiB`},
		{"a:1 --sop-class=", "--sop-class: a name is missing"},
		{"a:1 --profile=ct,", "--profile: a name is missing"},
		{"a:1 --transfer-syntax=", "--transfer-syntax: a name is missing"},
		{"a:1 --profile ct --compare=", "--compare: a second TARGET is missing"},
		{"a:1 --pause 1h", "--pause: 1h0m0s is out of range; 0s to 1m0s"},
		{"a:1 --called-ae ABCDEFGHIJKLMNOPQ", "--called-ae: "},
		{"a:1 --tls=false --ca-file x", "--tls=false and --ca-file contradict each other"},
		{"a:1 --timeout 5", "--timeout: unit is missing"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			s := newStage()
			require.Equal(t, exitUsage, s.run(t, append([]string{"associate"}, strings.Fields(tt.args)...)...))
			require.True(t, strings.HasPrefix(s.err.String(), "gantry: "+tt.want), s.err.String())
			require.Empty(t, s.out.String())
		})
	}
}

// TestAssociateCompletes: the shell finds names, also behind a comma.
func TestAssociateCompletes(t *testing.T) {
	for args, want := range map[string]string{
		"--sop-class ctimage":               "CTImageStorage\n",
		"--sop-class MRImageStorage,ctimag": "MRImageStorage,CTImageStorage\n",
		"--transfer-syntax jpeg2000l":       "JPEG2000Lossless\n",
		"--profile storage":                 "storage-commitment\tstorage commitment\n",
		"--role b":                          "both\n",
	} {
		s := newStage()
		require.Zero(t, s.run(t, append([]string{"__complete", "associate"}, strings.Fields(args)...)...))
		require.Contains(t, s.out.String(), want)
	}
}

// TestAssociateHostilePeer: nothing that a server says reaches the terminal as it was said.
func TestAssociateHostilePeer(t *testing.T) {
	const attack = "\x1b[2J\u202e\r\x08"
	address := acceptor(t, func(rq *dicom.AssociateRQ, ac *dicom.AssociateAC) {
		ac.CalledAE, ac.ImplementationVersion, ac.ImplementationClassUID, ac.ApplicationContext = attack, attack, attack, attack
		ac.Results[0].TransferSyntax = attack
		ac.Roles = []dicom.Role{{SOPClassUID: attack}}
		ac.Extended = []dicom.ExtendedNegotiation{{SOPClassUID: attack, Info: []byte(attack)}}
	})
	for _, more := range []string{"-v", "-vv", "--output=json", "--compare=" + address} {
		s := newStage()
		s.run(t, "associate", address, "--profile", "qr", more)
		require.NotEmpty(t, s.out.String())
		for _, r := range s.out.String() + s.err.String() {
			require.True(t, r == '\n' || r >= ' ' && r != 0x7f && r != '\u202e', "%q", s.out.String())
		}
	}
}
