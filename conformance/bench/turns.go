package main

import (
	"runtime"
	"time"
)

// turnsInARow is how many turns one contender makes before the next has its go.
const turnsInARow = 200

// turns opens one association to each address and makes C-ECHO turns in them, one after the other and a
// few hundred each by turns, until each has had its time. What comes back is how long the turns took, by
// address.
func turns(addrs []string, each time.Duration) ([][]time.Duration, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var opened []*requestor
	defer func() {
		for _, r := range opened {
			_ = r.release()
		}
	}()
	for _, addr := range addrs {
		r, err := newRequestor(addr, hello())
		if err != nil {
			return nil, err
		}
		opened = append(opened, r)
	}
	took, turn := make([][]time.Duration, len(addrs)), echo()
	for start := time.Now(); time.Since(start) < each*time.Duration(len(addrs)); {
		for i, r := range opened {
			for range turnsInARow {
				begun := time.Now()
				if err := r.exchange(turn); err != nil {
					return nil, err
				}
				took[i] = append(took[i], time.Since(begun))
			}
		}
	}
	return took, nil
}
