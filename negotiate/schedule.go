package negotiate

import "time"

// The schedule is arithmetic alone: chance comes in as a number in [0, 1), time as an argument.

// AskedGap is the shortest time from the start of one check to the start of one that CheckNow
// asked for: a server in trouble gets one question a second from its monitor, not one for each
// failed connection.
const AskedGap = time.Second

// maxStart bounds the random delay before the first check, so that a start or a reload with
// thousands of servers is not one burst, and is still over soon.
const maxStart = time.Second

// minRest is the shortest pause between the end of a check and the next start, for checks
// that last as long as their interval.
const minRest = 250 * time.Millisecond

// tick is the grain of the schedule: checks begin on it, so that thousands of monitors wake the
// machine together some times a second and not each by itself. That is most of what an idle
// gateway costs. It is far below every interval that makes sense.
const tick = 50 * time.Millisecond

// onTick is the last tick that is not after t: a wait is only ever shortened.
func onTick(t time.Time) time.Time {
	return t.Add(-time.Duration(t.UnixNano() % int64(tick)))
}

// startDelay is the wait before the first check under new settings.
func startDelay(c Check, random float64) time.Duration {
	return scale(min(maxStart, intervalOf(c)), random)
}

// periodOf is the wait that the settings ask for in the present state.
func periodOf(c Check, h Health) time.Duration {
	period := intervalOf(c)
	switch {
	case h.Moving() && c.FastInterval > 0:
		period = min(period, c.FastInterval)
	case h.State() == Down && c.DownInterval > 0:
		period = c.DownInterval
	}
	return period
}

// spreadWait is the second wait of a monitor: anything up to a whole period, because all
// monitors made their first check within maxStart, and would march on in step otherwise.
func spreadWait(period time.Duration, random float64) time.Duration {
	return max(scale(period, random), min(minRest, period))
}

// nextWait is the wait after a check that took the given time, measured so that checks start
// one period apart. The jitter only shortens.
func nextWait(period time.Duration, jitter, random float64, took time.Duration) time.Duration {
	jitter = min(max(jitter, 0), 1)
	wait := period - scale(period, jitter*random)
	return max(wait-took, min(minRest, period))
}

func intervalOf(c Check) time.Duration {
	if c.Interval <= 0 {
		return DefaultInterval
	}
	return c.Interval
}

func scale(d time.Duration, by float64) time.Duration { return time.Duration(float64(d) * by) }

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
