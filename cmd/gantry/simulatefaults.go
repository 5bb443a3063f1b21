package main

import (
	"fmt"
	"strings"

	"gantry/fixtures/fault"
)

// usageColumn is where the explanations of faults begin in --help.
const usageColumn = 36

// faultList is a table of faults for --help: "  NAME[=VALUE]   what it does".
func faultList(entries []fault.Entry) string {
	var b strings.Builder
	for _, e := range entries {
		does := e.Does
		if e.Default != "" {
			does += " (" + e.Default + ")"
		}
		usage := "  " + e.Usage
		for line := range strings.SplitSeq(fold(does, helpWidth-usageColumn), "\n") {
			if len(usage) >= usageColumn {
				fmt.Fprintln(&b, usage)
				usage = ""
			}
			fmt.Fprintf(&b, "%-*s%s\n", usageColumn, usage, line)
			usage = ""
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// faultNames are for the completion of --fault.
func faultNames(entries []fault.Entry) (names []string) {
	for _, e := range entries {
		name := e.Name
		if strings.Contains(e.Usage, "=") && e.Default == "" {
			name += "="
		}
		names = append(names, name)
	}
	return names
}

// faultTable is the same table in Markdown, with the numbers of the failure gallery.
func faultTable(entries []fault.Entry) string {
	var b strings.Builder
	b.WriteString("| `--fault` | what the server does | without a value | gallery |\n|---|---|---|---|\n")
	for _, e := range entries {
		value := ""
		if e.Default != "" {
			value = "`" + e.Default + "`"
		}
		var numbers []string
		for _, n := range e.Gallery {
			numbers = append(numbers, fmt.Sprint(n))
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", e.Usage, e.Does, value, strings.Join(numbers, ", "))
	}
	return b.String()
}
