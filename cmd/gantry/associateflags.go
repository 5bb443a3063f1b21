package main

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"gantry/fixtures/fault"
	"gantry/gateway/config"
	"gantry/negotiate/dicomassociate"
	"gantry/protocols/dicom"
)

// Bounds of what is proposed.
const (
	leastPDU  = 1024
	mostPDU   = 16 << 20
	mostPause = time.Minute
)

// associateFlags are the flags of `gantry associate`.
type associateFlags struct {
	profiles, classes, syntaxes, roles *[]string
	async, compare, pdu                *string
	extended, keepGoing, list          *bool
	pause                              *time.Duration
	verbose                            *int
	output                             *words
	what, how                          *pflag.FlagSet
	keys                               *keyFlags // the AE titles, timeout, and the block tls: as in a check
}

// addAssociateFlags adds the flags in groups, which --help keeps.
func addAssociateFlags(s *surroundings, cmd *cobra.Command) *associateFlags {
	f := &associateFlags{keys: newKeyFlags()}
	what, how, secure, own := newFlagSet(), newFlagSet(), newFlagSet(), newFlagSet()
	f.what, f.how = what, how
	f.addWhat(what)
	f.addHow(how)
	f.keys.add(secure, config.CheckKey{Key: "tls", Switch: true})
	f.addKeys(secure, config.CommonKeys(), func(key string) bool { return strings.HasPrefix(key, "tls.") })
	f.verbose = own.CountP("verbose", "v", "Show the conversations, long messages shortened; twice: in full.")
	f.output = &words{value: "text", allowed: []string{"text", "json"}}
	own.VarP(f.output, "output", "o", "Form of the output: text or json.")
	groups := []flagGroup{{"What to propose", what}, {"How to ask", how}, {"TLS", secure}, {"Output", own}}
	for _, g := range groups {
		cmd.Flags().AddFlagSet(g.set)
	}
	cmd.Flags().SortFlags = false
	for name, usage := range map[string]string{
		"called-ae":  "AE title to ask for. Absent: ANY-SCP.",
		"calling-ae": "AE title to give itself: the modality's, where the server makes a difference.",
		"timeout":    "For each association, from connecting to closing. Absent = 5s.",
		"tls":        "Speak TLS. Any flag about certificates and versions of TLS turns it on as well.",
	} {
		cmd.Flags().Lookup(name).Usage = usage
	}
	cmd.SetUsageFunc(probeUsage(s, &probeFlags{groups: groups}))
	f.complete(cmd)
	return f
}

func (f *associateFlags) addWhat(set *pflag.FlagSet) {
	f.profiles = set.StringSlice("profile", nil, "What such a modality typically proposes; several are put together. One of "+strings.Join(profileNames(), ", ")+".")
	f.classes = set.StringSlice("sop-class", nil, "SOP class to propose, by keyword or UID; may be given several times.")
	f.syntaxes = set.StringSlice("transfer-syntax", nil, "Transfer syntax to propose each SOP class in, by keyword or UID; may be given several times.")
	f.roles = set.StringSlice("role", nil, "Role to ask for: scu, scp or both; for one SOP class alone as CLASS=ROLE. The profile qr, by itself, asks for scp of what C-GET brings.")
	f.extended = set.Bool("extended", true, "Ask query/retrieve classes by extended negotiation what they can do.")
	f.async = set.String("async", "", "Asynchronous operations `WINDOW` to propose: INVOKED or INVOKED/PERFORMED; 0 = unlimited.")
	f.pdu = set.String("max-pdu", "16KiB", "`SIZE` of the largest P-DATA-TF to receive, as announced, such as 16384 or 128KiB.")
	f.list = set.Bool("list", false, "Show what the profiles propose, and why; asks nobody.")
}

func (f *associateFlags) addHow(set *pflag.FlagSet) {
	f.addKeys(set, config.KindKeys("dicom-associate"), func(key string) bool { return strings.HasSuffix(key, "_ae") })
	f.compare = set.String("compare", "", "A second `TARGET` that is asked the same; only where they differ is shown.")
	f.addKeys(set, config.CommonKeys(), func(key string) bool { return key == "timeout" })
	f.pause = set.Duration("pause", 0, "Time to leave between two associations.")
	f.keepGoing = set.Bool("keep-going", false, "Go on behind an association that failed.")
}

func (f *associateFlags) addKeys(set *pflag.FlagSet, keys []config.CheckKey, wanted func(string) bool) {
	for _, k := range keys {
		if wanted(k.Key) {
			f.keys.add(set, k)
		}
	}
}

// validate finds what is wrong with the flags that are no keys of a check and no names.
func (f *associateFlags) validate() error {
	switch other := (&probeFlags{keys: f.keys}).contradiction(); {
	case other != "":
		return badUsage("--tls=false and --%s contradict each other", other)
	case f.unnamed() != "":
		return badUsage("--%s: a name is missing", f.unnamed())
	case f.maxPDU() < leastPDU || f.maxPDU() > mostPDU:
		return badUsage("--max-pdu: %q is not a size from 1KiB to 16MiB", printable(*f.pdu))
	case f.how.Changed("compare") && *f.compare == "":
		return badUsage("--compare: a second TARGET is missing; write HOST:PORT")
	case *f.pause < 0 || *f.pause > mostPause:
		return badUsage("--pause: %s is out of range; 0s to %s", *f.pause, mostPause)
	}
	return nil
}

