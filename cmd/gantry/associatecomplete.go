package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"gantry/negotiate/dicomassociate"
	"gantry/protocols/dicom"
)

// profileNames are those that --profile takes.
func profileNames() []string {
	var names []string
	for _, p := range dicomassociate.Profiles() {
		names = append(names, p.Name)
	}
	return names
}

// complete offers names to the shell, the last of several that are parted by commas.
func (f *associateFlags) complete(cmd *cobra.Command) {
	var profiles, classes, syntaxes []string
	for _, p := range dicomassociate.Profiles() {
		profiles = append(profiles, p.Name+"\t"+p.About)
	}
	for _, u := range dicom.SOPClasses() {
		classes = append(classes, u.Name)
	}
	for _, u := range dicom.TransferSyntaxes() {
		syntaxes = append(syntaxes, u.Name)
	}
	offered := map[string][]string{"profile": profiles, "sop-class": classes, "transfer-syntax": syntaxes, "role": {"scu", "scp", "both"}, "output": f.output.allowed}
	for flag, words := range offered {
		_ = cmd.RegisterFlagCompletionFunc(flag, completeList(words))
	}
}

// completeList completes what stands behind the last comma; the case of letters does not matter.
func completeList(words []string) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		at := strings.LastIndexByte(begun, ',') + 1
		var fit []string
		for _, w := range words {
			if strings.HasPrefix(strings.ToLower(w), strings.ToLower(begun[at:])) {
				fit = append(fit, begun[:at]+w)
			}
		}
		return fit, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
}

// listProfiles shows what profiles propose: all of them in a line each, or those that were named in full.
func listProfiles(s *surroundings, f *associateFlags) error {
	if len(*f.profiles) > 0 {
		chosen, err := f.chosen()
		if err != nil {
			return err
		}
		for i, p := range chosen {
			if err := writeText(s.out, strings.Repeat("\n", min(i, 1))+profileText(p, s.coloured())); err != nil {
				return err
			}
		}
		return nil
	}
	g := &grid{columns: []column{{head: "PROFILE"}, {head: "SOP CLASSES", right: true}, {head: "PAIRS", right: true}, {head: ""}}}
	for _, p := range dicomassociate.Profiles() {
		pairs := p.Pairs()
		classes := dicomassociate.Result{Pairs: unasked(pairs)}.Classes()
		g.add(plainCell(p.Name), plainCell(fmt.Sprint(len(classes))), plainCell(fmt.Sprint(len(pairs))), plainCell(p.About))
	}
	return writeText(s.out, g.text(s.coloured()))
}

func unasked(pairs []dicomassociate.Pair) []dicomassociate.PairResult {
	list := make([]dicomassociate.PairResult, len(pairs))
	for i, p := range pairs {
		list[i].Pair = p
	}
	return list
}

// profileText is one profile with the reasons of its parts.
func profileText(p dicomassociate.Profile, colours bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s, %s\n", cell{text: p.Name, colour: bold}.paint(colours), p.About, count(len(p.Pairs()), "pair"))
	for _, part := range p.Proposals {
		as := ""
		if part.SCP {
			as = " (as SCP)"
		}
		fmt.Fprintf(&b, "\n  %s%s\n", part.Why, as)
		writeNames(&b, "    ", uidNames(part.SOPClasses), ":")
		writeNames(&b, "      ", uidNames(part.TransferSyntaxes), "")
	}
	return b.String()
}

func uidNames(uids []string) []string {
	var list []string
	for _, u := range uids {
		list = append(list, printable(dicomassociate.Name(u)))
	}
	return list
}
