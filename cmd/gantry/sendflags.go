package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gantry/fixtures/fault"
	"gantry/fixtures/modality"
	"gantry/fixtures/pacs"
	"gantry/fixtures/sender"
	"gantry/protocols/dicom"
)

// maxRetries bounds --retry.
const maxRetries = 100

// sendFlags are the flags of `gantry send dicom`.
type sendFlags struct {
	generate, echo, repeat           int
	size, sopClass, syntax, maxPDU   string
	concurrency, perAssoc, retries   int
	rate                             float64
	calledAE, callingAE, failedPaths string
	timeout                          time.Duration
	tls                              *sendTLS
	given                            func(flag string) bool
	output                           *words
}

func newSendFlags() *sendFlags { return &sendFlags{tls: newSendTLS()} }

func (f *sendFlags) add(cmd *cobra.Command) {
	set := cmd.Flags()
	set.SortFlags = false
	f.given = set.Changed
	set.IntVar(&f.generate, "generate", 0, "send `N` generated objects instead of files")
	set.StringVar(&f.size, "size", "512KiB", "`SIZE` of the pixels of a generated object, up to 2GiB")
	set.StringVar(&f.sopClass, "sop-class", "CTImageStorage", "`NAME` or UID of their SOP class")
	set.StringVar(&f.syntax, "transfer-syntax", "ExplicitVRLittleEndian", "`NAME` or UID of their transfer syntax")
	set.IntVar(&f.echo, "echo", 0, "ask for `N` C-ECHOs instead of sending anything")
	set.IntVar(&f.repeat, "repeat", 1, "send everything so often; files keep their UIDs")
	set.IntVarP(&f.concurrency, "concurrency", "c", 1, fmt.Sprintf("associations at a time, to %d", sender.MaxConcurrency))
	set.IntVar(&f.perAssoc, "per-association", 0, "objects in one association; 0 = they are parted evenly among as many as there are at a time")
	set.Float64Var(&f.rate, "rate", 0, "objects a second in all associations; 0 = as fast as it goes")
	set.IntVar(&f.retries, "retry", 0, "send what was lost again, so often, on new associations")
	set.StringVar(&f.calledAE, "called-ae", "ANY-SCP", "`AE` title of the server")
	set.StringVar(&f.callingAE, "calling-ae", "GANTRY", "`AE` title to be called by")
	set.StringVar(&f.maxPDU, "max-pdu", "128KiB", "`SIZE` of the largest P-DATA-TF to say that we take, 4KiB to 16MiB; what we send is bounded by the server's")
	set.DurationVar(&f.timeout, "timeout", 30*time.Second, "for each answer, for the connection, and for each piece of an object to be taken")
	set.StringVar(&f.failedPaths, "failed", "", "write the paths of lost files to `FILE`, one a line")
	f.output = &words{value: "text", allowed: []string{"text", "json"}}
	set.VarP(f.output, "output", "o", "form of the summary: text or json")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(f.output.allowed, cobra.ShellCompDirectiveNoFileComp))
	f.tls.add(set)
}

// noun is what is counted.
func (f *sendFlags) noun() string {
	if f.echo > 0 {
		return "C-ECHO"
	}
	return "object"
}

// options reads all that is not about the objects.
func (f *sendFlags) options(s *surroundings, address string) (o sender.Options, err error) {
	t, err := parseTarget(address, kindHelp{port: dicomPort})
	if err != nil {
		return o, err
	}
	pdu, err := fault.Size(f.maxPDU)
	switch {
	case err != nil || pdu < minPDU || pdu > maxPDU:
		return o, badUsage("--max-pdu: %q is not a size from 4KiB to 16MiB", f.maxPDU)
	case f.concurrency < 1 || f.concurrency > sender.MaxConcurrency:
		return o, badUsage("--concurrency is from 1 to %d", sender.MaxConcurrency)
	case f.perAssoc < 0:
		return o, badUsage("--per-association: %d is negative", f.perAssoc)
	case f.retries < 0 || f.retries > maxRetries:
		return o, badUsage("--retry is from 0 to %d", maxRetries)
	case !(f.rate >= 0) || f.rate > 1e6:
		return o, badUsage("--rate is from 0 to 1000000")
	case f.timeout <= 0 || f.timeout > fault.MaxDuration:
		return o, badUsage("--timeout is more than 0 and at most %s", fault.MaxDuration)
	}
	for flag, title := range map[string]string{"called-ae": f.calledAE, "calling-ae": f.callingAE} {
		if !isAETitle(title) {
			return o, badUsage("--%s: an AE title has 1 to 16 ASCII characters without backslash", flag)
		}
	}
	secure, err := f.tls.config(s)
	o = sender.Options{Concurrency: f.concurrency, PerAssoc: f.perAssoc, Rate: f.rate, Retries: f.retries}
	o.Target = modality.Options{Address: t.address(), CalledAE: f.calledAE, CallingAE: f.callingAE, MaxLength: uint32(pdu),
		Timeout: f.timeout, TLS: secure}
	return o, err
}

