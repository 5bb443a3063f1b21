package config

import (
	"fmt"
	"net/netip"
)

// listener is an address of the file that something listens on.
type listener struct {
	addr netip.AddrPort
	path string
	at   place
}

// listeners finds addresses that overlap. 0.0.0.0 is every IPv4 address and [::] every address of both families (one
// socket serves both), so each overlaps all others of its port. It works without comparing every pair.
type listeners struct {
	d *decoder
	// byAddr holds the first listener of an address, byPort the first of any address of a port and family, wild the
	// first wildcard of a port and family.
	byAddr map[netip.AddrPort]listener
	byPort map[portFamily]listener
	wild   map[portFamily]listener
}

// portFamily is a port in one address family.
type portFamily struct {
	port uint16
	v6   bool
}

// newListeners begins with the admin address: a service must leave it free.
func newListeners(d *decoder, a Admin) *listeners {
	ls := &listeners{d, map[netip.AddrPort]listener{}, map[portFamily]listener{}, map[portFamily]listener{}}
	if addr, err := netip.ParseAddrPort(a.Listen); err == nil {
		ls.add(listener{addr, "admin.listen", d.places["admin.listen"]})
	}
	return ls
}

// addAll adds the addresses of a service, as far as they could be read.
func (ls *listeners) addAll(s *Service, path string) {
	for i, addr := range s.Listen {
		sub := fmt.Sprintf("%s.listen[%d]", path, i)
		if addr.IsValid() {
			ls.add(listener{addr, sub, ls.d.places[sub]})
		}
	}
}

// add notes a listener or reports what it overlaps. Port 0 never overlaps: the system chooses a free one.
func (ls *listeners) add(l listener) {
	if l.addr.Port() == 0 {
		return
	}
	if first, ok := ls.overlapped(l.addr); ok {
		ls.d.add(l.at, l.path, "address is used twice", l.addr.String(), ls.explain(l, first))
		return
	}
	ls.byAddr[l.addr] = l
	for _, k := range families(l.addr) {
		if _, ok := ls.byPort[k]; !ok {
			ls.byPort[k] = l
		}
		if l.addr.Addr().IsUnspecified() {
			ls.wild[k] = l
		}
	}
}

// overlapped finds an earlier listener that this address would collide with.
func (ls *listeners) overlapped(a netip.AddrPort) (listener, bool) {
	if first, ok := ls.byAddr[a]; ok {
		return first, true
	}
	for _, k := range families(a) {
		if first, ok := ls.wild[k]; ok {
			return first, true
		}
		if first, ok := ls.byPort[k]; ok && a.Addr().IsUnspecified() {
			return first, true
		}
	}
	return listener{}, false
}

// families are the address families in which a listener takes its port.
func families(a netip.AddrPort) []portFamily {
	own := portFamily{a.Port(), a.Addr().Is6()}
	if a.Addr().IsUnspecified() && a.Addr().Is6() {
		return []portFamily{own, {a.Port(), false}}
	}
	return []portFamily{own}
}

// explain says who listens there already, and what a wildcard stands for when one is the reason.
func (ls *listeners) explain(l, first listener) string {
	where := fmt.Sprintf("line %d", first.at.line)
	if first.at.line == 0 {
		where = first.path + " (its default)"
	}
	text := fmt.Sprintf("%s listens on %s", where, first.addr)
	for _, a := range []netip.AddrPort{first.addr, l.addr} {
		if a.Addr().IsUnspecified() && first.addr != l.addr {
			text += ", and " + everyAddress(a.Addr())
			break
		}
	}
	return text + "; use each address and port once"
}

// everyAddress is what a wildcard means.
func everyAddress(wildcard netip.Addr) string {
	if wildcard.Is4() {
		return "0.0.0.0 stands for every IPv4 address"
	}
	return "[::] stands for every address of both families"
}

// takes reports whether connections to this address reach one of the listeners.
func (ls *listeners) takes(a netip.AddrPort) (listener, bool) {
	if l, ok := ls.byAddr[a]; ok {
		return l, true
	}
	// A wildcard takes loopback for certain; whether another address is this machine's is not known here.
	for _, k := range families(a) {
		if l, ok := ls.wild[k]; ok && a.Addr().IsLoopback() {
			return l, true
		}
	}
	return listener{}, false
}

// loops refuses servers that are the gateway itself: a connection would go round until every descriptor is used up.
func (d *decoder) loops(s *Service, path string, ls *listeners) {
	for i := range s.Servers {
		server := &s.Servers[i]
		ip, err := netip.ParseAddr(server.Host)
		if err != nil {
			continue
		}
		for _, port := range server.portsOf(s) {
			if l, ok := ls.takes(netip.AddrPortFrom(ip, port)); ok {
				sub := fmt.Sprintf("%s.servers[%d]", path, i)
				d.add(d.near(sub, "address"), sub+".address", "the gateway itself listens here", quoted(server.Address),
					fmt.Sprintf("name the real server; %s listens on %s", l.path, l.addr))
				break
			}
		}
	}
}

// portsOf are the ports on which a server is dialled.
func (server *Server) portsOf(s *Service) []uint16 {
	if server.Port > 0 {
		return []uint16{uint16(server.Port)}
	}
	ports := make([]uint16, len(s.Listen))
	for i, l := range s.Listen {
		ports[i] = l.Port()
	}
	return ports
}
