package peers

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

//go:embed Bytes.java Receiver.java Sender.java
var hapiSources embed.FS

// StartHAPI starts a receiver on HAPI's own server and returns when it listens. It logs as such servers do
// when nobody has configured anything, and acknowledges every message with AA, or CA where MSH-15 asks for it.
func StartHAPI(ctx context.Context, dir string) (*Receiver, error) {
	return StartHAPIAt(ctx, dir, FreeAddr())
}

// StartHAPIAt is StartHAPI on an address, HOST:PORT; HAPI listens on every host.
func StartHAPIAt(ctx context.Context, dir, addr string) (*Receiver, error) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	p, err := startHAPI(ctx, dir, "Receiver", port)
	if err != nil {
		return nil, err
	}
	return &Receiver{p, addr}, untilReady(ctx, p, accepts(addr)) // its log says that it runs before it listens
}

// HAPIFeed says what a sender on HAPI sends: messages of its own making.
type HAPIFeed struct {
	Connections int
	Threads     int           // on each connection, each waiting for its answers; a patient each
	Count       int           // of messages of each thread
	Prefix      string        // of their control ids, PREFIX-CONNECTION-THREAD-NUMBER
	Pace        time.Duration // between an answer and the next message, in whole ms
	Timeout     time.Duration // of HAPI for an answer, in whole ms; 0 is 10 s
	Accept      string        // MSH-15
	Application string        // MSH-16
}

// HAPISend starts the sender. For each message it writes "acked ID CODE"; what has no answer it sends again, and writes
// "again ID" before. When all are answered it writes "finished" and ends; HAPISendNoMore(dir) lets it end before.
func HAPISend(ctx context.Context, dir, addr string, f HAPIFeed) (*Process, error) {
	return sender(ctx, dir, addr, f.Timeout, "many", strconv.Itoa(f.Connections), strconv.Itoa(f.Threads), strconv.Itoa(f.Count),
		f.Prefix, millis(f.Pace), f.Accept, f.Application)
}

// HAPISendNoMore tells the sender that was started with the folder to send no further message.
func HAPISendNoMore(dir string) error { return os.WriteFile(filepath.Join(dir, "stop"), nil, 0o600) }

// HAPISendFiles starts a sender of messages in files, one in each, one after the other. HAPI parses them, so that they arrive
// as HAPI writes them.
func HAPISendFiles(ctx context.Context, dir, addr string, files ...string) (*Process, error) {
	return sender(ctx, dir, addr, 0, append([]string{"files"}, files...)...)
}

func sender(ctx context.Context, dir, addr string, timeout time.Duration, args ...string) (*Process, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if timeout == 0 {
		timeout = 10 * time.Second
	}
	return startHAPI(ctx, dir, "Sender", append([]string{host, port, millis(timeout)}, args...)...)
}

func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }

func startHAPI(ctx context.Context, dir, class string, args ...string) (*Process, error) {
	folder, err := hapiFolder()
	if err != nil {
		return nil, err
	}
	path, err := hapiClasses(folder)
	if err != nil {
		return nil, err
	}
	ours, err := compiled(ctx, folder, path)
	if err != nil {
		return nil, err
	}
	path = append(path, ours)
	return Start(Command{Name: hapi, Path: Find("java"), Args: append([]string{"-XX:TieredStopAtLevel=1", "-Dhapi.home=" + dir,
		"-cp", strings.Join(path, string(os.PathListSeparator)), class}, args...)})
}

// compiled is the folder with our own classes, which are kept beside the library.
func compiled(ctx context.Context, folder string, library []string) (string, error) {
	sum := sha256.New()
	names, err := fs.Glob(hapiSources, "*.java")
	if err != nil {
		return "", err
	}
	for _, name := range names {
		source, err := hapiSources.ReadFile(name)
		if err != nil {
			return "", err
		}
		sum.Write(source)
	}
	classes := folder + "-classes-" + hex.EncodeToString(sum.Sum(nil)[:8])
	if _, err := os.Stat(classes); err == nil {
		return classes, nil
	}
	return classes, compile(ctx, classes, library, names)
}

// compile writes them to where they are in one step: several may do so at once.
func compile(ctx context.Context, classes string, library, names []string) error {
	work, err := os.MkdirTemp(filepath.Dir(classes), "compile-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	out := filepath.Join(work, "classes")
	args := []string{"-d", out, "-cp", strings.Join(library, string(os.PathListSeparator))}
	if err := os.CopyFS(work, hapiSources); err != nil {
		return err
	}
	for _, name := range names {
		args = append(args, filepath.Join(work, name))
	}
	if said, err := exec.CommandContext(ctx, Find("javac"), args...).CombinedOutput(); err != nil {
		return fmt.Errorf("javac: %w\n%s", err, said)
	}
	if err := os.Rename(out, classes); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}
