package execcheck

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gantry/negotiate"
)

// Settings of the kind "exec".
type Settings struct {
	Command []string `yaml:"command" required:"true" min:"1" max:"64" doc:"Program with its arguments, started without a shell; the program by its absolute path. {host}, {port}, {server} and {service} in arguments are filled in. Exit code 0 is healthy, 1 degraded, 2 a failure, 3 counts neither way. The first line that it prints is shown."`
}

// Limits of Settings.Command.
const (
	MaxArguments = 64   // the program included
	MaxArgument  = 4096 // bytes of one
)

var _ negotiate.Settings = (*Settings)(nil)

// Validate reports a command that could not be started as it is meant. Whether the program exists is
// not asked: a plugin that somebody has removed is no reason to keep the gateway from starting.
func (s *Settings) Validate(report func(key, got, want string)) {
	if err := s.invalid(); err != nil {
		report("command", shown(s.Command), err.Error())
	}
}

// placeholder is a word in braces; those of another form, such as those of JSON, are left alone.
var placeholder = regexp.MustCompile(`\{[a-z_]+\}`)

var known = []string{"{host}", "{port}", "{server}", "{service}"}

// invalid says what would be right, nil if all is.
func (s *Settings) invalid() error {
	switch {
	case len(s.Command) == 0:
		return errors.New("write the program and its arguments as a list, such as [/usr/lib/nagios/plugins/check_tcp, -H, \"{host}\", -p, \"{port}\"]")
	case len(s.Command) > MaxArguments:
		return fmt.Errorf("write at most %d arguments", MaxArguments-1)
	case !filepath.IsAbs(s.Command[0]):
		return errors.New("write the program's absolute path, such as /usr/lib/nagios/plugins/check_tcp, and each argument as an element of the list")
	}
	for i, arg := range s.Command {
		if strings.ContainsRune(arg, 0) || len(arg) > MaxArgument {
			return fmt.Errorf("write arguments of at most %d bytes, without NUL", MaxArgument)
		}
		for _, word := range placeholder.FindAllString(arg, -1) {
			if i == 0 || !slices.Contains(known, word) {
				return errors.New("remove " + word + ": in arguments {host}, {port}, {server} and {service} are filled in; put anything else with braces into a script")
			}
		}
	}
	return nil
}

// shown is the command in a problem: arguments may hold passwords.
func shown(command []string) string {
	if len(command) == 0 {
		return "nothing"
	}
	text := strconv.Quote(command[0])
	if n := len(command) - 1; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// path is where the program itself looks for others.
const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// Prober builds the probe for one server.
func (s *Settings) Prober(t negotiate.Target) (negotiate.Prober, error) {
	if err := s.invalid(); err != nil {
		return nil, fmt.Errorf("command: %w", err)
	}
	port := strconv.Itoa(t.Port)
	fill := strings.NewReplacer("{host}", t.Host, "{port}", port, "{server}", t.Server, "{service}", t.Service)
	p := &probe{name: filepath.Base(s.Command[0]), path: s.Command[0]}
	for _, arg := range s.Command[1:] {
		p.args = append(p.args, fill.Replace(arg))
	}
	p.env = []string{"PATH=" + path, "LANG=C", "GANTRY_SERVICE=" + t.Service, "GANTRY_SERVER=" + t.Server,
		"GANTRY_HOST=" + t.Host, "GANTRY_PORT=" + port}
	return p, nil
}
