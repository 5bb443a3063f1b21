package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"gantry/gateway/admin"
)

// watchInterval is how often --watch asks. Each question costs the gateway a walk over its servers, nothing more.
const watchInterval = 2 * time.Second

func newStatus(s *surroundings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the services and servers of a running gateway",
		Long: `Show the services and servers of a running gateway: state, weight, sessions, bytes, and the last check's result in a
sentence. IN is what clients sent to a server, OUT what it answered. With --watch the table is drawn anew every two
seconds until interrupted; with --output json as well, each answer is one line.`,
		Args: cobra.NoArgs,
	}
	flags := addGatewayFlags(cmd)
	output := outputFlag(cmd)
	watch := cmd.Flags().BoolP("watch", "w", false, "draw the table anew every 2 s until interrupted")
	cmd.RunE = work(func(cmd *cobra.Command, _ []string) error {
		c, err := flags.client()
		if err != nil {
			return err
		}
		defer c.Close()
		v := view{surroundings: s, ask: c.Status, json: output.value == "json"}
		if *watch {
			return v.watch(cmd.Context())
		}
		return v.once(cmd.Context())
	})
	return cmd
}

// view shows a gateway's status, once or again and again.
type view struct {
	*surroundings
	ask  func(context.Context) (admin.Status, error)
	json bool
}

func (v view) once(ctx context.Context) error {
	status, err := v.ask(ctx)
	if err != nil {
		return err
	}
	if v.json {
		return printJSON(v.out, status)
	}
	return v.print(v.out, status, 0)
}

// print writes the table with the present time and colours. width 0 cuts nothing.
func (v view) print(w io.Writer, status admin.Status, width int) error {
	t := statusTable{now: v.now(), colours: v.coloured(), width: width}
	_, err := io.WriteString(w, t.render(status))
	return err
}

// watch asks until it is interrupted, which is success. A gateway that does not answer at first is an error; one that
// stops answering later is shown as such, because that is what somebody is watching for.
func (v view) watch(ctx context.Context) error {
	arrived, release := v.signals(os.Interrupt, syscall.SIGTERM)
	defer release()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-arrived:
			cancel()
		case <-ctx.Done():
		}
	}()
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for first := true; ; first = false {
		if err := v.frame(ctx, first); err != nil {
			return v.interrupted(ctx, err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// interrupted turns errors that the person's own interrupt caused into success.
func (v view) interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// frame shows one answer.
func (v view) frame(ctx context.Context, first bool) error {
	status, err := v.ask(ctx)
	switch {
	case err != nil && (first || ctx.Err() != nil):
		return err
	case v.json:
		return v.jsonFrame(status, err)
	default:
		return v.textFrame(status, err, first)
	}
}

// jsonFrame writes one line an answer, and a line {"error": {…}} where there was none.
func (v view) jsonFrame(status admin.Status, failed error) error {
	enc := json.NewEncoder(v.out)
	enc.SetEscapeHTML(false)
	if failed == nil {
		return enc.Encode(status)
	}
	answer := &admin.Error{Code: "unreachable", Message: failed.Error()}
	errors.As(failed, &answer)
	return enc.Encode(map[string]*admin.Error{"error": answer})
}

// The terminal sequences of a frame: home, erase to the end of a line, erase what is below. Nothing is cleared as a
// whole, so nothing flickers.
const (
	toHome     = "\x1b[H"
	eraseLine  = "\x1b[K"
	eraseBelow = "\x1b[J"
	eraseAll   = "\x1b[2J"
)

// textFrame draws over the last frame on a terminal, cut to its size; into a pipe it writes one table after the other.
func (v view) textFrame(status admin.Status, failed error, first bool) error {
	columns, rows, terminal := v.size()
	var b strings.Builder
	if failed != nil {
		fmt.Fprintf(&b, "%s\n", failed)
	} else if err := v.print(&b, status, columns); err != nil {
		return err
	}
	text := b.String()
	if terminal {
		text = overdraw(text, rows, first)
	} else if !first {
		text = "\n" + text
	}
	_, err := io.WriteString(v.out, text)
	return err
}

// overdraw makes a frame of a text: at most rows lines, each erasing what the last frame left behind it.
func overdraw(text string, rows int, first bool) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if rows > 1 && len(lines) >= rows { // the last row stays free, or the terminal scrolls
		hidden := len(lines) - (rows - 2)
		lines = append(lines[:rows-2], fmt.Sprintf("… %s more; enlarge the terminal to see them", count(hidden, "line")))
	}
	start := toHome
	if first {
		start = eraseAll + toHome
	}
	return start + strings.Join(lines, eraseLine+"\n") + eraseLine + "\n" + eraseBelow
}
