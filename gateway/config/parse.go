package config

import (
	"crypto/sha256"
	"encoding/hex"
	"reflect"
)

// Load reads and checks a configuration file. The bytes are those that were read, so that a caller may keep or show
// exactly what is in force; they are nil when the file could not be read. The error is a [Problems].
//
// References to the environment and to other files are followed.
func Load(file string) (*Config, []byte, error) {
	data, err := readBounded(file, MaxFileSize)
	if err != nil {
		return nil, nil, Problems{{File: file, Message: "cannot read the file: " + cause(err), Want: unreadable(err)}}
	}
	c, problems := Parse(file, data, Options{})
	if len(problems) > 0 {
		return nil, data, problems
	}
	return c, data, nil
}

// Parse checks a configuration that stands in memory. The name is used in problems, and its folder is where relative
// paths start. It returns a Config or at least one problem, never both; it never panics.
func Parse(name string, data []byte, opts Options) (*Config, Problems) {
	doc, problems := newDecoder(name, opts).decode(data)
	if len(problems) > 0 {
		return nil, problems
	}
	return doc.resolve(data), nil
}

// decode reads the whole file and returns all of its problems.
func (d *decoder) decode(data []byte) (*document, Problems) {
	doc := new(document)
	setDefaults(reflect.ValueOf(doc).Elem())
	if root := d.read(data); root != nil {
		d.document(doc, root)
	}
	return doc, d.sorted()
}

// resolve makes the configuration that the gateway uses.
func (doc *document) resolve(data []byte) *Config {
	sum := sha256.Sum256(data)
	c := &Config{Admin: doc.Admin, Log: doc.Log, AllowExec: doc.AllowExec, Services: doc.Services, Hash: hex.EncodeToString(sum[:])}
	for i := range c.Services {
		c.Services[i].resolveChecks()
	}
	return c
}
