package mllpgate

import (
	"slices"

	"gantry/balancing"
)

// queue holds the messages of one key in the order in which they came, from whatever
// connection. Only the first may be on its way.
type queue struct {
	key      balancing.Key
	messages []*message
}

// order knows the queues of all keys that have messages.
type order struct {
	queues map[balancing.Key]*queue
	spare  []*queue
}

// maxSpareQueues bounds the queues that are kept for the next key.
const maxSpareQueues = 256

// join puts a message at the end of the queues of its keys, all at once: so no two messages can
// wait for each other.
func (o *order) join(m *message, keys []balancing.Key) {
	for _, k := range keys {
		q := o.queues[k]
		if q == nil {
			q = o.fresh(k)
		}
		q.messages = append(q.messages, m)
		m.queues = append(m.queues, q)
	}
}

func (o *order) fresh(k balancing.Key) *queue {
	var q *queue
	if n := len(o.spare); n > 0 {
		q, o.spare = o.spare[n-1], o.spare[:n-1]
	} else {
		q = &queue{}
	}
	if o.queues == nil {
		o.queues = map[balancing.Key]*queue{}
	}
	q.key, o.queues[k] = k, q
	return q
}

// leave takes a message out and calls next with those that may be first now.
func (o *order) leave(m *message, next func(*message)) {
	for _, q := range m.queues {
		was := q.messages[0] == m
		q.messages = drop(q.messages, m)
		switch {
		case len(q.messages) > 0 && was:
			next(q.messages[0])
		case len(q.messages) == 0:
			delete(o.queues, q.key)
			if len(o.spare) < maxSpareQueues {
				o.spare = append(o.spare, q)
			}
		}
	}
	clear(m.queues)
	m.queues = m.queues[:0]
}

// later moves a message that was not sent to the place that its number has now, and calls next with
// those that may be first instead.
func (o *order) later(m *message, next func(*message)) {
	for _, q := range m.queues {
		first := q.messages[0]
		q.messages = drop(q.messages, m)
		at := len(q.messages)
		for at > 0 && q.messages[at-1].number > m.number {
			at--
		}
		q.messages = slices.Insert(q.messages, at, m)
		if q.messages[0] != first {
			next(q.messages[0])
		}
	}
}
