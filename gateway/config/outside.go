package config

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// What a configuration refers to is bounded, like the file itself.
const (
	// MaxSecretSize is the longest secret in bytes.
	MaxSecretSize = 4096
	// MinSecretSize is the shortest secret in characters; a shorter one could be found by trying.
	MinSecretSize = 16
	// MaxCASize is the largest file of certificate authorities in bytes (a whole system's are below 512 KiB).
	MaxCASize = 4 << 20
)

// Options are the two windows through which a configuration looks outside its own file. The zero value reads the
// process environment and the file system.
type Options struct {
	// Getenv looks up a variable for ${NAME}.
	Getenv func(name string) (value string, ok bool)
	// ReadFile reads a file of at most max bytes; a longer one is an error. Relative paths were joined with the folder
	// of the configuration before.
	ReadFile func(path string, max int64) ([]byte, error)
}

// withDefaults opens the real windows where none was given.
func (o Options) withDefaults() Options {
	if o.Getenv == nil {
		o.Getenv = os.LookupEnv
	}
	if o.ReadFile == nil {
		o.ReadFile = readBounded
	}
	return o
}

// errTooLarge is the cause when a file is over its bound.
var errTooLarge = errors.New("file is too large")

// readBounded reads a whole file, but never more than max bytes of it: a device or a growing log cannot fill memory.
func readBounded(path string, max int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, max+1))
	if err == nil && int64(len(data)) > max {
		return nil, errTooLarge
	}
	return data, err
}

// cause is a file error without the path, which the problem shows anyway.
func cause(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return err.Error()
}

// readBeside reads a file named in the configuration; relative paths start at the configuration's folder.
func (d *decoder) readBeside(name string, max int64) ([]byte, error) {
	return d.opts.ReadFile(d.beside(name), max)
}

// beside is the name of a file as the process can open it.
func (d *decoder) beside(name string) string {
	if name == "" || filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(d.file), name)
}

var variableRule = regexp.MustCompile(`^\$\{([A-Za-z_][A-Za-z0-9_]*)\}$`)

// secret fetches what a reference points to. No problem ever shows the secret, nor what stands in the file when it is
// not a reference: it may be one.
func (d *decoder) secret(ref, path string) string {
	var text, source string
	if m := variableRule.FindStringSubmatch(ref); m != nil {
		source = "environment variable " + m[1]
		value, ok := d.opts.Getenv(m[1])
		if !ok {
			d.add(d.places[path], path, source+" is not set", "", "set it for the process, or use file:PATH")
			return ""
		}
		text = value
	} else if name, ok := strings.CutPrefix(ref, "file:"); ok && name != "" {
		source = "file " + name
		data, err := d.readBeside(name, MaxSecretSize)
		if err != nil {
			d.add(d.places[path], path, "cannot read "+source+": "+cause(err), "", "name a readable file that holds the secret")
			return ""
		}
		text = strings.TrimRight(string(data), "\r\n")
	} else {
		d.add(d.places[path], path, "a secret must not stand in the file itself", "", "write ${NAME} for an environment variable, or file:PATH")
		return ""
	}
	if problem := weakness(text); problem != "" {
		d.add(d.places[path], path, source+" "+problem, "", fmt.Sprintf("%d to %d printable ASCII characters without spaces", MinSecretSize, MaxSecretSize))
		return ""
	}
	return text
}

// weakness says why a text cannot be a token, which travels in an HTTP header.
func weakness(text string) string {
	switch {
	case text == "":
		return "is empty"
	case len(text) < MinSecretSize:
		return "holds too short a secret"
	case len(text) > MaxSecretSize:
		return "holds too long a secret"
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }):
		return "holds characters that a token cannot have"
	}
	return ""
}

// authorities reads ca_file and sees that there is at least one certificate in it.
func (d *decoder) authorities(t *TLS, path string) {
	if t.CAFile == "" {
		return
	}
	data, err := d.readBeside(t.CAFile, MaxCASize)
	if err != nil {
		d.add(d.near(path, "ca_file"), path+".ca_file", "cannot read the file: "+cause(err), quoted(t.CAFile), "name a readable PEM file")
		return
	}
	if !x509.NewCertPool().AppendCertsFromPEM(data) {
		d.add(d.near(path, "ca_file"), path+".ca_file", "no certificate in the file", quoted(t.CAFile), "name a PEM file with BEGIN CERTIFICATE blocks")
		return
	}
	t.CA = bytes.Clone(data)
}
