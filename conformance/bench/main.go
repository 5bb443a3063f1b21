// Bench measures Gantry beside HAProxy, nginx and no middle at all, and writes what it found as Markdown.
//
//	go run ./conformance/bench                       five rounds, the table to the terminal
//	go run ./conformance/bench -out docs/benchmarks.md
//	go run ./conformance/bench -rounds 1 -only bulk  a quick look at one kind of load
//
// Every round runs every contender once, one after the other, so that a slow minute of the machine hits
// all of them; the figures are medians over the rounds. The load generator is the same for all: one
// process that receives and one that sends, both on raw sockets, because they share the processors with
// what is measured.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"time"
)

// options are the command's flags.
type options struct {
	rounds int
	out    string
	only   *regexp.Regexp
	each   time.Duration
	gantry string
}

func main() {
	serve := flag.String("serve", "", "internal: be the receiving process on this address")
	archive := flag.String("archive", "", "internal: be the archive that checks are made at, on this address")
	dicom := flag.String("dicom", "", "internal: be the archive that associations are measured at, on this address")
	mllp := flag.String("mllp", "", "internal: be the receiver that HL7 messages are measured at, on this address")
	var o options
	flag.IntVar(&o.rounds, "rounds", 5, "how often each contender runs each load")
	flag.StringVar(&o.out, "out", "", "write the page to this `file` instead of the terminal")
	flag.DurationVar(&o.each, "each", 3*time.Second, "how long one run of a timed load takes")
	flag.StringVar(&o.gantry, "gantry", "", "measure this `program` instead of building cmd/gantry")
	only := flag.String("only", "", "run only the loads whose name matches this `regexp`")
	flag.Parse()
	o.only = regexp.MustCompile(*only)
	os.Exit(run(*serve, *archive, *dicom, *mllp, o))
}

func run(serve, archive, dicom, mllp string, o options) int {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	var err error
	switch {
	case serve != "":
		err = receive(serve)
	case archive != "":
		err = serveArchive(archive)
	case dicom != "":
		err = serveDICOM(dicom)
	case mllp != "":
		err = serveMLLP(mllp)
	default:
		err = measure(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		return 1
	}
	return 0
}
