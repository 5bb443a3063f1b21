package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/gateway/admin"
)

func TestStatus(t *testing.T) {
	refused := newHospital()
	refused.status.Config.OK = false
	refused.status.Config.Problems = []admin.Problem{{File: "gantry.yaml", Line: 14, Col: 9, Path: "services[0].name",
		Message: "a second service has this name", Got: "HL7"}}
	inUse := newHospital()
	inUse.status.Config.OK = false
	inUse.status.Services = nil
	rude := newHospital()
	rude.status.Services[0].Servers[1].Checks[1].Message = "the peer says \"\x1b[2J\x07gone\nagain\""
	tests := []struct {
		name, golden string
		hospital     *site
		stage        *stage
	}{
		{"a file or pipe: no colours, nothing cut", "status.txt", newHospital(), newStage()},
		{"a wide terminal", "status-colours.txt", newHospital(), newStage().terminal(200, 50)},
		{"a refused reload stands first", "status-refused.txt", refused, newStage()},
		{"a peer's control characters do nothing", "status-rude.txt", rude, newStage()},
		{"a refused reload of a sound file, and no service", "status-in-use.txt", inUse, newStage()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, exitOK, tt.stage.run(t, "status", "--admin", tt.hospital.serve(t, "")), tt.stage.err.String())
			golden(t, tt.golden, tt.stage.out.String())
		})
	}
}

// TestStatusJSON: the gateway's answer as it is, whatever the output is. (gateway/admin holds its golden form.)
func TestStatusJSON(t *testing.T) {
	for _, s := range []*stage{newStage(), newStage().terminal(80, 24)} {
		h := newHospital()
		require.Equal(t, exitOK, s.run(t, "status", "--output", "json", "--admin", h.serve(t, "")))
		require.NotContains(t, s.out.String(), "\x1b")
		want, err := json.Marshal(h.status)
		require.NoError(t, err)
		want = bytes.ReplaceAll(want, []byte("null"), []byte("[]")) // no list is ever null
		require.JSONEq(t, string(want), s.out.String())
	}
}

func TestColours(t *testing.T) {
	tests := []struct {
		name     string
		env      map[string]string
		terminal bool
		want     bool
	}{
		{"a terminal", nil, true, true},
		{"a pipe", nil, false, false},
		{"NO_COLOR", map[string]string{"NO_COLOR": "1"}, true, false},
		{"a dumb terminal", map[string]string{"TERM": "dumb"}, true, false},
		{"NO_COLOR set to nothing counts as unset", map[string]string{"NO_COLOR": ""}, true, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage()
			if tt.terminal {
				s.terminal(200, 50)
			}
			s.getenv = func(key string) string { return tt.env[key] }
			require.Equal(t, exitOK, s.run(t, "status", "--admin", newHospital().serve(t, "")))
			require.Equal(t, tt.want, strings.Contains(s.out.String(), "\x1b["))
		})
	}
}

func TestStatusCutToWidth(t *testing.T) {
	for _, width := range []int{1, 10, 40, 80, 120} {
		text := statusTable{now: morning, width: width}.render(newHospital().status)
		for _, line := range strings.Split(text, "\n") {
			require.LessOrEqual(t, len([]rune(line)), width)
		}
	}
}

// TestStatusNarrow: why a server is down is to be read on a terminal of 80 columns, too.
func TestStatusNarrow(t *testing.T) {
	text := statusTable{now: morning, width: 80}.render(newHospital().status)
	require.Contains(t, text, "0B\n      dicom-echo: 10.12.1.111:104 refuses connections; is the archive running?\n  DICOM3")
	require.NotContains(t, text, "C-ECHO answered with success")
}

// watching runs --watch in a bubble: answer is asked for each frame, and the returned frames are what was written.
func watching(t *testing.T, s *stage, asJSON bool, answers ...any) (frames []string, err error) {
	arrived := make(chan os.Signal, 1)
	s.signals = func(...os.Signal) (<-chan os.Signal, func()) { return arrived, func() {} }
	asked := 0
	v := view{surroundings: &s.surroundings, json: asJSON}
	v.ask = func(context.Context) (admin.Status, error) {
		if asked > 0 {
			frames = append(frames, s.out.String())
			s.out.Reset()
		}
		if asked == len(answers)-1 {
			arrived <- os.Interrupt
		}
		answer := answers[asked]
		asked++
		if failed, ok := answer.(error); ok {
			return admin.Status{}, failed
		}
		return answer.(admin.Status), nil
	}
	err = v.watch(t.Context())
	return append(frames, s.out.String()), err
}

