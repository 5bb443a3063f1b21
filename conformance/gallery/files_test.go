package gallery

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// files are those that commands of the gallery name. They stand in a folder of the test; the document shows their
// names alone.
var files fileSet

type fileSet struct {
	once   sync.Once
	folder string
	err    error
}

// ownMessage is a message that a site wrote: an update of a made-up patient's data.
const ownMessage = `MSH|^~\&|GANTRY|GANTRY|HIS|HOSPITAL|{time}||ADT^A08^ADT_A01|{control_id}|T|2.5.1||||||UNICODE UTF-8
EVN|A08|{time}
PID|1||ZZ-GANTRY-PROBE^^^GANTRY||ZZ-GANTRY-PROBE^`

// content is what is in each file.
func content() (map[string][]byte, error) {
	all, err := pemFiles()
	if err != nil {
		return nil, err
	}
	maps.Copy(all, map[string][]byte{
		"update.hl7": []byte(ownMessage + "TEST\n"),
		"umlaut.hl7": []byte(ownMessage + "MÜLLER\n"),
		"padded.hl7": []byte(ownMessage + "TEST\nNTE|1||" + strings.Repeat("padding ", 9000) + "\n"),
		"saml.xml": []byte(`<wsse:Security xmlns:wsse="http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd">` +
			"<wsse:BinarySecurityToken>ZZ-GANTRY-PROBE</wsse:BinarySecurityToken></wsse:Security>\n"),
	})
	return all, nil
}

// real is the name of a file as it can be opened; anything that names none stays what it is.
func (s *fileSet) real(t *testing.T, value string) string {
	s.once.Do(s.write)
	require.NoError(t, s.err)
	if name := filepath.Join(s.folder, value); value == filepath.Base(value) {
		if _, err := os.Stat(name); err == nil {
			return name
		}
	}
	return value
}

func (s *fileSet) write() {
	if s.folder, s.err = os.MkdirTemp("", "gantry-gallery-"); s.err != nil {
		return
	}
	all, err := content()
	s.err = err
	for name, b := range all {
		if s.err == nil {
			s.err = os.WriteFile(filepath.Join(s.folder, name), b, 0o600)
		}
	}
}
