package mllpack

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gantry/negotiate"
	"gantry/protocols/hl7"
)

// Settings of the kind "mllp".
type Settings struct {
	Message              string   `yaml:"message" doc:"File with the HL7 message to send instead of the built-in one, which is of type ZHC^ZHC and has no patient. Read at load, at most 1 MiB; segments end with CR, LF or CR LF. MSH-10 is replaced by a new id for each check; {control_id}, {time}, {sending_application}, {sending_facility}, {receiving_application}, {receiving_facility}, {processing_id} and {version} are filled in. A receiver treats it like any other message: it files what the file says."`
	SendingApplication   string   `yaml:"sending_application" default:"GANTRY" max:"180" doc:"MSH-3. Receivers that take everything can filter the checks out by it."`
	SendingFacility      string   `yaml:"sending_facility" default:"GANTRY" max:"180" doc:"MSH-4."`
	ReceivingApplication string   `yaml:"receiving_application" max:"180" doc:"MSH-5. Some receivers acknowledge with an error when it is not their own name."`
	ReceivingFacility    string   `yaml:"receiving_facility" max:"180" doc:"MSH-6."`
	ProcessingID         string   `yaml:"processing_id" default:"T" enum:"D,N,P,T,V" doc:"MSH-11: T is training, P production, D debugging."`
	Version              string   `yaml:"version" default:"2.5.1" enum:"2.1,2.2,2.3,2.3.1,2.4,2.5,2.5.1,2.6,2.7,2.7.1,2.8,2.8.1,2.8.2,2.9" doc:"MSH-12."`
	MessageType          string   `yaml:"message_type" default:"ZHC^ZHC" doc:"MSH-9 of the built-in message: a type of the site's own, message code and trigger event each Z and two letters or digits. Other types need a message of your own: see message."`
	Expect               []string `yaml:"expect" enum:"AA,AE,AR,CA,CE,CR" min:"1" max:"6" doc:"Acknowledgement codes (MSA-1) of a healthy server, whatever error comes with them. Absent: AA and CA; and the others unless the receiver says that it is ill (error 206 or 207, or a text about database, queue or disk). With a message of your own, the others only with error 100 to 104 or 200 to 203."`
	ExpectError          []string `yaml:"expect_error" min:"1" max:"32" doc:"Error codes (ERR-3, in older versions ERR-1 or MSA-6) of a healthy server, such as 200. AE, AR, CE and CR then need one of them; and if expect lists some of those four, one of these too."`

	// Content is what was read from the file Message; nil = not read.
	Content []byte `yaml:"-"`

	unread error // why Content could not be read
}

// Values of absent settings.
const (
	DefaultSender      = "GANTRY"
	DefaultProcessing  = "T"
	DefaultVersion     = "2.5.1"
	DefaultMessageType = "ZHC^ZHC"
)

// MaxMessage bounds the file that Settings.Message names, in bytes.
const MaxMessage = 1 << 20

var _ negotiate.Settings = (*Settings)(nil)

// Load reads the file Message, if one is named, through read, which is given the name as it was
// written and the most bytes to return. What goes wrong is told by Validate. Without a call of Load
// the file is read when it is first needed, a relative name from the working directory on.
func (s *Settings) Load(read func(name string, max int64) ([]byte, error)) {
	if s.Message == "" {
		return
	}
	s.Content, s.unread = read(s.Message, MaxMessage)
	if s.unread == nil && s.Content == nil {
		s.Content = []byte{}
	}
}

// load reads the file unless that was done.
func (s *Settings) load() {
	if s.Content == nil && s.unread == nil {
		s.Load(readFile)
	}
}

// The forms of what is put into the built-in message: nothing may end its field.
var (
	nameRule = regexp.MustCompile(`^[ -[\]-{}]*$`) // printable ASCII without | \ ~
	typeRule = regexp.MustCompile(`^Z[A-Z0-9]{2}\^Z[A-Z0-9]{2}(\^Z[A-Z0-9]{2}(_Z[A-Z0-9]{2})?)?$`)
	codeRule = regexp.MustCompile(`^[0-9A-Za-z]{1,8}$`)
)

