package main

import (
	"encoding/csv"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gantry/gateway/config"
)

// Bounds of repeated probes.
const (
	maxProbes        = 1_000_000
	minProbeInterval = 100 * time.Millisecond
)

// probeFlags are the flags that all kinds share.
type probeFlags struct {
	keys     *keyFlags // the common keys of checks, those of the block tls included
	output   *words
	verbose  *int
	count    *int
	interval *time.Duration

	groups []flagGroup
}

// flagGroup is a part of --help.
type flagGroup struct {
	title string
	set   *pflag.FlagSet
}

// addProbeFlags adds the shared flags to the parent of all kinds.
func addProbeFlags(cmd *cobra.Command) *probeFlags {
	f := &probeFlags{keys: newKeyFlags()}
	common, secure, own := newFlagSet(), newFlagSet(), newFlagSet()
	var rest []config.CheckKey
	for _, k := range config.CommonKeys() {
		if strings.HasPrefix(k.Key, "tls.") {
			rest = append(rest, k)
		} else {
			f.keys.add(common, k)
		}
	}
	f.keys.add(secure, config.CheckKey{Key: "tls", Switch: true})
	for _, k := range rest {
		f.keys.add(secure, k)
	}
	f.count = own.IntP("count", "n", 1, "Repeat the check this often and sum up; 0 = until interrupted.")
	f.interval = own.DurationP("interval", "i", time.Second, "With --count: time from the start of one run to the start of the next, at least 100ms.")
	f.verbose = own.CountP("verbose", "v", "Show the conversation, long messages shortened; twice: in full.")
	f.output = &words{value: "text", allowed: []string{"text", "json"}}
	own.VarP(f.output, "output", "o", "Form of the output: text or json.")
	f.groups = []flagGroup{{"Flags of all checks", common}, {"TLS", secure}, {"Output", own}}
	for _, g := range f.groups {
		cmd.PersistentFlags().AddFlagSet(g.set)
	}
	cmd.PersistentFlags().SortFlags = false
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(f.output.allowed, cobra.ShellCompDirectiveNoFileComp))
	return f
}

// validate finds what is wrong with the flags that are no keys of a check.
func (f *probeFlags) validate() error {
	switch {
	case *f.count < 0 || *f.count > maxProbes:
		return badUsage("--count: %d is out of range; 0 to %d", *f.count, maxProbes)
	case f.contradiction() != "":
		return badUsage("--tls=false and --%s contradict each other", f.contradiction())
	case *f.interval < minProbeInterval:
		return badUsage("--interval: %s is too short; at least %s, a server has other work to do", *f.interval, minProbeInterval)
	}
	return nil
}

// contradiction is a flag that wants TLS while --tls=false does not; empty when there is none.
func (f *probeFlags) contradiction() string {
	if f.keys.byKey["tls"].String() != "false" {
		return ""
	}
	for name, key := range f.keys.byFlag {
		if strings.HasPrefix(key, "tls.") && f.keys.byKey[key].set {
			return name
		}
	}
	return ""
}

func newFlagSet() *pflag.FlagSet {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.SortFlags = false
	return set
}

// keyFlags are flags made from keys of a check, by key.
type keyFlags struct {
	byKey  map[string]*keyFlag
	byFlag map[string]string // name of the flag -> key
}

func newKeyFlags() *keyFlags {
	return &keyFlags{map[string]*keyFlag{}, map[string]string{}}
}

// addKeyFlags makes a flag for each key.
func addKeyFlags(set *pflag.FlagSet, keys []config.CheckKey) *keyFlags {
	set.SortFlags = false
	f := newKeyFlags()
	for _, k := range keys {
		f.add(set, k)
	}
	return f
}

// add makes the flag of a key, and for what is true by default a second one that says no.
func (f *keyFlags) add(set *pflag.FlagSet, k config.CheckKey) {
	flag, name := &keyFlag{key: k}, flagName(k.Key)
	f.byKey[k.Key], f.byFlag[name] = flag, k.Key
	added := set.VarPF(flag, name, "", usageOf(k))
	if !k.Switch {
		return
	}
	added.NoOptDefVal = "true"
	if k.Default == "true" {
		set.VarPF(&noFlag{flag}, "no-"+name, "", fmt.Sprintf("The same as --%s=false.", name)).NoOptDefVal = "true"
	}
}

