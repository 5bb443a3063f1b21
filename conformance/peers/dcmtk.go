package peers

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
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

// FindSteps runs DCMTK's findscu against a modality worklist and returns its output.
func FindSteps(ctx context.Context, addr, patient string) (string, error) {
	return Run(ctx, "findscu", scu(addr, []string{"-v", "-W", "-k", "PatientID=" + patient})...)
}

// MoveStudy runs DCMTK's movescu, which asks the archive to send a study to an AE title, and returns its output.
func MoveStudy(ctx context.Context, addr, study, destination string, options ...string) (string, error) {
	return Run(ctx, "movescu", scu(addr, append([]string{"-v", "-S", "-aem", destination,
		"-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=" + study}, options...))...)
}

// scu puts options and the peer's address in DCMTK's order. Every wait is bounded.
func scu(addr string, options []string) []string {
	host, port, _ := net.SplitHostPort(addr)
	args := append([]string{"-to", "10", "-ta", "10", "-td", "30", "-aec", "ANY-SCP", "-aet", "CONFORM"}, options...)
	return append(args, host, port)
}
