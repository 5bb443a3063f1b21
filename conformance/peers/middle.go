package peers

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// Middle is a proxy between clients and one TCP server: what Gantry is measured beside.
type Middle struct {
	*Process
	Addr string // where clients connect
}

// Timeouts of every middle are those of Gantry's defaults: connect 5 s, idle 1 h. Each gets as many
// threads or workers as the machine has processors and as many connections as its descriptors allow, and
// writes no log line for a connection.

// StartHAProxy starts HAProxy in TCP mode in front of server. With splice it is told to use splice(2)
// in both directions, always.
func StartHAProxy(ctx context.Context, dir, server string, splice bool) (*Middle, error) {
	addr, option := FreeAddr(), ""
	if splice {
		option = "option splice-request\n    option splice-response"
	}
	file := filepath.Join(dir, fmt.Sprintf("haproxy-%t.cfg", splice))
	config := fmt.Sprintf(`global
    nbthread %d
    maxconn %d
    maxpipes %d
defaults
    mode tcp
    timeout connect 5s
    timeout client 1h
    timeout server 1h
    %s
listen relay
    bind %s
    server one %s
`, runtime.NumCPU(), mostConnections(), maxPipes, option, addr, server)
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		return nil, err
	}
	p, err := Start(Command{Name: "haproxy", Path: Find("haproxy"), Args: []string{"-db", "-f", file}})
	if err != nil {
		return nil, err
	}
	return &Middle{p, addr}, untilReady(ctx, p, accepts(addr))
}

// maxPipes is more than the benchmark's few bulk connections use. Left to itself HAProxy reserves two
// descriptors for each fourth connection, and then refuses the last of the idle ones.
const maxPipes = 400

// mostConnections is what a middle can hold under our limit of open descriptors: two for each connection,
// some for pipes and for itself; 20,000 are enough for anyone here.
func mostConnections() int {
	var limit syscall.Rlimit
	_ = syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	return min(20000, max(100, (int(limit.Max)-2*maxPipes-200)/2))
}

// StartNginxStream starts nginx's stream proxy in front of server. Left to itself it ends a session as soon
// as one side has said its last word; it is told not to, as the others are not.
func StartNginxStream(ctx context.Context, dir, server string) (*Middle, error) {
	addr := FreeAddr()
	p, err := startNginx(dir, "nginx-stream", fmt.Sprintf(`load_module /usr/lib/nginx/modules/ngx_stream_module.so;
worker_processes %d;
events { worker_connections %d; }
stream {
    server {
        listen %s;
        proxy_connect_timeout 5s;
        proxy_timeout 1h;
        proxy_half_close on;
        proxy_pass %s;
    }
}
`, runtime.NumCPU(), 2*mostConnections(), addr, server))
	if err != nil {
		return nil, err
	}
	return &Middle{p, addr}, untilReady(ctx, p, accepts(addr))
}

// StartViewer starts nginx as an HTTPS server whose only page, /login, says who it is.
func StartViewer(ctx context.Context, dir, name, certFile, keyFile string) (*Middle, error) {
	addr := FreeAddr()
	p, err := startNginx(dir, name, fmt.Sprintf(`worker_processes 1;
events { worker_connections 256; }
http {
    access_log off;
    client_body_temp_path %[1]s/%[2]s-body; proxy_temp_path %[1]s/%[2]s-proxy;
    fastcgi_temp_path %[1]s/%[2]s-fcgi; uwsgi_temp_path %[1]s/%[2]s-uwsgi; scgi_temp_path %[1]s/%[2]s-scgi;
    server {
        listen %[3]s ssl;
        ssl_certificate %[4]s;
        ssl_certificate_key %[5]s;
        location = /login { default_type text/html; return 200 "<title>Viewer</title> served by %[2]s\n"; }
        location / { return 302 /login; }
    }
}
`, dir, name, addr, certFile, keyFile))
	if err != nil {
		return nil, err
	}
	return &Middle{p, addr}, untilReady(ctx, p, accepts(addr))
}

func startNginx(dir, name, config string) (*Process, error) {
	file := filepath.Join(dir, name+".conf")
	head := fmt.Sprintf("daemon off;\npid %s/%s.pid;\nerror_log stderr warn;\n", dir, name)
	if os.Getuid() == 0 {
		head += "user root;\n" // the folder of a test is closed to nginx's own user
	}
	if err := os.WriteFile(file, []byte(head+config), 0o644); err != nil {
		return nil, err
	}
	return Start(Command{Name: name, Path: Find("nginx"), Args: []string{"-p", dir, "-c", file},
		DeathSignal: syscall.SIGTERM})
}
