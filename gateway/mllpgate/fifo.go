package mllpgate

// fifo is a queue that keeps its memory.
type fifo[T any] struct {
	items []T
	at    int // the first one
}

// maxFifo bounds the memory that is kept, in items.
const maxFifo = 1024

func (f *fifo[T]) push(item T) { f.items = append(f.items, item) }

// pop takes the first one out; ok is false when there is none.
func (f *fifo[T]) pop() (item T, ok bool) {
	if f.at == len(f.items) {
		return item, false
	}
	var none T
	item, f.items[f.at] = f.items[f.at], none
	if f.at++; f.at == len(f.items) {
		f.items, f.at = f.items[:0], 0
		if cap(f.items) > maxFifo {
			f.items = nil
		}
	}
	return item, true
}
