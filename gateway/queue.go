package gateway

import (
	"slices"
	"sync"

	"gantry/balancing"
)

// queue is what a dicom service knows about places: who waits for one, first come
// first served, and how many associations each calling AE title has.
type queue struct {
	mu      sync.Mutex
	waiting []*association
	open    map[string]int // by calling AE title
}

// enter counts an association of that calling AE title in, unless it has most
// already; 0 is no bound.
func (q *queue) enter(title string, most int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open[title] >= most && most > 0 {
		return false
	}
	if q.open == nil {
		q.open = map[string]int{}
	}
	q.open[title]++
	return true
}

// leave undoes enter.
func (q *queue) leave(title string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.open[title]--; q.open[title] <= 0 {
		delete(q.open, title)
	}
}

// need is what an association waits for.
type need int

const (
	needTitle need = iota + 1 // that its calling AE title has fewer associations
	needPlace                 // on a server of its route
)

// rivals tells whether the other one waits for what this one needs.
func (a *association) rivals(other *association, what need) bool {
	return other.needs == what && (what == needTitle && other.title == a.title || what == needPlace && other.route == a.route)
}

// join puts an association at the end, unless most wait already; fresh tells that.
// One that is in keeps its place, whatever it needs now.
func (q *queue) join(a *association, what need, most int) (in, fresh bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	had := a.needs
	switch {
	case slices.Contains(q.waiting, a):
		a.needs = what
		if had != what {
			q.next(a, had)
		}
		return true, false
	case len(q.waiting) >= most:
		return false, false
	}
	q.waiting, a.needs = append(q.waiting, a), what
	return true, true
}

// quit takes an association out.
func (q *queue) quit(a *association) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if i := slices.Index(q.waiting, a); i >= 0 {
		q.waiting = slices.Delete(q.waiting, i, i+1)
		q.next(a, a.needs)
	}
}

// next has the one behind a look, that needed the same: of two places that became
// free at once a has taken one at most. Called with mu held.
func (q *queue) next(a *association, what need) {
	q.wake(func(w *association) bool { return w != a && a.rivals(w, what) })
}

// before tells whether somebody waits for what a needs and came earlier.
func (q *queue) before(a *association, what need) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, w := range q.waiting {
		if w == a {
			return false
		}
		if a.rivals(w, what) {
			return true
		}
	}
	return false
}

// freed wakes the first ones that a place on a server, and of a calling AE title,
// can help.
func (q *queue) freed(server *balancing.Server, title string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.wake(func(w *association) bool { return w.needs == needPlace && w.route.pool.Has(server) })
	q.wake(func(w *association) bool { return w.needs == needTitle && w.title == title })
}

func (q *queue) wake(which func(*association) bool) {
	if i := slices.IndexFunc(q.waiting, which); i >= 0 {
		q.waiting[i].flow.Wake()
	}
}

// length is how many wait.
func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}
