// Package admin is the gateway's window for people, scripts and monitoring: the HTTP API, the metrics endpoint, the
// two health pages, and the client that the commands use to talk to a running gateway.
//
// The package knows nothing of engines, pools or monitors. It asks a [Control], which the gateway implements, and turns
// the answers into JSON:
//
//	GET  /                                             a short index of what is here
//	GET  /api/v1/status                                [Status]
//	PUT  /api/v1/services/{service}/servers/{server}   [ServerChange] in, [ServerStatus] out
//	POST /api/v1/reload                                [Reloaded], or 422 with every [Problem]
//	GET  /api/v1/events                                {"events": [Event, …]}, newest first
//	GET  /metrics                                      Prometheus text
//	GET  /healthz                                      the process is alive
//	GET  /readyz                                       configuration loaded and listeners open
//
// Every error is {"error": {"code": "…", "message": "…"}} with the fitting HTTP status ([Error]).
//
// Nothing here carries patient data: names of services, servers and checks, counters, and sentences written by the
// gateway itself.
package admin
