package peers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Orthanc is a running Orthanc archive with an empty store of its own.
type Orthanc struct {
	*Process
	DICOM string // HOST:PORT of its DICOM listener
	REST  string // base URL of its REST API

	config  string
	options []string
	store   string // the folder of its files, and of its index
}

// orthancAET is the AE title of every Orthanc that we start; it accepts any called title.
const orthancAET = "ORTHANC"

// StartOrthanc starts an archive that keeps its files under dir, and returns when it answers a C-ECHO
// and its REST API.
func StartOrthanc(ctx context.Context, name, dir string, options ...string) (*Orthanc, error) {
	dicom, rest := FreePort(), FreePort()
	o := &Orthanc{
		DICOM:  fmt.Sprintf("127.0.0.1:%d", dicom),
		REST:   fmt.Sprintf("http://127.0.0.1:%d", rest),
		config: filepath.Join(dir, name+".json"), options: options,
	}
	store := filepath.Join(dir, name)
	o.store = store
	config, err := json.MarshalIndent(map[string]any{
		"Name":                    name,
		"StorageDirectory":        store,
		"IndexDirectory":          store,
		"DicomAet":                orthancAET,
		"DicomPort":               dicom,
		"DicomCheckCalledAet":     false,
		"DicomAlwaysAllowEcho":    true,
		"DicomAlwaysAllowStore":   true,
		"DicomAlwaysAllowFind":    true,
		"DicomAlwaysAllowGet":     true,
		"DicomAlwaysAllowMove":    true,
		"HttpPort":                rest,
		"RemoteAccessAllowed":     false,
		"AuthenticationEnabled":   false,
		"StorageCompression":      false,
		"Plugins":                 []string{},
		"LimitFindResults":        0,
		"UnknownSopClassAccepted": false,
	}, "", "  ")
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(store, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(o.config, config, 0o644); err != nil {
		return nil, err
	}
	return o, o.Restart(ctx)
}

// BreakStorage puts a file in the place of each folder that the archive makes for its objects, as a volume
// does that is not mounted any more: its index still works, and no object can be written. What was stored
// is lost.
func (o *Orthanc) BreakStorage() error {
	for i := range 256 {
		folder := filepath.Join(o.store, fmt.Sprintf("%02x", i))
		if err := os.RemoveAll(folder); err != nil {
			return err
		}
		if err := os.WriteFile(folder, nil, 0o444); err != nil {
			return err
		}
	}
	return nil
}

// MendStorage takes those files away again.
func (o *Orthanc) MendStorage() error {
	for i := range 256 {
		if err := os.RemoveAll(filepath.Join(o.store, fmt.Sprintf("%02x", i))); err != nil {
			return err
		}
	}
	return nil
}

// Restart starts a stopped or killed Orthanc again, on the same ports and with the same store.
func (o *Orthanc) Restart(ctx context.Context) error {
	p, err := Start(Command{Name: "orthanc", Path: Find("Orthanc"), Args: append(o.options, o.config)})
	if err != nil {
		return err
	}
	o.Process = p
	return untilReady(ctx, p, func() error {
		if _, err := o.Instances(ctx); err != nil {
			return err
		}
		return Echo(ctx, o.DICOM)
	})
}

// Instances is the number of stored objects.
func (o *Orthanc) Instances(ctx context.Context) (int, error) {
	var stats struct{ CountInstances int }
	err := o.get(ctx, "/statistics", &stats)
	return stats.CountInstances, err
}

// Clear deletes every stored patient, so that the next run meets an empty archive.
func (o *Orthanc) Clear(ctx context.Context) error {
	var patients []string
	if err := o.get(ctx, "/patients", &patients); err != nil {
		return err
	}
	for _, id := range patients {
		if err := o.do(ctx, http.MethodDelete, "/patients/"+id, nil, nil); err != nil {
			return err
		}
	}
	return nil
}

// Studies holds for each stored Study Instance UID whose objects are here.
func (o *Orthanc) Studies(ctx context.Context) (map[string]bool, error) {
	var list []struct {
		MainDicomTags struct{ StudyInstanceUID string }
	}
	err := o.get(ctx, "/studies?expand", &list)
	studies := map[string]bool{}
	for _, s := range list {
		studies[s.MainDicomTags.StudyInstanceUID] = true
	}
	return studies, err
}

func (o *Orthanc) get(ctx context.Context, path string, into any) error {
	return o.do(ctx, http.MethodGet, path, nil, into)
}

func (o *Orthanc) do(ctx context.Context, method, path string, body []byte, into any) error {
	return callJSON(ctx, method, o.REST+path, body, into)
}

// callJSON makes one HTTP request and decodes the answer. A status of 300 or more is a *StatusError.
func callJSON(ctx context.Context, method, url string, body []byte, into any) error {
	text, err := call(ctx, method, url, body)
	if err != nil || into == nil {
		return err
	}
	return json.Unmarshal(text, into)
}

// call makes one HTTP request and returns the answer's body. A status of 300 or more is a *StatusError.
func call(ctx context.Context, method, url string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Close = true // no idle connection that outlives the program
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = &StatusError{Method: method, URL: url, Code: resp.StatusCode, Body: string(text)}
	}
	return text, err
}

// StatusError is an HTTP answer that says no.
type StatusError struct {
	Method, URL string
	Code        int
	Body        string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s %s: status %d: %s", e.Method, e.URL, e.Code, e.Body)
}
