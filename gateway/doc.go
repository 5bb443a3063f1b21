// Package gateway is Gantry itself: it puts a configuration in force, carries
// sessions under it, and changes it without disturbing them.
//
//	gw, err := gateway.New(gateway.Options{ConfigFile: "gantry.yaml"})
//	err = gw.Start(ctx)      // binds, watches, serves; returns
//	_, err = gw.Reload(ctx)  // all of the new configuration or nothing of it
//	err = gw.Stop(ctx)       // drains until done, timeouts.drain, or ctx ends
//
// Three things live here, each longer than the one before:
//
//   - a session: one client connection, from accept to its log line;
//   - a service and its plan: one generation of the configuration, immutable.
//     Sessions keep the generation they began under;
//   - a backend and a vip: what a real server and a virtual service are across
//     generations: health, counters, persistence, limits.
//
// A reload makes a new plan over the same backends and vips, does everything
// that can fail, and then commits by swapping pointers.
package gateway
