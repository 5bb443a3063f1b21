package relay

// FD is the link's descriptor, -1 when it is closed.
func (k *Link) FD() int { return int(k.fd) }

// LinkTurn is how many bytes a link may deliver in a row.
const LinkTurn = linkTurn
