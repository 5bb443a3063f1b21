package main

import (
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// answering is a server on loopback that answers each connection with the same bytes, once it has heard something.
func answering(t *testing.T, answer string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = conn.Write([]byte(answer))
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}

// web is a server of pages: a handler for each path.
func web(t *testing.T, pages map[string]http.HandlerFunc) (url string) {
	t.Helper()
	mux := http.NewServeMux()
	for path, page := range pages {
		mux.HandleFunc(path, page)
	}
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

func page200(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("Viewer\n")) }

// slow200 takes at least 6 ms.
func slow200(w http.ResponseWriter, r *http.Request) {
	time.Sleep(6 * time.Millisecond)
	page200(w, r)
}

// nobody is an address where nothing listens.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// TestProbeExit: the exit code is the server's state.
func TestProbeExit(t *testing.T) {
	url := web(t, map[string]http.HandlerFunc{
		"/":     page200,
		"/slow": slow200,
		"/ill":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
	})
	address := strings.TrimPrefix(url, "http://")
	tests := []struct {
		name, args string
		code       int
		says       string
	}{
		{"healthy", "connect " + address, 0, "healthy: passed every stage in "},
		{"healthy page", "http " + url + "/", 0, "ask      "},
		{"flags in place of a URL", "http " + address + " --path / --expect-body Viewer", 0, "healthy: "},
		{"degraded", "http " + url + "/slow --max-latency 5ms", 1, " slow): answers correctly, but slowly: "},
		{"unhealthy", "http " + url + "/ill", 2, "the server said: 503 Service Unavailable"},
		{"another status is expected", "http " + url + "/ill --expect-status 200,503", 0, "healthy: "},
		{"refused", "dicom-echo " + nobody(t), 2, "unhealthy (connect, refused): nothing listens on "},
		{"another protocol", "dicom-echo " + answering(t, "220 hello\r\n"), 2, "unhealthy (open, malformed): "},
		{"no TLS there", "connect --tls " + address, 2, "unhealthy (tls, handshake): "},
		{"a program", "exec a:1 -- /bin/sh -c true", 0, "healthy: "},
		{"a program's warning", "exec a:1 -- /bin/sh -c exit${IFS}1", 1, "degraded (ask, bad-status): sh says warning"},
		{"no program there", "exec a:1 -- /nonexistent/check", 3, "not-made (ask, local): gantry could not check: "},
		{"the last flag counts", "connect --tls --tls=false " + address, 0, "healthy: "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage()
			require.Equal(t, tt.code, s.run(t, append([]string{"probe"}, strings.Fields(tt.args)...)...), s.out.String()+s.err.String())
			require.Contains(t, s.out.String(), tt.says)
			require.Empty(t, s.err.String())
		})
	}
}

// TestProbeUsage: bad usage is exit code 3, since 2 is a server's state.
func TestProbeUsage(t *testing.T) {
	tests := []struct{ name, args, want string }{
		{"no kind", "probe", `"gantry probe" needs one of its commands: connect, `},
		{"unknown kind", "probe dicomecho 1.2.3.4:104", `unknown command "dicomecho" for "gantry probe"; there is connect, `},
		{"no target", "probe connect", "TARGET is missing; write HOST:PORT"},
		{"two targets", "probe connect a:1 b:1", "one TARGET at a time, and no more; got a:1 b:1"},
		{"no port", "probe dicom-echo pacs", `"pacs" has no port; write HOST:PORT or [IPv6]:PORT; DICOM servers usually listen on 104 or 11112`},
		{"unknown flag", "probe connect a:1 --colour", "unknown flag: --colour"},
		{"flag of another kind", "probe connect a:1 --called-ae X", "unknown flag: --called-ae"},
		{"a word", "probe http a:1 --method POST", `--method: not an accepted word (got "POST"); accepted: GET, HEAD`},
		{"a time", "probe connect a:1 --timeout 5", `--timeout: unit is missing (got "5"); write 5s for seconds`},
		{"latency beyond the timeout", "probe connect a:1 --max-latency 6s", "--max-latency: not below timeout"},
		{"no such file", "probe connect a:1 --ca-file nowhere.pem", `--ca-file: cannot read the file: no such file or directory (got "nowhere.pem")`},
		{"half a client certificate", "probe connect a:1 --key-file k.pem", `--key-file: cert_file is missing (got "k.pem")`},
		{"an element of a list", "probe http a:1 --expect-status 200,ok", `--expect-status: wrong type (got "ok"); write a whole number`},
		{"a pair", "probe http a:1 --headers X", `invalid argument "X" for "--headers" flag: write NAME=VALUE`},
		{"a header", "probe http a:1 --headers Host=b", `--headers: not usable (got "Host"); remove it: use the key host`},
		{"said twice", "probe http http://a:1/b --path /c", "--path and a URL: say it once"},
		{"contradiction", "probe connect a:1 --tls=false --server-name b", "--tls=false and --server-name contradict each other"},
		{"too many", "probe connect a:1 --count -1", "--count: -1 is out of range; 0 to 1000000"},
		{"too often", "probe connect a:1 --count 5 --interval 1ms", "--interval: 1ms is too short; at least 100ms"},
		{"no program", "probe exec a:1", "the program is missing; write it behind --, by its absolute path\n"},
		{"two programs", "probe exec a:1 --command /bin/true -- /bin/false", "write the program either behind -- or with --command"},
		{"no TLS for programs", "probe exec a:1 --tls -- /bin/true", "--tls: a program connects by itself"},
		{"form", "probe connect a:1 -o xml", `invalid argument "xml" for "-o, --output" flag: use text or json`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage()
			require.Equal(t, probeNotMade, s.run(t, strings.Fields(tt.args)...))
			require.True(t, strings.HasPrefix(s.err.String(), "gantry: "+tt.want), s.err.String())
			require.Contains(t, s.err.String(), "\nTry 'gantry probe")
			require.Empty(t, s.out.String())
		})
	}
	s := newStage() // all of them at once, each on a line of its own
	require.Equal(t, probeNotMade, s.run(t, "probe", "http", "a:1", "--method", "PUT", "--timeout", "5", "--expect-status", "x"))
	require.Len(t, strings.Split(s.err.String(), "\n"), 5)
}

// full is a disk that takes nothing more.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// TestProbeWithoutOutput: what went wrong here is no verdict on the server.
func TestProbeWithoutOutput(t *testing.T) {
	s := newStage()
	s.surroundings.out = full{}
	require.Equal(t, probeNotMade, s.run(t, "probe", "exec", "a:1", "--", "/bin/true"))
	require.Contains(t, s.err.String(), "no space left on device")
}