// work is what is to be sent.
func (f *sendFlags) work(paths []string) (w sender.Work, err error) {
	ways := 0
	for _, given := range []bool{len(paths) > 0, f.generate != 0, f.echo != 0} {
		if given {
			ways++
		}
	}
	switch {
	case ways == 0:
		return nil, badUsage("nothing to send: name files or folders, or give --generate or --echo")
	case ways > 1:
		return nil, badUsage("files, --generate and --echo exclude each other")
	case f.repeat < 1 || f.generate < 0 || f.echo < 0 || f.repeat > sender.MaxObjects || f.generate > sender.MaxObjects || f.echo > sender.MaxObjects:
		return nil, badUsage("--generate, --echo and --repeat are from 1 to %d", sender.MaxObjects)
	case f.generate == 0 && f.idle() != "":
		return nil, badUsage("--%s is about generated objects: give --generate too", f.idle())
	case f.failedPaths != "" && len(paths) == 0:
		return nil, badUsage("--failed lists files: name some to be sent")
	case f.echo > 0:
		w = sender.Echoes(f.echo * f.repeat)
	case f.generate > 0:
		w, err = f.series()
	default:
		w, err = f.files(paths)
	}
	if err == nil && w.Len() > sender.MaxObjects {
		return nil, badUsage("%d objects are too many for one run; at most %d", w.Len(), sender.MaxObjects)
	}
	return w, err
}

// idle is a flag about generated objects that was given.
func (f *sendFlags) idle() string {
	for _, name := range []string{"size", "sop-class", "transfer-syntax"} {
		if f.given(name) {
			return name
		}
	}
	return ""
}

func (f *sendFlags) series() (sender.Work, error) {
	class, err := pacs.ParseUID(f.sopClass)
	if err != nil {
		return nil, badUsage("--sop-class: %s", err)
	}
	if name := dicom.UIDName(class); name != class && !strings.Contains(name, "Storage") || strings.HasPrefix(name, "StorageCommitment") {
		return nil, badUsage("--sop-class: %s is no storage class", name)
	}
	syntax, err := pacs.ParseUID(f.syntax)
	if err != nil {
		return nil, badUsage("--transfer-syntax: %s", err)
	}
	size := int64(0)
	if f.size != "0" {
		if size, err = fault.Size(f.size); err != nil {
			return nil, badUsage("--size: %s", err)
		}
	}
	series, err := modality.NewSeries(modality.Kind{SOPClassUID: class, TransferSyntaxUID: syntax}, size)
	if err != nil {
		return nil, badUsage("%s", err)
	}
	return sender.Generated{Series: series, Count: f.generate * f.repeat}, nil
}

func (f *sendFlags) files(paths []string) (sender.Work, error) {
	files, err := sender.Find(paths)
	if err != nil {
		return nil, badUsage("%s", err)
	}
	if files.Count() == 0 && len(files.Damaged) == 0 {
		return nil, badUsage("no DICOM object in %s", strings.Join(paths, ", "))
	}
	files.Repeat = f.repeat
	return files, nil
}

// listFailed writes the paths of lost files.
func (f *sendFlags) listFailed(w sender.Work, r *sender.Report) error {
	files, ok := w.(*sender.Files)
	if f.failedPaths == "" || !ok {
		return nil
	}
	paths := files.Damaged
	for _, n := range r.Missing {
		paths = append(paths, files.Path(n))
	}
	return writePaths(f.failedPaths, paths)
}

// writePaths lists paths in a file, each once.
func writePaths(to string, paths []string) error {
	var b strings.Builder
	listed := map[string]bool{}
	for _, path := range paths {
		if !listed[path] {
			listed[path] = true
			b.WriteString(path + "\n")
		}
	}
	return os.WriteFile(to, []byte(b.String()), 0o600)
}
