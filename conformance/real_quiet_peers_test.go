package conformance

import (
	"context"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/conformance/peers"
	"gantry/gateway/config"
	"gantry/negotiate"
)

// stand is a kind of peer, with what is asked of it here.
type stand struct {
	name     string
	programs []string // that must be installed
	start    func(*testing.T, context.Context) *standing
}

// standing is a running stand.
type standing struct {
	*peers.Process
	checks []negotiate.Check
	plain  func(context.Context) error // one successful conversation of an ordinary client
	ended  string                      // what the peer writes at the good end of each conversation; empty = nothing
	usual  string                      // in complaints that any client would leave that does the same
}

// asked is a check to make: a kind, its keys, and how the tests call it.
type asked struct {
	name, kind string
	keys       map[string][]string
}

// of is a check of a kind with keys, given as KEY, VALUE, ...
func of(kind string, keys ...string) asked {
	a := asked{name: kind, kind: kind, keys: map[string][]string{}}
	for i := 0; i+1 < len(keys); i += 2 {
		a.keys[keys[i]] = append(a.keys[keys[i]], keys[i+1])
		if !strings.HasPrefix(keys[i], "tls.") {
			a.name += " " + keys[i] + "=" + keys[i+1]
		}
	}
	return a
}

// checksOf builds checks of one address, as `gantry probe` does.
func checksOf(t *testing.T, address string, list ...asked) []negotiate.Check {
	t.Helper()
	checks := make([]negotiate.Check, len(list))
	for i, a := range list {
		checks[i] = checkOf(t, address, a)
	}
	return checks
}

func checkOf(t *testing.T, address string, a asked) negotiate.Check {
	t.Helper()
	c, problems := config.NewCheck(a.kind, a.keys, config.Options{})
	require.Empty(t, problems, a.name)
	secure, err := c.TLS.Client()
	require.NoError(t, err)
	host, text, err := net.SplitHostPort(address)
	require.NoError(t, err)
	port, err := strconv.Atoi(text)
	require.NoError(t, err)
	prober, err := c.Settings.Prober(negotiate.Target{Host: host, Port: port, Secure: secure != nil, Version: "conformance"})
	require.NoError(t, err)
	return negotiate.Check{Name: a.name, Kind: a.kind, Address: func() (string, error) { return address, nil },
		TLS: secure, Prober: prober, Timeout: c.Timeout}
}

// healthy makes the check once and says what is wrong, if anything is: a warning is not healthy either.
func healthy(ctx context.Context, c negotiate.Check) (negotiate.Result, error) {
	r := negotiate.Run(ctx, c)
	if f := r.Words(); f != nil {
		return r, f
	}
	return r, nil
}

