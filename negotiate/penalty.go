package negotiate

import "time"

// Penalty is a time that doubles with each offence and is forgiven step by step: the measure for
// servers that flap, and for those that live traffic finds failing. It is a value; the zero value
// is a clean record.
type Penalty struct {
	steps int
	last  time.Time // the last offence, or the time up to which steps were forgiven
}

// maxSteps bounds the doubling: 2^30 times any first time is beyond every maximum.
const maxSteps = 30

// Offend returns the record with one offence more. Before it, one step is forgiven for each whole
// forgive since the last offence; forgive of 0 or less never forgives.
func (p Penalty) Offend(now time.Time, forgive time.Duration) Penalty {
	p = p.Forgiven(now, forgive)
	return Penalty{steps: min(p.steps+1, maxSteps), last: now}
}

// Forgiven returns the record as it stands at now.
func (p Penalty) Forgiven(now time.Time, forgive time.Duration) Penalty {
	if p.steps == 0 || forgive <= 0 {
		return p
	}
	gone := int(min(max(now.Sub(p.last), 0)/forgive, maxSteps))
	if gone >= p.steps {
		return Penalty{}
	}
	return Penalty{steps: p.steps - gone, last: p.last.Add(time.Duration(gone) * forgive)}
}

// Capped returns the record without the offences that Time, with the same arguments, does not
// count because it is at longest already: nobody has to be forgiven for them.
func (p Penalty) Capped(free int, first, longest time.Duration) Penalty {
	if first <= 0 {
		return p
	}
	most := max(free, 0) + 1
	for d := first; d < longest && most < maxSteps; d *= 2 {
		most++
	}
	p.steps = min(p.steps, most)
	return p
}

// Offences is the number of offences that are not forgiven.
func (p Penalty) Offences() int { return p.steps }

// Time is first for the first offence beyond those that are free, twice as much for each
// further one, and never more than longest; 0 when there is none.
func (p Penalty) Time(free int, first, longest time.Duration) time.Duration {
	n := p.steps - max(free, 0)
	if n <= 0 || first <= 0 {
		return 0
	}
	d := first
	for i := 1; i < n && d < longest; i++ {
		d *= 2
	}
	return min(d, max(longest, first))
}
