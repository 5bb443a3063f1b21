package dicom

// Assembler puts the command sets of one direction of an association together
// from PDVs. It keeps command fragments only, at most MaxCommand bytes of them;
// data sets pass by. The zero value is ready for use.
type Assembler struct {
	fragments []byte
	context   byte
	open      bool // a command set has begun and not ended
}

// Add takes the next PDV and returns the command when this PDV completes one,
// otherwise nil. It fails when a command set changes its context half way, is
// interrupted by data or grows beyond MaxCommand, and with DecodeCommand's
// error. After an error the stream has no sense any more: abort.
func (a *Assembler) Add(p PDV) (*Command, error) {
	switch {
	case !p.Command && a.open:
		return nil, syntaxErrorf(0, "data set fragment inside a command set")
	case !p.Command:
		return nil, nil
	case a.open && p.ContextID != a.context:
		return nil, syntaxErrorf(0, "command set changes from context %d to %d", a.context, p.ContextID)
	case len(a.fragments)+len(p.Data) > MaxCommand:
		return nil, syntaxErrorf(0, "command set of more than %d bytes", MaxCommand)
	}
	a.context, a.open = p.ContextID, !p.Last
	if a.open {
		a.fragments = append(a.fragments, p.Data...)
		return nil, nil
	}
	whole := p.Data // the usual case: nothing to join, nothing to copy
	if len(a.fragments) > 0 {
		whole = append(a.fragments, p.Data...)
	}
	a.fragments = a.fragments[:0]
	return DecodeCommand(whole)
}
