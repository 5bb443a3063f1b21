package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gantry/fixtures/fault"
	"gantry/fixtures/feed"
	"gantry/fixtures/hl7/ledger"
)

// mllpPort is what to say when a port is missing.
const mllpPort = "HL7 receivers usually listen on 2575 or 6661"

// mllpFlags are the flags of `gantry send mllp`.
type mllpFlags struct {
	generate, patients, repeat     int
	types                          []string
	size                           string
	generator                      feed.Generator // MSH-3 to MSH-6
	concurrency, pipeline, retries int
	by                             *words
	rate                           float64
	retryWait, timeout             time.Duration
	failedPaths, record            string
	received                       []string
	judge, mayResend               bool
	tls                            *sendTLS
	given                          func(flag string) bool
	output                         *words
}

func (f *mllpFlags) add(cmd *cobra.Command) {
	set := cmd.Flags()
	set.SortFlags = false
	set.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if name == "retry" { // as of `gantry send dicom`
			name = "retries"
		}
		return pflag.NormalizedName(name)
	})
	f.given = set.Changed
	set.IntVar(&f.generate, "generate", 0, "send `N` generated messages instead of files")
	set.StringSliceVar(&f.types, "types", feed.DefaultTypes, "`TYPES` of generated messages, in turns; merges such as ADT^A40 are about two patients")
	set.IntVar(&f.patients, "patients", 100, "number of patients that they are about, in turns")
	set.StringVar(&f.size, "size", "1KiB", "`SIZE` of each, up to 256MiB; 0 = no larger than it has to be")
	g := &f.generator
	set.StringVar(&g.SendingApplication, "sending-application", "GANTRY-SEND", "MSH-3 of generated messages")
	set.StringVar(&g.SendingFacility, "sending-facility", "GANTRY", "MSH-4")
	set.StringVar(&g.ReceivingApplication, "receiving-application", "ENGINE", "MSH-5")
	set.StringVar(&g.ReceivingFacility, "receiving-facility", "HOSPITAL", "MSH-6")
	set.IntVar(&f.repeat, "repeat", 1, "send everything so often; messages of files keep their control ids")
	set.IntVarP(&f.concurrency, "concurrency", "c", 1, fmt.Sprintf("connections at a time, to %d", feed.MaxConnections))
	set.IntVar(&f.pipeline, "pipeline", 1, fmt.Sprintf("messages on their way on each connection, to %d", feed.MaxPipeline))
	f.by = &words{value: "patient", allowed: []string{"patient", "round-robin"}}
	set.Var(f.by, "by", "all messages of a patient (PID-3.1) over one connection: patient; over all in turn, each when the one before it has ended: round-robin")
	set.Float64Var(&f.rate, "rate", 0, "messages a second over all connections; 0 = as fast as it goes")
	set.IntVar(&f.retries, "retries", 0, "send what had no answer again, so often, under the same control id and on a new connection")
	set.DurationVar(&f.retryWait, "retry-wait", time.Second, "in front of each retry")
	set.DurationVar(&f.timeout, "timeout", feed.DefaultTimeout, "for the connection, and for each message with its answer")
	set.StringVar(&f.failedPaths, "failed", "", "write the paths of files with messages that were lost or refused to `FILE`, one a line")
	set.StringVar(&f.record, "record", "", "write down in `FILE` what becomes of each message, a line each; what is there stays")
	set.StringSliceVar(&f.received, "received", nil, "compare with the records in `FILES` of receivers when all is sent")
	set.BoolVar(&f.judge, "judge", false, "send nothing, and compare the records that are named instead of a target")
	set.BoolVar(&f.mayResend, "may-resend", false, "with --judge or --received: receivers may keep a message oftener than it was sent, as with on_unknown_outcome: resend")
	f.output = &words{value: "text", allowed: []string{"text", "json"}}
	set.VarP(f.output, "output", "o", "form of the summary: text or json")
	for name, flag := range map[string]*words{"output": f.output, "by": f.by} {
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(flag.allowed, cobra.ShellCompDirectiveNoFileComp))
	}
	f.tls.add(set)
}

// options reads all that is not about the messages.
func (f *mllpFlags) options(s *surroundings, address string) (o feed.Options, err error) {
	t, err := parseTarget(address, kindHelp{port: mllpPort})
	if err != nil {
		return o, err
	}
	switch {
	case f.concurrency < 1 || f.concurrency > feed.MaxConnections:
		return o, badUsage("--concurrency is from 1 to %d", feed.MaxConnections)
	case f.pipeline < 1 || f.pipeline > feed.MaxPipeline:
		return o, badUsage("--pipeline is from 1 to %d", feed.MaxPipeline)
	case f.retries < 0 || f.retries > fault.MaxCount:
		return o, badUsage("--retries is from 0 to %d", fault.MaxCount)
	case !(f.rate >= 0) || f.rate > 1e6:
		return o, badUsage("--rate is from 0 to 1000000")
	case f.timeout <= 0 || f.timeout > fault.MaxDuration:
		return o, badUsage("--timeout is more than 0 and at most %s", fault.MaxDuration)
	case f.retryWait < 0 || f.retryWait > fault.MaxDuration:
		return o, badUsage("--retry-wait is from 0 to %s", fault.MaxDuration)
	case f.mayResend && len(f.received) == 0:
		return o, badUsage("--may-resend is about records: give --received too")
	}
	secure, err := f.tls.config(s)
	o = feed.Options{Connections: f.concurrency, Pipeline: f.pipeline, Rate: f.rate, Retries: f.retries, RetryWait: f.retryWait}
	o.Target = feed.Target{Address: t.address(), Timeout: f.timeout, TLS: secure}
	if f.by.value == "round-robin" {
		o.By = feed.RoundRobin
	}
	return o, err
}

