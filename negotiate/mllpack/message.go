package mllpack

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"

	"gantry/protocols/hl7"
)

// The two placeholders that are filled in anew for each check.
const (
	controlID = "{control_id}"
	timeStamp = "{time}"
)

// fill puts a new control id and the time into a message.
func fill(template, id string, now time.Time) string {
	return strings.NewReplacer(controlID, id, timeStamp, now.Format("20060102150405")).Replace(template)
}

// newID returns 20 letters and digits, the most that MSH-10 holds in all versions. 14 of them are
// random: no two checks share one, and no answer is right by chance. A digit is always among them, by
// which transcripts tell a control id from a name.
func newID() string {
	for {
		if random := rand.Text()[:14]; strings.ContainsAny(random, "234567") {
			return "GANTRY" + random
		}
	}
}

// names are the placeholders that stay the same for all checks.
func (s *Settings) names() []string {
	return []string{
		"{sending_application}", or(s.SendingApplication, DefaultSender), "{sending_facility}", or(s.SendingFacility, DefaultSender),
		"{receiving_application}", s.ReceivingApplication, "{receiving_facility}", s.ReceivingFacility,
		"{processing_id}", or(s.ProcessingID, DefaultProcessing), "{version}", or(s.Version, DefaultVersion),
	}
}

// builtIn is the message that no receiver can file: MSH alone, of a type that nobody defines.
func (s *Settings) builtIn() string {
	return strings.NewReplacer(s.names()...).Replace(`MSH|^~\&|{sending_application}|{sending_facility}|{receiving_application}|{receiving_facility}|` +
		timeStamp + `||` + or(s.MessageType, DefaultMessageType) + `|` + controlID + `|{processing_id}|{version}` + "\r")
}

// ownMessage is a message that the operator wrote.
type ownMessage struct {
	template string
	kind     string // message type and trigger event, for words
	twice    bool   // it asks for an accept and for an application acknowledgement
}

// own makes a template of the operator's file. Its errors never quote the file.
func (s *Settings) own() (ownMessage, error) {
	text, err := segments(s.Content)
	if err != nil {
		return ownMessage{}, err
	}
	text = strings.NewReplacer(s.names()...).Replace(text)
	header, err := hl7.DecodeHeader([]byte(text))
	if err != nil || header.Name() != "MSH" {
		return ownMessage{}, errors.New("it does not begin with an MSH segment")
	}
	if err := usable(header, text); err != nil {
		return ownMessage{}, err
	}
	head, rest, _ := strings.Cut(text, "\r")
	fields := strings.Split(head, string(header.Delimiters.Field))
	for len(fields) < hl7.ControlID {
		fields = append(fields, "")
	}
	fields[hl7.ControlID-1] = controlID
	return ownMessage{
		template: strings.Join(fields, string(header.Delimiters.Field)) + "\r" + rest,
		kind:     kindOf(header),
		twice:    header.Text(hl7.AcceptCondition) == "AL" && header.Text(hl7.ApplicationCondition) == "AL",
	}, nil
}

// kindRule is a message code with its trigger event.
var kindRule = regexp.MustCompile(`^[A-Z][A-Z0-9]{2}(\^[A-Z][A-Z0-9]{2})?$`)

// kindOf is the message type with its trigger event, if it looks like one.
func kindOf(header hl7.Segment) string {
	kind := header.Component(hl7.MessageType, 1)
	if trigger := header.Component(hl7.MessageType, 2); trigger != "" {
		kind += "^" + trigger
	}
	if !kindRule.MatchString(kind) {
		return "message"
	}
	return kind
}

// unknown are words in braces, which in MSH can only be meant as placeholders.
var unknown = regexp.MustCompile(`\{[a-z_]+\}`)

// usable finds what keeps a message from being one question with one answer.
func usable(header hl7.Segment, text string) error {
	for _, word := range unknown.FindAllString(string(header.Bytes()), -1) {
		if word != controlID && word != timeStamp {
			return errors.New("placeholder " + word + " in MSH is not known")
		}
	}
	_, isAck := header.Find([]byte(text), "MSA")
	switch kind := header.Component(hl7.MessageType, 1); {
	case header.Delimiters.Component == 0:
		return errors.New("MSH-2 has no encoding characters")
	case kind == "":
		return errors.New("MSH-9 is empty: it needs a message type")
	case isAck || kind == "ACK":
		return errors.New("it is an acknowledgement, which nobody answers")
	case header.Answer() == hl7.AnswerNone || header.Answer() == hl7.AnswerMaybe:
		return errors.New("MSH-15 and MSH-16 ask for no sure answer: leave both empty, or write AL")
	}
	more := -1
	for range header.All([]byte(text), "MSH") {
		more++
	}
	if more > 0 {
		return errors.New("it holds several messages")
	}
	return nil
}

// segments brings a file into the form of the wire: segments that end with CR, no byte order mark.
func segments(file []byte) (string, error) {
	file = bytes.TrimPrefix(file, []byte("\xEF\xBB\xBF"))
	switch {
	case len(bytes.TrimSpace(file)) == 0:
		return "", errors.New("it is empty")
	case len(file) > MaxMessage:
		return "", errTooLarge
	case bytes.IndexByte(file, 0) >= 0 || bytes.HasPrefix(file, []byte("\xFE\xFF")) || bytes.HasPrefix(file, []byte("\xFF\xFE")):
		return "", errors.New("it is in UTF-16 or binary, which MLLP cannot carry: save it as UTF-8 or in an 8-bit character set")
	case bytes.ContainsAny(file, "\x0b\x1c"):
		return "", errors.New("it holds the framing bytes 0B or 1C, which the check adds itself")
	}
	var b strings.Builder
	text := strings.ReplaceAll(strings.ReplaceAll(string(file), "\r\n", "\r"), "\n", "\r")
	for i, line := range strings.Split(text, "\r") {
		if line == "" {
			continue
		}
		if !segmentRule.MatchString(line) {
			return "", fmt.Errorf("line %d does not begin with the name of a segment", i+1)
		}
		b.WriteString(line)
		b.WriteByte('\r')
	}
	return b.String(), nil
}

// segmentRule is a segment's name and what may stand behind it.
var segmentRule = regexp.MustCompile(`^[A-Z][A-Z0-9]{2}($|[^A-Za-z0-9])`)

var errTooLarge = errors.New("file is larger than 1 MiB")

// readFile reads at most max bytes of a regular file; opening anything else might wait for ever.
func readFile(name string, max int64) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, max+1))
	if err == nil && int64(len(data)) > max {
		return nil, errTooLarge
	}
	return data, err
}

// cause is a file error without the path, which is shown anyway.
func cause(err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	return err.Error()
}