// maxPDU is 0 when the flag has no size.
func (f *associateFlags) maxPDU() int64 {
	n, _ := fault.Size(*f.pdu)
	return n
}

// unnamed finds a list flag with an empty value: a variable of a script that is not set would otherwise ask for
// everything.
func (f *associateFlags) unnamed() string {
	for name, list := range map[string][]string{"profile": *f.profiles, "sop-class": *f.classes, "transfer-syntax": *f.syntaxes, "role": *f.roles} {
		if f.what.Changed(name) && (len(list) == 0 || slices.Contains(list, "")) {
			return name
		}
	}
	return ""
}

// question is what the flags propose.
func (f *associateFlags) question() (q dicomassociate.Question, err error) {
	if err := f.validate(); err != nil {
		return q, err
	}
	profiles, err := f.chosen()
	if err != nil {
		return q, err
	}
	var problems flagErrors
	syntaxes := uidsOf("--transfer-syntax", *f.syntaxes, dicomassociate.TransferSyntaxUID, &problems)
	classes := uidsOf("--sop-class", *f.classes, dicomassociate.SOPClassUID, &problems)
	if problems != nil {
		return q, problems
	}
	for _, p := range profiles {
		q.Pairs = append(q.Pairs, p.Pairs(syntaxes...)...)
		if len(profiles) == 1 {
			q.Roles = p.Roles() // a role holds for the whole association: others want to be SCU of the same classes
		}
	}
	if len(syntaxes) == 0 {
		syntaxes = []string{dicom.ImplicitVRLittleEndianUID, dicom.ExplicitVRLittleEndianUID}
	}
	q.Pairs = append(q.Pairs, dicomassociate.Product(classes, syntaxes)...)
	if len(q.Pairs) > dicomassociate.MaxPairs {
		return q, badUsage("%d pairs of SOP class and transfer syntax are too many; at most %d at a time", len(q.Pairs), dicomassociate.MaxPairs)
	}
	if *f.extended {
		q.Extended = dicomassociate.Extended(q.Pairs)
	}
	q.MaxPDU = uint32(f.maxPDU())
	if q.Async, err = parseAsync(*f.async); err != nil {
		return q, err
	}
	q.Roles, err = parseRoles(*f.roles, q)
	return q, err
}

// chosen are the profiles asked for; by itself, where no SOP class is named either, all modalities together.
func (f *associateFlags) chosen() ([]dicomassociate.Profile, error) {
	names := *f.profiles
	if len(names) == 0 && len(*f.classes) == 0 {
		names = slices.DeleteFunc(profileNames(), func(name string) bool { return name == dicomassociate.AllProfile })
	}
	var list []dicomassociate.Profile
	for _, name := range names {
		p, known := dicomassociate.LookupProfile(strings.ToLower(name))
		if !known {
			return nil, badUsage("--profile: there is no profile %q; there are %s", printable(name), strings.Join(profileNames(), ", "))
		}
		list = append(list, p)
	}
	return list, nil
}

func uidsOf(flag string, names []string, uid func(string) (string, error), problems *flagErrors) (list []string) {
	for _, name := range names {
		u, err := uid(name)
		if err != nil {
			*problems = append(*problems, flag+": "+err.Error())
		}
		list = append(list, u)
	}
	return list
}

// parseAsync reads INVOKED or INVOKED/PERFORMED; nothing is no window.
func parseAsync(text string) (*dicom.AsyncWindow, error) {
	if text == "" {
		return nil, nil
	}
	first, second, both := strings.Cut(text, "/")
	if !both {
		second = first
	}
	invoked, err1 := strconv.ParseUint(first, 10, 16)
	performed, err2 := strconv.ParseUint(second, 10, 16)
	if err1 != nil || err2 != nil {
		return nil, badUsage("--async: %q is not a window; write INVOKED or INVOKED/PERFORMED, numbers up to 65535", printable(text))
	}
	return &dicom.AsyncWindow{Invoked: uint16(invoked), Performed: uint16(performed)}, nil
}

// parseRoles reads ROLE, for all SOP classes, or CLASS=ROLE. They come before those of profiles.
func parseRoles(list []string, q dicomassociate.Question) ([]dicom.Role, error) {
	var named, general []dicom.Role
	for _, text := range list {
		class, role, single := strings.Cut(text, "=")
		if !single {
			role = class
		}
		r := dicom.Role{SCU: role != "scp", SCP: role != "scu"}
		if role != "scu" && role != "scp" && role != "both" {
			return nil, badUsage("--role: %q is not a role; write scu, scp or both, or CLASS=ROLE", printable(role))
		}
		if !single {
			for _, p := range q.Pairs {
				r.SOPClassUID = p.SOPClass
				general = append(general, r)
			}
			continue
		}
		uid, err := dicomassociate.SOPClassUID(class)
		if err != nil {
			return nil, badUsage("--role: %s", err)
		}
		if !slices.ContainsFunc(q.Pairs, func(p dicomassociate.Pair) bool { return p.SOPClass == uid }) {
			return nil, badUsage("--role: %s is not proposed; give --sop-class %s too", dicomassociate.Name(uid), dicomassociate.Name(uid))
		}
		r.SOPClassUID = uid
		named = append(named, r)
	}
	return slices.Concat(named, general, q.Roles), nil
}
