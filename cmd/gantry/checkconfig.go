package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"gantry/gateway/config"
)

func newCheckConfig(s *surroundings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "check-config FILE…",
		Short: "Check configuration files and print every problem",
		Long: `Check configuration files without putting them in force. Every problem is one line on standard output,

    FILE:LINE:COL: path: what is wrong (got …); what is right

all of them, in the order of the file. References to files and to the environment are followed; nothing is bound,
dialled or resolved. Exit code 2 when any file has a problem.`,
		Example: `  gantry check-config /etc/gantry/gantry.yaml
  gantry check-config --output json site-a.yaml site-b.yaml`,
		Args: cobra.MinimumNArgs(1),
	}
	output := outputFlag(cmd)
	cmd.RunE = work(func(_ *cobra.Command, files []string) error {
		v := judge(files)
		if output.value == "json" {
			return errors.Join(printJSON(s.out, v), v.err())
		}
		v.print(s.out)
		return v.err()
	})
	return cmd
}

// verdict is the answer of check-config; its JSON form is for editors and pipelines.
type verdict struct {
	OK    bool          `json:"ok"`
	Files []fileVerdict `json:"files"` // in the order of the command line
}

type fileVerdict struct {
	File     string          `json:"file"`
	OK       bool            `json:"ok"`
	Services int             `json:"services"`
	Servers  int             `json:"servers"`
	Problems config.Problems `json:"problems"`
}

func judge(files []string) verdict {
	v := verdict{OK: true}
	for _, file := range files {
		f := judgeFile(file)
		v.OK = v.OK && f.OK
		v.Files = append(v.Files, f)
	}
	return v
}

func judgeFile(file string) fileVerdict {
	v := fileVerdict{File: file, Problems: config.Problems{}}
	c, _, err := config.Load(file)
	switch {
	case errors.As(err, &v.Problems):
	case err != nil:
		v.Problems = config.Problems{{File: file, Message: err.Error()}}
	default:
		v.OK, v.Services = true, len(c.Services)
		for _, s := range c.Services {
			v.Servers += len(s.Servers)
		}
	}
	return v
}

func (v verdict) print(w io.Writer) {
	for _, f := range v.Files {
		for _, p := range f.Problems {
			fmt.Fprintln(w, p)
		}
		if f.OK {
			fmt.Fprintf(w, "%s: ok (%s, %s)\n", f.File, count(f.Services, "service"), count(f.Servers, "server"))
		}
	}
}

func (v verdict) err() error {
	if v.OK {
		return nil
	}
	return saidError{exitUsage}
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