func TestWatch(t *testing.T) {
	one, two := newHospital().status, newHospital().status
	two.Version = "0.2.0"
	gone := errors.New("no gateway answers at URL: connection refused")

	t.Run("a terminal is drawn over", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			frames, err := watching(t, newStage().terminal(200, 50), false, one, gone, two)
			require.NoError(t, err)
			require.Len(t, frames, 3)
			require.True(t, strings.HasPrefix(frames[0], "\x1b[2J\x1b[H"), "the first frame clears the terminal")
			require.True(t, strings.HasPrefix(frames[1], "\x1b[H"), "the next ones draw over it")
			require.Equal(t, "\x1b[H"+gone.Error()+"\x1b[K\n\x1b[J", frames[1], "a gateway that went away is shown")
			require.Contains(t, frames[2], "gantry 0.2.0")
			require.Equal(t, 4*time.Second, time.Since(start), "one frame each two seconds")
		})
	})
	t.Run("a low terminal does not scroll", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			frames, err := watching(t, newStage().terminal(200, 8), false, one)
			require.NoError(t, err)
			require.Equal(t, 7, strings.Count(frames[0], "\n"))
			require.Contains(t, frames[0], "… 7 lines more; enlarge the terminal to see them")
		})
	})
	t.Run("a pipe gets one table after the other", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			frames, err := watching(t, newStage(), false, one, two)
			require.NoError(t, err)
			require.NotContains(t, frames[0]+frames[1], "\x1b")
			require.True(t, strings.HasPrefix(frames[1], "\ngantry 0.2.0"))
		})
	})
	t.Run("JSON lines", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			frames, err := watching(t, newStage(), true, one, gone, &admin.Error{Code: "not_ready", Message: "stopping"}, two)
			require.NoError(t, err)
			for i, want := range []string{`"version":"0.1.0"`, `{"error":{"code":"unreachable","message":"` + gone.Error() + `"}}`,
				`{"error":{"code":"not_ready","message":"stopping"}}`, `"version":"0.2.0"`} {
				require.Contains(t, frames[i], want)
				require.Equal(t, 1, strings.Count(frames[i], "\n"))
			}
		})
	})
	t.Run("no gateway at first is an error", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, err := watching(t, newStage(), false, gone, one)
			require.ErrorIs(t, err, gone)
		})
	})
}

func TestWatchInterruptedWhileAsking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage()
		arrived := make(chan os.Signal, 1)
		s.signals = func(...os.Signal) (<-chan os.Signal, func()) { return arrived, func() {} }
		v := view{surroundings: &s.surroundings, ask: func(ctx context.Context) (admin.Status, error) {
			arrived <- os.Interrupt
			<-ctx.Done() // a gateway that does not answer
			return admin.Status{}, ctx.Err()
		}}
		require.NoError(t, v.watch(t.Context()))
		require.Empty(t, s.out.String())
	})
}

func TestPhrases(t *testing.T) {
	sizes := map[int64]string{0: "0B", 999: "999B", 1000: "1.0KiB", 1536: "1.5KiB", 10 << 10: "10KiB", 999 << 10: "999KiB",
		1000 << 10: "1.0MiB", 1 << 30: "1.0GiB", 5 << 40: "5.0TiB", 1 << 50: "1.0PiB", 3 << 60: "3072PiB", 10189: "10KiB"}
	for n, want := range sizes {
		require.Equal(t, want, size(n))
	}
	ages := map[time.Duration]string{-time.Second: "0s", 999 * time.Millisecond: "0s", 59 * time.Second: "59s",
		61 * time.Second: "1m1s", time.Hour: "1h0m", 76 * time.Hour: "3d4h"}
	for d, want := range ages {
		require.Equal(t, want, age(d))
	}
	require.Equal(t, "5f2c77a09bd1", short("5f2c77a09bd1e4c6"))
	require.Equal(t, "", short(""))
	require.Equal(t, "Ünïcode·[31m·", printable("Ünïcode\x1b[31m\u202e"))
}

// failing is a standard output that cannot be written to.
type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestStatusThatCannotBeWritten(t *testing.T) {
	for _, form := range []string{"text", "json"} {
		s := newStage()
		s.surroundings.out = failing{}
		require.Equal(t, exitFailed, s.run(t, "status", "-o", form, "--admin", newHospital().serve(t, "")))
		require.Equal(t, "gantry: no space left on device\n", s.err.String())
	}
}
