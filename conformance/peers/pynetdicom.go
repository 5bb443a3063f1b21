package peers

import (
	"context"
	_ "embed"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// pynetdicom is a library in Python, the most used one for tests of DICOM. It comes from PyPI into a virtual
// environment of our own, in the versions and with the content that requirements.txt names.
const pynetdicom = "pynetdicom"

//go:embed requirements.txt
var pyRequirements []byte

// pynet plays both ends of an association.
//
//go:embed pynet.py
var pynet []byte

// pyInstalled, in the environment's folder, holds the requirements that were met: it is written last.
const pyInstalled = "installed.txt"

func pyFolder() (string, error) { return cacheFolder("pynetdicom-3.0.4") }

// pyHere remembers that the library is here; it takes a while to find out.
var pyHere atomic.Bool

// hasPynetdicom reports whether the library is here and can be used: an environment made by another Python, which
// has gone meanwhile, cannot.
func hasPynetdicom() bool {
	if pyHere.Load() {
		return true
	}
	folder, err := pyFolder()
	if err != nil {
		return false
	}
	met, err := os.ReadFile(filepath.Join(folder, pyInstalled))
	if err != nil || string(met) != string(pyRequirements) {
		return false
	}
	works := exec.Command(pyProgram(folder), "-c", "import pynetdicom").Run() == nil
	pyHere.Store(works)
	return works
}

func pyProgram(folder string) string { return filepath.Join(folder, "bin", "python") }

// fetchPynetdicom needs Debian's python3-venv. pip refuses what does not have the expected content.
func fetchPynetdicom(ctx context.Context) error {
	folder, err := pyFolder()
	if err != nil {
		return err
	}
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if _, err := Run(ctx, debianPython, "-m", "venv", folder); err != nil {
		return err
	}
	wanted := filepath.Join(folder, "requirements.txt")
	if err := os.WriteFile(wanted, pyRequirements, 0o644); err != nil {
		return err
	}
	if _, err := Run(ctx, pyProgram(folder), "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
		"--no-deps", "--only-binary", ":all:", "--require-hashes", "-r", wanted); err != nil {
		return err
	}
	return os.Rename(wanted, filepath.Join(folder, pyInstalled))
}

// pyCommand is pynet.py, written into dir, with its arguments.
func pyCommand(dir string, args ...string) (Command, error) {
	folder, err := pyFolder()
	if err != nil {
		return Command{}, err
	}
	file := filepath.Join(dir, "pynet.py")
	if err := os.WriteFile(file, pynet, 0o600); err != nil {
		return Command{}, err
	}
	return Command{Name: pynetdicom, Path: pyProgram(folder), Args: append([]string{"-u", file}, args...)}, nil
}

// StartPynetdicom starts an SCP of storage, query/retrieve, storage commitment and MPPS, and returns when it
// listens. Its lines and its options are those of `pynet.py scp`.
func StartPynetdicom(ctx context.Context, dir, aet string, options ...string) (*Archive, error) {
	port := FreePort()
	c, err := pyCommand(dir, append([]string{"scp", fmt.Sprint(port), aet}, options...)...)
	if err != nil {
		return nil, err
	}
	p, err := Start(c)
	if err != nil {
		return nil, err
	}
	if _, err := p.Await(ctx, "listening"); err != nil {
		p.Stop()
		return nil, err
	}
	return &Archive{Process: p, DICOM: fmt.Sprintf("127.0.0.1:%d", port)}, nil
}

// pyPatience is how long a client may take.
const pyPatience = time.Minute

// Pynetdicom runs tasks of `pynet.py scu`, with commas between them, to their end and returns its lines. A failure
// holds them, too.
func Pynetdicom(ctx context.Context, dir, tasks, addr, called, calling string, options ...string) (Lines, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	c, err := pyCommand(dir, append([]string{"scu", tasks, host, port, called, calling}, options...)...)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, pyPatience)
	defer cancel()
	out, err := Run(ctx, c.Path, c.Args...)
	lines := LinesOf(out)
	if err == nil && len(lines.Of("done")) != 1 {
		err = fmt.Errorf("pynet.py scu %s did not end well:\n%s", tasks, out)
	}
	return lines, err
}

// Lines are what pynet.py has written, "word key=value ..." each.
type Lines []Line

// Line is one of them.
type Line struct {
	Word  string
	About map[string]string
}

// LinesOf reads a program's output.
func LinesOf(out string) (all Lines) {
	for text := range strings.Lines(out) {
		f := strings.Fields(text)
		if len(f) == 0 {
			continue
		}
		l := Line{Word: f[0], About: map[string]string{}}
		for _, about := range f[1:] {
			if k, v, ok := strings.Cut(about, "="); ok {
				l.About[k] = v
			}
		}
		all = append(all, l)
	}
	return all
}

// Of are the lines that begin with the word and have the given "key=value".
func (l Lines) Of(word string, about ...string) (some Lines) {
next:
	for _, line := range l {
		for _, a := range about {
			if k, v, _ := strings.Cut(a, "="); line.About[k] != v {
				continue next
			}
		}
		if line.Word == word {
			some = append(some, line)
		}
	}
	return some
}

// All is the value of a key in every line, in order.
func (l Lines) All(key string) (values []string) {
	for _, line := range l {
		values = append(values, line.About[key])
	}
	return values
}