// flagName is the name of a key as a flag: called_ae is called-ae, tls.ca_file is ca-file.
func flagName(key string) string {
	name := strings.TrimPrefix(key, "tls.")
	return strings.NewReplacer("_", "-", ".", "-").Replace(name)
}

// flagDocs are sentences for keys that mean a little less, or something more, to a single run than in a file.
var flagDocs = map[string]string{
	"timeout":         "For the whole check, from connecting to closing. Absent = 5s.",
	"max_latency":     "A healthy answer that takes longer, from connecting on, is degraded. Less than the timeout. Absent = none.",
	"tls":             "The check speaks TLS. Any flag about certificates and versions of TLS turns it on as well.",
	"tls.verify":      "Whether the certificate must be valid: signed by a known authority, in its time, for this name. With --fingerprint: false, unless given.",
	"tls.cert_file":   "PEM file of the certificate to show to servers that ask for one, its chain behind it.",
	"tls.key_file":    "PEM file of its private key, without passphrase.",
	"tls.fingerprint": "The server must show exactly this certificate: its SHA-256, in hexadecimal with or without colons. It takes the place of authority, name and time; give --verify to have those checked as well.",
	"called_ae":       "AE title that the check asks for. Absent: ANY-SCP.",
}

// usageOf is the key's sentence, and the words it takes.
func usageOf(k config.CheckKey) string {
	doc := k.Doc
	if d := flagDocs[k.Key]; d != "" {
		doc = d
	}
	doc = strings.ReplaceAll(doc, "`", "")
	if k.Words != nil && !k.Switch {
		doc += " One of " + strings.Join(k.Words, ", ") + "."
	}
	return doc
}

// given returns the values of all flags that were set, by key.
func (f *keyFlags) given(into map[string][]string) {
	for key, flag := range f.byKey {
		if flag.set {
			into[key] = flag.values
		}
	}
	// The switch tls is a block: its values say nothing, and --tls=false means no block.
	if flag := f.byKey["tls"]; flag != nil && flag.set {
		delete(into, "tls")
		if flag.values[0] == "true" {
			into["tls"] = nil
		}
	}
}

// keyFlag is the value of a flag that stands for a key. It keeps text; what the text may be, the configuration judges.
type keyFlag struct {
	key    config.CheckKey
	values []string
	set    bool
}

func (f *keyFlag) String() string {
	if f.set {
		return strings.Join(f.values, ",")
	}
	return f.key.Default
}

// Type is what --help shows as the flag's argument.
func (f *keyFlag) Type() string {
	switch {
	case f.key.Switch:
		return "bool"
	case f.key.Pairs:
		return "NAME=VALUE"
	case f.key.Words != nil && f.key.List:
		return "WORD,..."
	case f.key.Words != nil:
		return "WORD"
	case f.key.List:
		return strings.ToUpper(f.key.Value) + ",..."
	}
	return strings.ToUpper(f.key.Value)
}

// Set takes a value; those of lists and mappings add up.
func (f *keyFlag) Set(text string) error {
	first := !f.set
	f.set = true
	switch {
	case f.key.Pairs:
		if name, _, ok := strings.Cut(text, "="); !ok || name == "" {
			return fmt.Errorf("write NAME=VALUE")
		}
		f.values = append(f.values, text)
	case f.key.List:
		if first {
			f.values = []string{}
		}
		parts, err := csv.NewReader(strings.NewReader(text)).Read()
		if err != nil {
			return fmt.Errorf("values are parted by commas; quote one that has a comma or a quote in it")
		}
		f.values = append(f.values, parts...)
	case f.key.Switch && text != "true" && text != "false":
		return fmt.Errorf("write true or false")
	default:
		f.values = []string{text}
	}
	return nil
}

// noFlag is a switch the other way round.
type noFlag struct{ of *keyFlag }

func (*noFlag) String() string { return "" }

func (*noFlag) Type() string { return "bool" }

func (f *noFlag) Set(text string) error {
	switch text {
	case "true":
		return f.of.Set("false")
	case "false":
		return f.of.Set("true")
	}
	return fmt.Errorf("write true or false")
}

// flagOf is the flag of the key that a problem's path names: tls.ca_file, expect_status[0], headers.Host.
func flagOf(path string) string {
	path = strings.TrimPrefix(path, "tls.")
	if i := strings.IndexAny(path, "[."); i > 0 {
		path = path[:i]
	}
	return flagName(path)
}
