//go:build !linux

package negotiate

import "net"

// quickAck does nothing where the system has no such option.
func quickAck(conn net.Conn) net.Conn { return conn }
