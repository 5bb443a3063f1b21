package dicomassociate

import (
	"slices"
	"strings"

	"gantry/protocols/dicom"
)

// Profile is what one sort of modality, or of another client, typically proposes. It is a sensible guess, not a copy of
// one product: a modality's own conformance statement says what it needs.
type Profile struct {
	Name, About string
	Proposals   []Proposal
}

// Proposal is a part of a profile: SOP classes in each of the transfer syntaxes, and why.
type Proposal struct {
	Why                          string
	SOPClasses, TransferSyntaxes []string // UIDs
	// SCP says that the client wants to be SCP of the classes, as one that fetches with C-GET does.
	SCP bool
}

// AllProfile is the name of the profile that has every SOP class.
const AllProfile = "all"

// LookupProfile finds a profile by its name.
func LookupProfile(name string) (Profile, bool) {
	if name == AllProfile {
		return everything(), true
	}
	i := slices.IndexFunc(profiles, func(p Profile) bool { return p.Name == name })
	if i < 0 {
		return Profile{}, false
	}
	return profiles[i], true
}

// Profiles lists them all, AllProfile last.
func Profiles() []Profile { return append(slices.Clone(profiles), everything()) }

// Pairs are what the profile proposes. syntaxes take the place of its own transfer syntaxes; none = its own.
func (p Profile) Pairs(syntaxes ...string) []Pair {
	var pairs []Pair
	for _, proposal := range p.Proposals {
		if len(syntaxes) > 0 {
			pairs = append(pairs, Product(proposal.SOPClasses, syntaxes)...)
		} else {
			pairs = append(pairs, Product(proposal.SOPClasses, proposal.TransferSyntaxes)...)
		}
	}
	return distinct(pairs)
}

// Roles are those that the profile proposes; none for SOP classes of which the client is SCU alone, as always.
func (p Profile) Roles() []dicom.Role {
	var roles []dicom.Role
	for _, proposal := range p.Proposals {
		for _, class := range proposal.SOPClasses {
			if proposal.SCP {
				roles = append(roles, dicom.Role{SOPClassUID: class, SCP: true})
			}
		}
	}
	return roles
}

// Transfer syntaxes as they are proposed together.
var (
	plain    = uids("ImplicitVRLittleEndian", "ExplicitVRLittleEndian")
	lossless = uids("JPEGLosslessSV1", "JPEGLSLossless", "JPEG2000Lossless", "RLELossless")
	lossy    = uids("JPEGBaseline8Bit", "JPEGExtended12Bit", "JPEG2000")
	baseline = uids("JPEGBaseline8Bit")
	video    = uids("MPEG2MPML", "MPEG2MPHL", "MPEG4HP41", "MPEG4HP41BD", "HEVCMP51")
	rare     = uids("DeflatedExplicitVRLittleEndian", "ExplicitVRBigEndian", "JPEGLossless", "JPEGLSNearLossless",
		"HTJ2KLossless", "HTJ2KLosslessRPCL", "HTJ2K", "JPEGXLLossless", "JPEGXLJPEGRecompression", "JPEGXL")
)

// everything is every SOP class that has a name here: images in all still transfer syntaxes, what moves also as video,
// the others without compression.
func everything() Profile {
	still := slices.Concat(plain, lossless, lossy, rare)
	var services, others, images, moving []string
	for _, u := range dicom.SOPClasses() {
		switch name := u.Name; {
		case strings.HasPrefix(name, "Video"), name == "UltrasoundMultiFrameImageStorage", name == "MultiFrameTrueColorSecondaryCaptureImageStorage":
			moving = append(moving, u.Value)
		case strings.Contains(name, "ImageStorage"), strings.HasSuffix(name, "ForProcessing"), strings.HasSuffix(name, "ForPresentation"),
			name == "RTDoseStorage", name == "SegmentationStorage", name == "ParametricMapStorage", name == "EnhancedUSVolumeStorage":
			images = append(images, u.Value)
		case strings.Contains(name, "Storage") && !strings.HasPrefix(name, "StorageCommitment"):
			others = append(others, u.Value)
		default:
			services = append(services, u.Value)
		}
	}
	return Profile{AllProfile, "every SOP class that Gantry has a name for", []Proposal{
		{Why: "services: commands and small data sets", SOPClasses: services, TransferSyntaxes: plain},
		{Why: "images", SOPClasses: images, TransferSyntaxes: still},
		{Why: "what moves, also as video", SOPClasses: moving, TransferSyntaxes: slices.Concat(still, video)},
		{Why: "reports, presentation states, waveforms, plans: never compressed, or deflated", SOPClasses: others,
			TransferSyntaxes: append(slices.Clone(plain), uids("DeflatedExplicitVRLittleEndian")...)},
	}}
}
