package execcheck

import (
	"os"
	"strings"
	"time"

	"gantry/negotiate"
)

// MaxOutput bounds what is kept of each of the program's two outputs, in bytes; the rest is read and
// thrown away, so that no program waits for a reader.
const MaxOutput = 4 << 10

// catcher reads one output of a program.
type catcher struct {
	r, w *os.File
	kept []byte
	done chan struct{} // closed when nothing more is read; kept may be looked at then
}

func newCatcher() (*catcher, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	return &catcher{r: r, w: w}, nil
}

// started is called when the program has its end of the pipe, or will never have it.
func (c *catcher) started() {
	_ = c.w.Close()
	c.done = make(chan struct{})
	go c.read()
}

func (c *catcher) read() {
	defer close(c.done)
	b := make([]byte, MaxOutput)
	for {
		n, err := c.r.Read(b)
		c.kept = append(c.kept, b[:min(n, MaxOutput-len(c.kept))]...)
		if err != nil {
			return
		}
	}
}

// text is what was printed, once the program has ended.
func (c *catcher) text() string {
	_ = c.r.SetReadDeadline(time.Now().Add(OutputWait))
	<-c.done
	return string(c.kept)
}

// close frees both ends and ends the reader; it may be called at any time.
func (c *catcher) close() {
	_ = c.w.Close()
	_ = c.r.Close()
	if c.done != nil {
		<-c.done
	}
}

// firstLine is what is shown of an output: its first line with anything in it, up to the mark behind
// which plugins print figures.
func firstLine(text string) string {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "|")
		if line = strings.TrimSpace(line); line != "" {
			return negotiate.PeerWords(line)
		}
	}
	return ""
}
