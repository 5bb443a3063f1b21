package relay

import "net/netip"

// FD is the link's descriptor, -1 when it is closed.
func (k *Link) FD() int { return int(k.fd) }

// LinkTurn is how many bytes a link may deliver in a row.
const LinkTurn = linkTurn

// SelfConnected is selfConnected.
func SelfConnected(fd int, addr netip.AddrPort) bool { return selfConnected(fd, addr) }