// Validate reports what would not be a message, what a receiver might take for a real one, and a
// file that is missing, too large or not an HL7 message.
func (s *Settings) Validate(report func(key, got, want string)) {
	s.validateHeader(report)
	for i, code := range s.Expect {
		if !slices.Contains(codes, code) {
			report(fmt.Sprintf("expect[%d]", i), strconv.Quote(code), "write "+strings.Join(codes[:5], ", ")+" or "+codes[5])
		}
	}
	for i, code := range s.ExpectError {
		if !codeRule.MatchString(code) {
			report(fmt.Sprintf("expect_error[%d]", i), strconv.Quote(code), "write a code of table 0357 such as 200, or the receiver's own: up to 8 letters and digits")
		}
	}
	if s.Message == "" {
		return
	}
	if s.MessageType != "" && s.MessageType != DefaultMessageType {
		report("message_type", strconv.Quote(s.MessageType), "remove it: the file named by message has a type of its own")
	}
	s.load()
	if s.unread != nil {
		report("message", strconv.Quote(s.Message), "name a readable file with one HL7 message of at most 1 MiB ("+cause(s.unread)+")")
	} else if _, err := s.own(); err != nil {
		report("message", strconv.Quote(s.Message), "name a file with one HL7 message ("+err.Error()+")")
	}
}

func (s *Settings) validateHeader(report func(key, got, want string)) {
	for _, f := range []struct{ key, value string }{
		{"sending_application", s.SendingApplication}, {"sending_facility", s.SendingFacility},
		{"receiving_application", s.ReceivingApplication}, {"receiving_facility", s.ReceivingFacility},
	} {
		if !nameRule.MatchString(f.value) {
			report(f.key, strconv.Quote(f.value), `write ASCII text without | \ and ~`)
		}
	}
	if !typeRule.MatchString(or(s.MessageType, DefaultMessageType)) {
		report("message_type", strconv.Quote(s.MessageType), "write a type of your own such as ZHC^ZHC, or write the message yourself and name its file with message: a receiver files types that it knows")
	}
	if !slices.Contains([]string{"", "D", "N", "P", "T", "V"}, s.ProcessingID) {
		report("processing_id", strconv.Quote(s.ProcessingID), "write T, or what the receiver wants: D, N, P or V")
	}
	if !versionRule.MatchString(s.Version) {
		report("version", strconv.Quote(s.Version), "write a version such as 2.5.1")
	}
}

var versionRule = regexp.MustCompile(`^(2\.[1-9](\.[1-9])?)?$`)

// codes are those of table 0008.
var codes = []string{hl7.ApplicationAccept, hl7.ApplicationError, hl7.ApplicationReject,
	hl7.CommitAccept, hl7.CommitError, hl7.CommitReject}

// Prober builds the probe for one server.
func (s *Settings) Prober(t negotiate.Target) (negotiate.Prober, error) {
	p := &probe{
		expect: slices.Clone(s.Expect), expectError: slices.Clone(s.ExpectError),
		kind: or(s.MessageType, DefaultMessageType), secure: t.Secure, server: or(t.Server, "the server"),
	}
	if s.Message == "" {
		if !typeRule.MatchString(p.kind) {
			return nil, fmt.Errorf("message_type: %q is not a type of the site's own", p.kind)
		}
		p.message = s.builtIn()
		return p, nil
	}
	s.load()
	if s.unread != nil {
		return nil, fmt.Errorf("message: %w", s.unread)
	}
	own, err := s.own()
	if err != nil {
		return nil, fmt.Errorf("message: %w", err)
	}
	p.message, p.own, p.kind = own.template, true, own.kind
	p.twice = own.twice
	return p, nil
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
