package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"syscall"
	"text/template"

	"gantry/fixtures/hospital"
	"gantry/fixtures/xds"
)

// demoChecks are the times of the checks, as they stand in the configuration.
type demoChecks struct {
	Interval, Timeout, Fast, SlowStart string
}

// demoConfig is what the configuration of a demonstration is made of.
type demoConfig struct {
	demoChecks
	Admin     string
	AdminBusy error // why Admin is not the address that was asked for
	AE        string
	Registry  string // path of its service
	Entrances hospital.Entrances
	Servers   map[string][]*hospital.Server // by service
}

// demoYAML is meant to be read by people who will write their own.
var demoYAML = template.Must(template.New("gantry.yaml").Funcs(template.FuncMap{"word": yamlWord}).Parse(
	`# The configuration of "gantry demo". It is valid for "gantry run --config FILE", and a start for your own.
admin: {listen: {{word .Admin}}}         # API and metrics

defaults:                               # for every service below
  on_down: close                        # sessions on a server that hangs end, so that their clients can try again
  slow_start: {{.SlowStart}}                        # a server that is back gets its share little by little
  persistence: {by: none}               # each connection is balanced anew; the usual source-ip would show less
  timeouts: {connect: 1s, drain: 5s}
  flapping: {hold: 0s}                  # these servers fail on purpose, again and again; the usual is to trust them less

services:
  - name: DICOM                         # modalities connect to either port
    protocol: dicom
    listen: [{{index .Entrances.DICOM 0}}, {{index .Entrances.DICOM 1}}]
    checks:                             # an association and a C-ECHO: what hangs does not pass
      - {type: dicom-echo, called_ae: {{.AE}}, calling_ae: GANTRY, {{template "times" .}}}
    servers:{{template "servers" .Servers.DICOM}}
  - name: HL7                           # each message finds a receiver, whatever connection it comes on
    protocol: mllp
    listen: [{{.Entrances.HL7}}]
    mllp: {routing: per-message, order_by: PID-3.1, ack_timeout: 5s}   # those of one patient go one after the other
    checks:                             # a message that no receiver files; its acknowledgement must name it
      - {type: mllp, {{template "times" .}}}
    servers:{{template "servers" .Servers.HL7}}
  - name: XDS                           # SOAP over HTTP
    protocol: tcp
    listen: [{{.Entrances.XDS}}]
    checks:                             # a stored query (ITI-18) for a document that nobody has; its answer is read
      - {type: xds-registry, path: {{.Registry}}, {{template "times" .}}}
    servers:{{template "servers" .Servers.XDS}}
  - name: VIEWER                        # TLS passes through untouched, up to the viewers' own certificates
    protocol: tcp
    listen: [{{.Entrances.Viewer}}]
    persistence: {by: source-ip, timeout: 10m}
    checks:                             # the login page, read to the word that proves it
      - {type: http, scheme: https, path: /login, expect_body: Viewer, tls: {verify: false}, {{template "times" .}}}
    servers:{{template "servers" .Servers.VIEWER}}
{{- define "times"}}interval: {{.Interval}}, timeout: {{.Timeout}}, fast_interval: {{.Fast}}, rise: 2, fall: 2{{end}}
{{- define "servers"}}{{range .}}
      - {name: {{.Name}}, address: {{.Addr}}}{{end}}
{{end}}`))

// yamlWord quotes an address of IPv6, whose brackets would begin a list.
func yamlWord(addr string) string {
	if strings.HasPrefix(addr, "[") {
		return strconv.Quote(addr)
	}
	return addr
}

// Ports that people know by heart, where they are free: a gateway's own, behind which anything may stand.
var demoPorts = map[string][]int{
	hospital.DICOM: {11112, 10104}, hospital.HL7: {2575}, hospital.XDS: {17035}, hospital.Viewer: {8443},
}

// newDemoConfig finds addresses for the gateway.
func newDemoConfig(h *hospital.Hospital, o demoOptions) (c demoConfig, err error) {
	c = demoConfig{demoChecks: o.checks, AE: hospital.ArchiveAE, Registry: xds.Registry.Path(),
		Servers: map[string][]*hospital.Server{}}
	for _, s := range h.Servers() {
		c.Servers[s.Service] = append(c.Servers[s.Service], s)
	}
	ports := demoPorts
	if o.anyPorts {
		ports = nil
	}
	free := func(service string) (addr string) {
		if err == nil {
			addr, err = h.Ports().Free(ports[service]...)
		}
		return addr
	}
	c.Entrances = hospital.Entrances{
		DICOM: []string{free(hospital.DICOM), free(hospital.DICOM)},
		HL7:   free(hospital.HL7), XDS: free(hospital.XDS), Viewer: free(hospital.Viewer),
	}
	c.Admin, c.AdminBusy = demoAdmin(o.admin)
	if c.AdminBusy != nil {
		c.Admin = free("")
	}
	return c, err
}

// demoAdmin is the wanted address as it can be listened on, or why it cannot.
func demoAdmin(wanted string) (string, error) {
	l, err := net.Listen("tcp", wanted)
	if err != nil {
		var plain syscall.Errno
		if errors.As(err, &plain) {
			err = plain
		}
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// notAt says why the admin address is not the one that was asked for; empty when it is.
func (c demoConfig) notAt(wanted string) string {
	if c.AdminBusy == nil {
		return ""
	}
	return fmt.Sprintf("not at %s: %s", wanted, c.AdminBusy)
}

// yaml writes the configuration.
func (c demoConfig) yaml() string {
	var b strings.Builder
	if err := demoYAML.Execute(&b, c); err != nil {
		panic(err) // the template and its data are both in this file
	}
	return b.String()
}