// work is what is to be sent.
func (f *mllpFlags) work(paths []string) (w feed.Work, err error) {
	switch {
	case len(paths) == 0 && f.generate == 0:
		return nil, badUsage("nothing to send: name files or folders, or give --generate")
	case len(paths) > 0 && f.generate != 0:
		return nil, badUsage("files and --generate exclude each other")
	case f.generate < 0 || f.generate > feed.MaxMessages || f.repeat < 1 || f.repeat > feed.MaxMessages:
		return nil, badUsage("--generate and --repeat are from 1 to %d", feed.MaxMessages)
	case f.generate == 0 && f.idle() != "":
		return nil, badUsage("--%s is about generated messages: give --generate too", f.idle())
	case f.failedPaths != "" && len(paths) == 0:
		return nil, badUsage("--failed lists files: name some to be sent")
	case f.generate > 0:
		w, err = f.generated()
	default:
		w, err = f.files(paths)
	}
	if err == nil && w.Len() > feed.MaxMessages {
		return nil, badUsage("%d messages are too many for one run; at most %d", w.Len(), feed.MaxMessages)
	}
	return w, err
}

// idle is a flag about generated messages that was given.
func (f *mllpFlags) idle() string {
	for _, name := range []string{"types", "patients", "size", "sending-application", "sending-facility", "receiving-application", "receiving-facility"} {
		if f.given(name) {
			return name
		}
	}
	return ""
}

func (f *mllpFlags) generated() (feed.Work, error) {
	g := f.generator
	g.Count, g.Types, g.Patients = f.generate*f.repeat, f.types, f.patients
	if f.size != "0" {
		bytes, err := fault.Size(f.size)
		if err != nil || bytes > feed.MaxSize {
			return nil, badUsage("--size: %q is not a size from 1 to 256MiB", f.size)
		}
		g.Size = int(bytes)
	}
	switch {
	case f.patients < 1 || f.patients > feed.MaxPatients:
		return nil, badUsage("--patients is from 1 to %d", feed.MaxPatients)
	case len(f.types) == 0:
		return nil, badUsage("--types names none")
	case g.Count > feed.MaxMessages:
		return nil, badUsage("%d messages are too many for one run; at most %d", g.Count, feed.MaxMessages)
	}
	for flag, field := range map[string]string{"sending-application": g.SendingApplication, "sending-facility": g.SendingFacility,
		"receiving-application": g.ReceivingApplication, "receiving-facility": g.ReceivingFacility} {
		if field == "" || len(field) > maxHeaderField || strings.ContainsFunc(field, func(r rune) bool { return r < ' ' || r > '~' || r == '|' }) {
			return nil, badUsage("--%s: a field of MSH has 1 to %d ASCII characters and no |", flag, maxHeaderField)
		}
	}
	w, err := feed.Generate(g)
	if err != nil {
		return nil, badUsage("--types: %s", err)
	}
	return w, nil
}

// maxHeaderField bounds MSH-3 to MSH-6. HL7 2.5.1, 2.15.9: 227 characters.
const maxHeaderField = 227

func (f *mllpFlags) files(paths []string) (feed.Work, error) {
	files, err := feed.Find(paths)
	if err != nil {
		return nil, badUsage("%s", err)
	}
	if files.Count() == 0 && len(files.Damaged) == 0 {
		return nil, badUsage("no HL7 message in %s", strings.Join(paths, ", "))
	}
	files.Repeat = f.repeat
	return files, nil
}

// recorders are those that the flags ask for.
func (f *mllpFlags) recorders(o *feed.Options, run string) (book *ledger.Ledger, record *ledger.Writer, err error) {
	if len(f.received) > 0 {
		book = ledger.New(ledger.Options{MayResend: f.mayResend})
		o.Recorders = append(o.Recorders, book)
		if err := readable(f.received); err != nil {
			return nil, nil, badUsage("--received: %s", err)
		}
	}
	if f.record != "" {
		if record, err = ledger.RecordSent(f.record, run); err != nil {
			return nil, nil, badUsage("--record: %s", err)
		}
		o.Recorders = append(o.Recorders, record)
	}
	return book, record, nil
}

// readable looks whether records can be read, before anything is sent.
func readable(paths []string) error {
	for _, path := range paths {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		file.Close()
	}
	return nil
}

// judgeAlone refuses what has no effect with --judge.
func (f *mllpFlags) judgeAlone(paths []string) error {
	if len(paths) < 2 {
		return badUsage("--judge compares records: name those of the senders and of the receivers")
	}
	for _, name := range []string{"generate", "types", "patients", "size", "repeat", "concurrency", "pipeline", "by", "rate", "retries",
		"timeout", "failed", "record", "received"} {
		if f.given(name) {
			return badUsage("--judge sends nothing: leave out --%s", name)
		}
	}
	return nil
}

// listFailed writes the paths of files with messages that are not done.
func (f *mllpFlags) listFailed(w feed.Work, r *feed.Report) error {
	files, ok := w.(*feed.Files)
	if f.failedPaths == "" || !ok {
		return nil
	}
	var paths []string
	for _, n := range r.Missing {
		paths = append(paths, files.Path(n))
	}
	return writePaths(f.failedPaths, append(paths, files.Damaged...))
}