// stands are the peers of the suites quiet and broken, with every kind of check that fits them. Those that
// have a verbose log write it.
var stands = []stand{
	{"storescp", []string{"storescp", "echoscu"}, func(t *testing.T, ctx context.Context) *standing {
		a, err := peers.StartReceiver(ctx, verboseLines(t)...)
		require.NoError(t, err)
		return dcmtk(t, a, of("dicom-echo"), of("dicom-store"), of("dicom-store", "size", "200KiB"), of("dicom-associate", "profile", "ct"))
	}},
	{"dcmqrscp", []string{"dcmqrscp", "echoscu"}, func(t *testing.T, ctx context.Context) *standing {
		a, err := peers.StartArchive(ctx, t.TempDir(), verboseLines(t)...)
		require.NoError(t, err)
		s := dcmtk(t, a, of("dicom-echo"), of("dicom-find"), of("dicom-find", "model", "patient-root"),
			of("dicom-store"), of("dicom-store", "read_back", "true"), of("dicom-associate", "profile", "qr"))
		// It warns of every object that comes again, from storescu too. The check sends the same one for ever,
		// because a new one each time would fill the archive.
		s.usual = "duplicate SOP instance UID"
		return s
	}},
	{"wlmscpfs", []string{"wlmscpfs", "dump2dcm", "echoscu"}, func(t *testing.T, ctx context.Context) *standing {
		a, err := peers.StartWorklist(ctx, t.TempDir(), verboseLines(t)...)
		require.NoError(t, err)
		return dcmtk(t, a, of("dicom-echo"), of("dicom-find", "model", "worklist"),
			of("dicom-find", "model", "worklist", "patient_id", peers.WorklistPatient), of("dicom-associate", "profile", "mwl"))
	}},
	{"Orthanc", []string{"Orthanc", "echoscu"}, func(t *testing.T, ctx context.Context) *standing {
		o, err := peers.StartOrthanc(ctx, "quiet", t.TempDir(), peers.Verbose)
		require.NoError(t, err)
		t.Cleanup(o.Stop)
		s := &standing{Process: o.Process, ended: "Association Release"}
		s.plain = func(ctx context.Context) error { return peers.Echo(ctx, o.DICOM) }
		s.checks = checksOf(t, o.DICOM, of("dicom-echo"), of("dicom-find"), of("dicom-find", "model", "patient-root"),
			of("dicom-store"), of("dicom-store", "read_back", "true"), of("dicom-associate", "profile", "ct"))
		return s
	}},
	{"python-hl7", []string{"mllp_send"}, func(t *testing.T, ctx context.Context) *standing {
		return receiver(t, ctx, peers.StartHL7Receiver, "the sender has gone")
	}},
	{"HAPI", []string{"mllp_send", "javac", "HAPI"}, func(t *testing.T, ctx context.Context) *standing {
		return receiver(t, ctx, peers.StartHAPI, "with this Receiver: End of input stream")
	}},
	{"nginx", []string{"nginx", "curl"}, func(t *testing.T, ctx context.Context) *standing {
		dir := t.TempDir()
		cert, key := selfSigned(t, dir)
		v, err := peers.StartViewer(ctx, dir, "viewer", cert, key)
		require.NoError(t, err)
		t.Cleanup(v.Stop)
		trust := []string{"tls.server_name", viewerName, "tls.ca_file", cert}
		s := &standing{Process: v.Process, plain: func(ctx context.Context) error {
			_, err := peers.Run(ctx, "curl", "-sSk", "https://"+v.Addr+"/login")
			return err
		}}
		s.checks = checksOf(t, v.Addr, of("http", append(trust, "scheme", "https", "path", "/login", "expect_body", "Viewer")...),
			of("tls", append(trust, "expiry_days", "0")...), of("connect"))
		return s
	}},
}

// verboseLines are options of DCMTK's servers. The warning of the process that stores, "W: Deleting file …
// duplicate SOP instance UID", cut in pieces by its parent's "I: Cleaned up after child", was once a complaint
// that nobody could forgive.
func verboseLines(t *testing.T) []string {
	options, err := peers.VerboseLines(t.TempDir())
	require.NoError(t, err)
	return options
}

func dcmtk(t *testing.T, a *peers.Archive, list ...asked) *standing {
	t.Cleanup(a.Stop)
	return &standing{Process: a.Process, ended: "Association Release", checks: checksOf(t, a.DICOM, list...),
		plain: func(ctx context.Context) error { return peers.Echo(ctx, a.DICOM) }}
}

func receiver(t *testing.T, ctx context.Context, start func(context.Context, string) (*peers.Receiver, error), ended string) *standing {
	dir := t.TempDir()
	r, err := start(ctx, dir)
	require.NoError(t, err)
	t.Cleanup(r.Stop)
	return &standing{Process: r.Process, ended: ended, checks: checksOf(t, r.MLLP, of("mllp")),
		plain: func(ctx context.Context) error {
			_, err := peers.SendAdmissions(ctx, dir, r.MLLP, 1)
			return err
		}}
}

// eachStand runs a test beside each peer, all at once: most of their time is waiting.
func eachStand(t *testing.T, test func(*testing.T, context.Context, *standing)) {
	for _, s := range stands {
		t.Run(s.name, func(t *testing.T) {
			need(t, s.programs...)
			t.Parallel()
			ctx := within(t, 2*time.Minute)
			running := s.start(t, ctx)
			_, err := running.Await(ctx, running.ended) // the conversation that showed that it answers is over
			require.NoError(t, err)
			test(t, ctx, running)
		})
	}
}

// complaints finds the lines of a log that somebody would look into: warnings and errors in the forms of
// DCMTK, Orthanc, Python, SLF4J and nginx, and stack traces.
var complaints = regexp.MustCompile(`(?m)^(?:[WEF]: |[WE]\d{4} |WARNING |ERROR |CRITICAL |\[[^\]]*\] (?:WARN|ERROR) |` +
	`\S+ \S+ \[(?:warn|error|crit|alert|emerg)\] |Traceback |Exception ).*$`)
