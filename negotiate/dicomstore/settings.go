package dicomstore

import (
	"fmt"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomtalk"
	"gantry/protocols/dicom"
)

// Bounds of Settings.Size, in bytes.
const (
	MinSize = 1 << 10
	MaxSize = 64 << 20
)

// Settings of the kind "dicom-store".
type Settings struct {
	CalledAE  string `yaml:"called_ae" min:"1" max:"16" doc:"AE title that the check asks for. Absent: the server's ae_title, else the only title without wildcards in the service's accept_called_ae, else ANY-SCP."`
	CallingAE string `yaml:"calling_ae" default:"GANTRY" min:"1" max:"16" doc:"AE title that the check gives itself. Not one of a client: servers count associations by it."`
	ReadBack  bool   `yaml:"read_back" default:"false" doc:"Search for the stored image with C-FIND (Study Root, in the same association): some servers confirm what they do not keep."`
	Size      int    `yaml:"size" format:"size" default:"1KiB" min:"1KiB" max:"64MiB" doc:"Size of the test image's pixels, rounded down to whole rows. Some servers fail on large objects only."`
}

var _ negotiate.Settings = (*Settings)(nil)

// Validate reports what the standard does not allow.
func (s *Settings) Validate(report func(key, got, want string)) {
	dicomtalk.ValidTitle("called_ae", s.CalledAE, report)
	dicomtalk.ValidTitle("calling_ae", s.CallingAE, report)
	if s.Size != 0 && (s.Size < MinSize || s.Size > MaxSize) {
		report("size", fmt.Sprintf("%dB", s.Size), "write a size from 1KiB to 64MiB")
	}
}

// The presentation contexts.
const (
	storeContext = 1
	findContext  = 3
)

var (
	storage = dicomtalk.Context{SOPClass: dicom.SecondaryCaptureUID, Service: "Secondary Capture storage", Operation: "C-STORE"}
	query   = dicomtalk.Context{SOPClass: dicom.StudyRootFindUID, Service: "Study Root query service, which read_back needs,", Operation: "C-FIND"}
)

// Prober builds the probe for one server.
func (s *Settings) Prober(t negotiate.Target) (negotiate.Prober, error) {
	image, err := newImage(instanceUID(t.Service, t.Server), max(s.Size, MinSize))
	if err != nil {
		return nil, err
	}
	p := &probe{image: image}
	contexts := []dicomtalk.Context{storage}
	if s.ReadBack {
		contexts = append(contexts, query)
		if p.identifier, err = image.identifier(); err != nil {
			return nil, err
		}
	}
	p.caller = dicomtalk.NewCaller(dicomtalk.NewPeer(t, s.CalledAE, s.CallingAE), contexts...)
	return p, nil
}
