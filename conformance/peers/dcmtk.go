package peers

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Run runs a program to its end. A failure holds what the program wrote.
func Run(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, Find(name), args...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// Echo runs DCMTK's echoscu: associations and C-ECHO as the world's most used toolkit does them.
func Echo(ctx context.Context, addr string, options ...string) error {
	_, err := Run(ctx, "echoscu", scu(addr, options)...)
	return err
}

// Store runs DCMTK's storescu with the given files or folders in one association.
func Store(ctx context.Context, addr string, files []string, options ...string) error {
	_, err := Run(ctx, "storescu", append(scu(addr, options), files...)...)
	return err
}

// FindStudies runs DCMTK's findscu on study level and returns its output.
func FindStudies(ctx context.Context, addr string, keys ...string) (string, error) {
	args := scu(addr, []string{"-v", "-S", "-k", "QueryRetrieveLevel=STUDY"})
	for _, key := range keys {
		args = append(args, "-k", key)
	}
	return Run(ctx, "findscu", args...)
}

// GetStudy runs DCMTK's getscu into an empty folder and returns how many files arrived.
func GetStudy(ctx context.Context, addr, study, into string) (int, error) {
	_, err := Run(ctx, "getscu", scu(addr, []string{"-S", "-od", into,
		"-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=" + study})...)
	if err != nil {
		return 0, err
	}
	files, err := os.ReadDir(into)
	return len(files), err
}

// scu puts options and the peer's address in DCMTK's order. Every wait is bounded.
func scu(addr string, options []string) []string {
	host, port, _ := net.SplitHostPort(addr)
	args := append([]string{"-to", "10", "-ta", "10", "-td", "30", "-aec", "ANY-SCP", "-aet", "CONFORM"}, options...)
	return append(args, host, port)
}

// Archive is a running DCMTK dcmqrscp: C-STORE, C-FIND, C-MOVE and C-GET.
type Archive struct {
	*Process
	DICOM string
}

// StartArchive starts dcmqrscp with an empty store under dir and returns when it answers a C-ECHO.
func StartArchive(ctx context.Context, dir string) (*Archive, error) {
	port, store := FreePort(), filepath.Join(dir, "dcmqr")
	if err := os.MkdirAll(store, 0o755); err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "dcmqrscp.cfg")
	config := fmt.Sprintf(`NetworkTCPPort = %d
MaxPDUSize = 131072
MaxAssociations = 16
HostTable BEGIN
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
ANY-SCP %s RW (100, 1024mb) ANY
AETable END
`, port, store)
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return nil, err
	}
	p, err := Start(Command{Name: "dcmqrscp", Path: Find("dcmqrscp"), Args: []string{"-c", file}})
	if err != nil {
		return nil, err
	}
	a := &Archive{Process: p, DICOM: fmt.Sprintf("127.0.0.1:%d", port)}
	return a, untilReady(ctx, p, func() error { return Echo(ctx, a.DICOM) })
}

// StartReceiver starts DCMTK's storescp, one child an association, which counts nothing and keeps nothing.
func StartReceiver(ctx context.Context) (*Archive, error) {
	port := FreePort()
	p, err := Start(Command{Name: "storescp", Path: Find("storescp"),
		Args: []string{"--fork", "--ignore", "--aetitle", "ANY-SCP", fmt.Sprint(port)}})
	if err != nil {
		return nil, err
	}
	a := &Archive{Process: p, DICOM: fmt.Sprintf("127.0.0.1:%d", port)}
	return a, untilReady(ctx, p, func() error { return Echo(ctx, a.DICOM) })
}
