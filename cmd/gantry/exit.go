package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"gantry/gateway/admin"
	"gantry/gateway/config"
)

// The exit codes of every command of this file's program.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2 // bad usage or bad configuration; the systemd unit does not restart after it
)

// failure marks an error of a command's work, as opposed to those of its command line: cobra's own errors (an unknown
// flag, a missing argument) carry no mark and mean bad usage.
type failure struct{ error }

func (f failure) Unwrap() error { return f.error }

// usageError is a command line that cobra found sound but that cannot be meant.
type usageError struct{ message string }

func (u usageError) Error() string { return u.message }

// flagErrors is bad usage of several flags, a line each.
type flagErrors []string

func (f flagErrors) Error() string { return strings.Join(f, "\n") }

func badUsage(format string, args ...any) error { return usageError{fmt.Sprintf(format, args...)} }

// saidError ends a command that has already said everything.
type saidError struct{ code int }

func (saidError) Error() string { return "" }

// work wraps a command's body, so that its errors are told from cobra's.
func work(body func(cmd *cobra.Command, args []string) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		err := body(cmd, args)
		var usage usageError
		var flags flagErrors
		if err == nil || errors.As(err, &usage) || errors.As(err, &flags) {
			return err
		}
		return failure{err}
	}
}

// report says on standard error what went wrong and returns the exit code.
func (s *surroundings) report(cmd *cobra.Command, err error) int {
	var failed failure
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &failed):
		code := s.reportFailure(failed.error)
		if own, ok := ownCode(cmd); ok && !errors.As(err, new(saidError)) {
			return own // 1 and 2 are verdicts there
		}
		return code
	default:
		var flags flagErrors
		if !errors.As(err, &flags) {
			flags = flagErrors{oneLine(err.Error())}
		}
		for _, line := range flags {
			fmt.Fprintf(s.err, "gantry: %s\n", line)
		}
		fmt.Fprintf(s.err, "Try '%s --help'.\n", cmd.CommandPath())
		return usageCode(cmd)
	}
}

// usageCode is the exit code for bad usage of a command.
func usageCode(cmd *cobra.Command) int {
	if code, ok := ownCode(cmd); ok {
		return code
	}
	return exitUsage
}

// ownCode is the exit code of a command, for all but what it says itself, where it is not the usual one.
func ownCode(cmd *cobra.Command) (code int, ok bool) {
	for ; cmd != nil; cmd = cmd.Parent() {
		if code, err := strconv.Atoi(cmd.Annotations[usageExit]); err == nil {
			return code, true
		}
	}
	return 0, false
}

func (s *surroundings) reportFailure(err error) int {
	var said saidError
	var problems config.Problems
	var answer *admin.Error
	switch {
	case errors.As(err, &said):
		return said.code
	case errors.Is(err, context.Canceled): // a person's own interrupt needs no words
		return exitFailed
	case errors.As(err, &problems):
		for _, p := range problems {
			fmt.Fprintln(s.err, p)
		}
		return exitUsage
	case errors.As(err, &answer) && len(answer.Problems) > 0:
		for _, p := range answer.Problems {
			fmt.Fprintln(s.err, p)
		}
		fmt.Fprintf(s.err, "gantry: %s\n", answer.Message)
		return exitUsage
	default:
		fmt.Fprintf(s.err, "gantry: %s\n", err)
		return exitFailed
	}
}

// oneLine folds cobra's list of similar commands into the sentence: unknown command "statsu" for "gantry"; did you mean
// status?
func oneLine(text string) string {
	line, rest, _ := strings.Cut(text, "\n")
	_, similar, found := strings.Cut(rest, "Did you mean this?")
	if !found {
		return line
	}
	return line + "; did you mean " + strings.Join(strings.Fields(similar), " or ") + "?"
}
