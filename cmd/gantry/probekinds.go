package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"gantry/gateway/config"
)

// kindHelp is what the help of a kind says beyond its keys.
type kindHelp struct {
	short   string // one line, for the list of kinds
	long    string // more, for --help; may be empty
	target  string // the argument in the usage line
	example string
	port    string // what to say about the usual port when it is missing
	url     bool   // TARGET may be a URL
	program bool   // what stands behind -- is the command of the check
}

// hostPort is the usual TARGET.
const hostPort = "HOST:PORT"

// urlTarget is a TARGET that people copy from a browser or a configuration.
const urlTarget = "URL|HOST:PORT"

const dicomPort = "DICOM servers usually listen on 104 or 11112"

// kindsHelp has an entry for each kind; a kind without one gets the sentence of the reference.
var kindsHelp = map[string]kindHelp{
	"connect": {
		short: "Take a TCP connection, and complete the TLS handshake with --tls",
		example: `  gantry probe connect 10.12.1.130:2575
  gantry probe connect pacs.example:2762 --tls --ca-file hospital-ca.pem`,
	},
	"tls": {
		short: "Complete a TLS handshake, and look at the certificate and its time",
		example: `  gantry probe tls pacs.example:2762 --ca-file hospital-ca.pem
  gantry probe tls 10.12.1.110:2762 --fingerprint AB:CD:... --cert-file gantry.pem --key-file gantry-key.pem`,
		port: "DICOM over TLS usually listens on 2762, HTTPS on 443",
	},
	"http": {
		short: "Ask for a page, and look at its status and its text",
		long: `With a URL, scheme and path are taken from it; HOST:PORT takes them from the flags. Redirects are not followed
unless asked for: a login page is not the application.`,
		target: urlTarget, url: true,
		example: `  gantry probe http https://viewer.example/login --expect-body Viewer
  gantry probe http 10.12.1.170:8042 --path /system --expect-status 200,401`,
	},
	"dicom-associate": {
		short: "Open a DICOM association and compare what is accepted with what is expected", port: dicomPort,
		long: "What a server accepts at all, and where two servers differ, is shown by gantry associate.",
		example: `  gantry probe dicom-associate 10.12.1.110:104 --called-ae VNA --profile ct
  gantry probe dicom-associate 10.12.1.110:104 --called-ae VNA --expect CTImageStorage,MRImageStorage/JPEG2000Lossless`,
	},
	"dicom-echo": {
		short: "Open a DICOM association and ask for C-ECHO", port: dicomPort,
		example: `  gantry probe dicom-echo 10.12.1.110:104 --called-ae VNA --calling-ae GANTRY
  gantry probe dicom-echo pacs.example:2762 --tls --no-verify-host -v`,
	},
	"dicom-find": {
		short: "Search a DICOM server's database with C-FIND", port: dicomPort,
		example: `  gantry probe dicom-find 10.12.1.110:104 --called-ae VNA
  gantry probe dicom-find 10.12.1.110:104 --called-ae VNA --patient-id ZZ-GANTRY-PROBE --max-latency 2s
  gantry probe dicom-find 10.12.1.115:104 --called-ae RIS --model worklist`,
	},
	"dicom-store": {
		short: "Store a small test image with C-STORE (it writes)", port: dicomPort,
		example: `  gantry probe dicom-store 10.12.1.110:104 --called-ae VNA --read-back
  gantry probe dicom-store 10.12.1.110:104 --called-ae VNA --size 4MiB --timeout 30s`,
	},
	"mllp": {
		short: "Send an HL7 message that means nothing, and read its acknowledgement", port: "HL7 receivers often listen on 2575",
		example: `  gantry probe mllp 10.12.1.130:2575
  gantry probe mllp 10.12.1.130:2575 --receiving-application HIS --receiving-facility HOSPITAL -v
  gantry probe mllp 10.12.1.130:2575 --message query.hl7 --expect AA`,
	},
	"xds-registry": {
		short: "Ask a document registry a stored query (ITI-18)", long: aboutSOAPURL,
		target: urlTarget, url: true,
		example: `  gantry probe xds-registry http://10.12.1.150:17035/services/registry
  gantry probe xds-registry https://registry.example/xds/iti18 --patient-id 'ZZ-GANTRY-PROBE^^^&1.2.3.4&ISO' --min-documents 1`,
	},
	"xds-repository": {
		short: "Ask a document repository for a document (ITI-43)", long: aboutSOAPURL,
		target: urlTarget, url: true,
		example: `  gantry probe xds-repository http://10.12.1.150:17036/services/repository
  gantry probe xds-repository https://repository.example/xds/iti43 --repository-uid 1.2.3.4 --document-uid 1.2.3.4.5`,
	},
	"exec": {
		short: "Run a program that does the check (it runs a program)", program: true,
		target: hostPort + " -- PROGRAM [ARGUMENT]...",
		long: `The program is named by its absolute path, behind --, with its arguments; {host} and {port} in them are filled in. It is
started without a shell. In a configuration the same words are the list command.`,
		example: `  gantry probe exec 10.12.1.110:104 -- /usr/lib/nagios/plugins/check_tcp -H {host} -p {port}`,
	},
}

// aboutSOAPURL is for the kinds that ask an XDS service.
const aboutSOAPURL = "With a URL, scheme and path are taken from it; HOST:PORT takes them from the flags."

// aboutKind is the help of a kind, made up where nobody wrote one.
func aboutKind(kind string) kindHelp {
	h := kindsHelp[kind]
	if h.short == "" {
		h.short, _, _ = strings.Cut(config.KindDoc(kind), ". ")
		h.short = strings.TrimSuffix(h.short, ".")
	}
	if h.target == "" {
		h.target = hostPort
	}
	if h.example == "" {
		h.example = fmt.Sprintf("  gantry probe %s 10.12.1.110:104", kind)
	}
	return h
}

// args is one target; a command may stand behind -- where the kind runs a program.
func (h kindHelp) args() cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		dash := cmd.ArgsLenAtDash()
		targets := len(args)
		if h.program && dash >= 0 {
			targets = dash
		}
		switch {
		case targets == 0:
			return badUsage("TARGET is missing; write %s", h.target)
		case targets > 1:
			return badUsage("one TARGET at a time, and no more; got %s", strings.Join(args[:targets], " "))
		}
		return nil
	}
}
