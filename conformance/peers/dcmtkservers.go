package peers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Archive is a running server of DCMTK, or of pynetdicom.
type Archive struct {
	*Process
	DICOM string
}

// anyAET is the called AE title under which every server of DCMTK is reached here.
const anyAET = "ANY-SCP"

// Verbose as an option of a server of DCMTK, or of Orthanc, makes it write some lines for each association.
const Verbose = "--verbose"

// wholeLines configures the log of DCMTK. By itself a program of it writes each line in four pieces (level,
// colon, text, line feed), and a server whose processes share one log mixes those of a process with another's.
// This appender buffers a line, or several of one message, and writes it in one piece.
const wholeLines = `log4cplus.rootLogger = INFO, lines
log4cplus.appender.lines = log4cplus::ConsoleAppender
log4cplus.appender.lines.ImmediateFlush = true
log4cplus.appender.lines.layout = log4cplus::PatternLayout
log4cplus.appender.lines.layout.ConversionPattern = %P: %m%n
`

// VerboseLines gives options that make a server of DCMTK write what Verbose makes it write, no line torn by
// another process's. They need a file, which it writes under dir.
func VerboseLines(dir string) ([]string, error) {
	file := filepath.Join(dir, "dcmtk-log.cfg")
	return []string{"--log-config", file}, os.WriteFile(file, []byte(wholeLines), 0o644)
}

// StartArchive starts dcmqrscp (C-STORE, C-FIND, C-MOVE and C-GET) with an empty store under dir and
// returns when it answers a C-ECHO. It takes 16 associations at a time.
func StartArchive(ctx context.Context, dir string, options ...string) (*Archive, error) {
	return StartSmallArchive(ctx, dir, 16, options...)
}

// StartSmallArchive is StartArchive with room for the given number of associations.
func StartSmallArchive(ctx context.Context, dir string, associations int, options ...string) (*Archive, error) {
	return startArchive(ctx, dir, associations, nil, options...)
}

// StartMovingArchive is StartArchive with destinations for C-MOVE: AE titles, and their HOST:PORT.
func StartMovingArchive(ctx context.Context, dir string, destinations map[string]string, options ...string) (*Archive, error) {
	return startArchive(ctx, dir, 16, destinations, options...)
}

func startArchive(ctx context.Context, dir string, associations int, destinations map[string]string, options ...string) (*Archive, error) {
	port, store := FreePort(), filepath.Join(dir, "dcmqr")
	if err := os.MkdirAll(store, 0o755); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "dcmqrscp.cfg")
	var hosts strings.Builder
	for title, addr := range destinations {
		fmt.Fprintf(&hosts, "%s = (%s, %s)\n", strings.ToLower(title), title, strings.Replace(addr, ":", ", ", 1))
	}
	config := fmt.Sprintf(`NetworkTCPPort = %d
MaxPDUSize = 131072
MaxAssociations = %d
HostTable BEGIN
%sHostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
%s %s RW (100, 1024mb) ANY
AETable END
`, port, associations, hosts.String(), anyAET, store)
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return nil, err
	}
	return startDCMTK(ctx, "dcmqrscp", port, append(options, "-c", file)...)
}

// StartStation starts DCMTK's storescp under an AE title; it keeps the objects in the folder as they came, and
// names in its log who called.
func StartStation(ctx context.Context, folder string, options ...string) (*Archive, error) {
	port := FreePort()
	return startDCMTK(ctx, "storescp", port, append(options, "--fork", "--debug", "--accept-all", "--bit-preserving",
		"-pdu", "131072", "-od", folder, fmt.Sprint(port))...)
}

// StartReceiver starts DCMTK's storescp, one child an association, which counts nothing and keeps nothing.
func StartReceiver(ctx context.Context, options ...string) (*Archive, error) {
	port := FreePort()
	return startDCMTK(ctx, "storescp", port, append(options, "--fork", "--ignore", "--aetitle", anyAET, fmt.Sprint(port))...)
}

// StartRefuser starts a storescp that rejects every association, and returns when it listens.
func StartRefuser(ctx context.Context) (*Archive, error) {
	port := FreePort()
	p, err := Start(Command{Name: "storescp", Path: Find("storescp"), Args: []string{"--refuse", fmt.Sprint(port)}})
	if err != nil {
		return nil, err
	}
	addr := fmt.Sprintf("127.0.0.1:%d", port)
	return &Archive{Process: p, DICOM: addr}, untilReady(ctx, p, accepts(addr))
}

// WorklistPatient is the Patient ID of the one procedure step in the list of StartWorklist.
const WorklistPatient = "ZZ-WORKLIST-1"

// worklistItem is that step as dump2dcm reads it. It has every attribute that wlmscpfs would otherwise
// add with a warning.
const worklistItem = `(0008,0050) SH  [ZZ-ACCESSION-1]
(0008,1110) SQ
(fffe,e0dd) -
(0008,1120) SQ
(fffe,e0dd) -
(0010,0010) PN  [CONFORMANCE^INVENTED]
(0010,0020) LO  [` + WorklistPatient + `]
(0010,0030) DA  [19500101]
(0010,0040) CS  [O]
(0020,000d) UI  [2.25.7301.9001]
(0032,1032) PN  [INVENTED^PHYSICIAN]
(0032,1060) LO  [EXAM1]
(0040,0100) SQ
(fffe,e000) -
(0008,0060) CS  [OT]
(0040,0001) AE  [ZZSTATION]
(0040,0002) DA  [20240101]
(0040,0003) TM  [120000]
(0040,0006) PN  [INVENTED^PHYSICIAN]
(0040,0007) LO  [EXAM1]
(0040,0009) SH  [SPS1]
(0040,0010) SH  [ZZSTATION]
(fffe,e00d) -
(fffe,e0dd) -
(0040,1001) SH  [RP1]
`

// StartWorklist starts DCMTK's modality worklist server wlmscpfs with one planned procedure under dir, and
// returns when it answers a C-ECHO. The folder of an AE title, with a lockfile in it, is what makes that
// title known.
func StartWorklist(ctx context.Context, dir string, options ...string) (*Archive, error) {
	list := filepath.Join(dir, "worklists", anyAET)
	if err := os.MkdirAll(list, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(list, "lockfile"), nil, 0o644); err != nil {
		return nil, err
	}
	dump := filepath.Join(dir, "one.dump")
	if err := os.WriteFile(dump, []byte(worklistItem), 0o644); err != nil {
		return nil, err
	}
	if _, err := Run(ctx, "dump2dcm", "--write-xfer-little", dump, filepath.Join(list, "one.wl")); err != nil {
		return nil, err
	}
	port := FreePort()
	return startDCMTK(ctx, "wlmscpfs", port, append(options, "--data-files-path", filepath.Dir(list), fmt.Sprint(port))...)
}

// startDCMTK runs a server and returns when it answers a C-ECHO.
func startDCMTK(ctx context.Context, name string, port int, args ...string) (*Archive, error) {
	p, err := Start(Command{Name: name, Path: Find(name), Args: args})
	if err != nil {
		return nil, err
	}
	a := &Archive{Process: p, DICOM: fmt.Sprintf("127.0.0.1:%d", port)}
	return a, untilReady(ctx, p, func() error { return Echo(ctx, a.DICOM) })
}
