package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"gantry/fixtures/fault"
	"gantry/fixtures/pacs"
	"gantry/protocols/dicom"
)

// Bounds of flags of a simulated archive.
const (
	maxMadeUp       = 1000 // studies, and worklist items
	minPDU          = 4 << 10
	maxPDU          = dicom.MaxDataPDU
	maxAssociations = 100_000
)

// defaultKeep is the bound of what is kept unless another one is given.
const defaultKeep = "1GiB"

// archiveFlags are the flags of `gantry simulate dicom`, and the options that they make.
type archiveFlags struct {
	options      pacs.Options
	worklist     string // a number, a file or a folder
	keepSize     string
	pdu          string
	classes      []string
	syntaxes     []string
	destinations []string
	commitTo     []string
}

func (a *archiveFlags) add(f *pflag.FlagSet) {
	o := &a.options
	f.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		switch name { // as they were called at first
		case "ae-title":
			name = "called-ae"
		case "known-ae":
			name = "calling-ae"
		}
		return pflag.NormalizedName(name)
	})
	f.StringSliceVar(&o.AETitles, "called-ae", nil, "called `AE` titles that it answers to, others get 1/1/7; any without this flag")
	f.StringSliceVar(&o.CallingAETitles, "calling-ae", nil, "calling `AE` titles that it knows, others get 1/1/3; all without this flag")
	f.StringSliceVar(&a.classes, "sop-class", nil, "`NAME` or UID of SOP classes that it accepts, such as CTImageStorage or worklist, beside Verification; all without this flag")
	f.StringSliceVar(&a.syntaxes, "transfer-syntax", nil, "`NAME` or UID of transfer syntaxes that it accepts, best first; without this flag it takes the first that is proposed")
	f.Int64Var(&o.MaxAssociations, "max-associations", 0, "associations at a time, more get 2/3/2; 0 = no limit")
	f.StringVar(&a.pdu, "max-pdu", "128KiB", "`SIZE` of the largest P-DATA-TF that it says it takes, 4KiB to 16MiB")
	f.StringVar(&o.Keep, "keep", "", "keep objects as DICOM files in `DIR`, by SOP instance UID; what is there already is known to queries")
	f.StringVar(&a.keepSize, "keep-size", defaultKeep, "`SIZE` of all files in that folder, beyond which C-STORE gets A700; 0 = no bound")
	f.StringVar(&o.Folder, "folder", "", "`DIR` with objects that queries find, and C-MOVE and C-GET send; it is only read")
	f.IntVar(&o.Studies, "studies", 3, "number of made-up studies")
	f.StringVar(&a.worklist, "worklist", "3", "number of made-up worklist items, or a `FILE` or folder with items: YAML, JSON or DICOM")
	f.StringArrayVar(&a.destinations, "move-destination", nil, "`AE=HOST:PORT` of a destination for C-MOVE; may be given several times")
	f.StringArrayVar(&a.commitTo, "commit-to", nil, "`AE=HOST:PORT` where results of storage commitments for this calling AE title go; may be given several times")
	f.BoolVar(&o.Strict, "strict", false, "refuse objects that are not what their C-STORE says, and queries without the keys of the levels above")
}

// read makes the options of what was typed.
func (a *archiveFlags) read(now time.Time) (err error) {
	o := &a.options
	o.Retrieve, o.Commitment = true, true
	for flag, titles := range map[string][]string{"called-ae": o.AETitles, "calling-ae": o.CallingAETitles} {
		for _, title := range titles {
			if !isAETitle(title) {
				return badUsage("--%s: %q is no AE title; it has 1 to 16 ASCII characters without backslash", flag, printable(title))
			}
		}
	}
	if o.MaxAssociations < 0 || o.MaxAssociations > maxAssociations {
		return badUsage("--max-associations is from 0 to %d", maxAssociations)
	}
	if err := a.readSizes(); err != nil {
		return err
	}
	if a.classes != nil {
		o.SOPClasses = []string{dicom.VerificationUID}
	}
	if err := uids("sop-class", a.classes, &o.SOPClasses); err != nil {
		return err
	}
	if err := uids("transfer-syntax", a.syntaxes, &o.TransferSyntaxes); err != nil {
		return err
	}
	if o.Destinations, err = addressBook("move-destination", a.destinations); err != nil {
		return err
	}
	if o.CommitTo, err = addressBook("commit-to", a.commitTo); err != nil {
		return err
	}
	return a.readWorklist(now)
}

func (a *archiveFlags) readSizes() error {
	o := &a.options
	n, err := fault.Size(a.pdu)
	if err != nil || n < minPDU || n > maxPDU {
		return badUsage("--max-pdu: %q is not a size from 4KiB to 16MiB", a.pdu)
	}
	o.MaxLength = uint32(n)
	if a.keepSize == "0" {
		return nil
	}
	if o.KeepSize, err = fault.Size(a.keepSize); err != nil {
		return badUsage("--keep-size: %s", err)
	}
	if o.Keep == "" && a.keepSize != defaultKeep {
		return badUsage("--keep-size bounds the folder of --keep: name one as well")
	}
	return nil
}

// readWorklist takes a number, or reads a file.
func (a *archiveFlags) readWorklist(now time.Time) (err error) {
	o := &a.options
	n, notNumber := strconv.Atoi(a.worklist)
	if o.Worklist = n; o.Studies < 0 || o.Studies > maxMadeUp || n < 0 || n > maxMadeUp {
		return badUsage("--studies and --worklist are from 0 to %d", maxMadeUp)
	}
	if notNumber == nil {
		return nil
	}
	o.Worklist = 0
	if o.Items, err = pacs.ReadWorklist(a.worklist, now); err != nil {
		return badUsage("--worklist: %s", err)
	}
	return nil
}

// uids turns names into UIDs.
func uids(flag string, names []string, into *[]string) error {
	for _, name := range names {
		uid, err := pacs.ParseUID(name)
		if err != nil {
			return badUsage("--%s: %s", flag, err)
		}
		*into = append(*into, uid)
	}
	return nil
}

// addressBook reads AE=HOST:PORT.
func addressBook(flag string, entries []string) (map[string]string, error) {
	book := map[string]string{}
	for _, entry := range entries {
		ae, address, ok := strings.Cut(entry, "=")
		_, err := parseTarget(address, kindHelp{port: dicomPort})
		if !ok || err != nil || !isAETitle(ae) {
			return nil, badUsage("--%s: %q is not AE=HOST:PORT; write it like CT1=10.12.3.7:104", flag, printable(entry))
		}
		if book[ae] != "" {
			return nil, badUsage("--%s: %s is named twice", flag, ae)
		}
		book[ae] = address
	}
	return book, nil
}

// isAETitle holds a title to PS3.5 6.2: 1 to 16 characters of ASCII without backslash and control characters, not only
// spaces.
func isAETitle(s string) bool {
	return strings.TrimSpace(s) != "" && len(s) <= dicom.AETitleLen &&
		!strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '\\' })
}
