package admin

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"gantry/negotiate/transcript"
)

// CheckHistory is what is remembered of one check of one server.
type CheckHistory struct {
	Name     string        `json:"name"`
	Type     string        `json:"type"`
	State    string        `json:"state"`    // up | degraded | down | checking
	Since    time.Time     `json:"since"`    // when State was entered
	Count    string        `json:"count"`    // contrary results in a row over those that turn the state: "1/3"
	Recent   []CheckResult `json:"recent"`   // the last results, oldest first
	Failures []CheckResult `json:"failures"` // the last failed and degraded ones, kept longer, oldest first
}

// CheckResult is one run of a check.
type CheckResult struct {
	Check      string      `json:"check"`
	Type       string      `json:"type"`
	Start      time.Time   `json:"start"`
	DurationMS float64     `json:"duration_ms"`
	Outcome    string      `json:"outcome"`           // passed | degraded | failed | excused | not-made
	State      string      `json:"state,omitempty"`   // the judgement after it; absent when nobody counted it
	Stages     []StageTime `json:"stages"`            // those that were reached, in order
	Stage      string      `json:"stage,omitempty"`   // what the message is about
	Reason     string      `json:"reason,omitempty"`  // from negotiate's closed set
	Peer       string      `json:"peer,omitempty"`    // what the server itself said
	Message    string      `json:"message"`           // one sentence for people
	Excused    string      `json:"excused,omitempty"` // why it was not counted, or not even made
	// Transcript is the conversation, patient fields masked; only where it was asked for.
	Transcript []transcript.Passage `json:"transcript,omitempty"`
}

// StageTime is how long one stage of a check took.
type StageTime struct {
	Stage string  `json:"stage"` // connect | tls | open | ask | close
	MS    float64 `json:"ms"`
}

// The outcomes of a check.
const (
	OutcomePassed   = "passed"
	OutcomeDegraded = "degraded" // answered, but not as it should be
	OutcomeFailed   = "failed"
	OutcomeExcused  = "excused"  // live traffic spoke for the server: not counted
	OutcomeNotMade  = "not-made" // this machine could not make it; says nothing about the server
)

type historyList struct {
	Checks []CheckHistory `json:"checks"`
}

func (l historyList) filled() historyList {
	l.Checks = filled(l.Checks)
	for i := range l.Checks {
		l.Checks[i].Recent, l.Checks[i].Failures = filledResults(l.Checks[i].Recent), filledResults(l.Checks[i].Failures)
	}
	return l
}

func filledResults(rs []CheckResult) []CheckResult {
	for i := range rs {
		rs[i].Stages = filled(rs[i].Stages)
	}
	return filled(rs)
}

func (a *api) history(w http.ResponseWriter, r *http.Request) {
	checks, err := a.control.History(r.PathValue("service"), r.PathValue("server"))
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusOK, historyList{checks}.filled())
}

// checkTimeout bounds one check that was asked for, the wait for its turn included; it is below writeTimeout. A check
// with a longer timeout of its own is cut.
const checkTimeout = 25 * time.Second

func (a *api) runCheck(w http.ResponseWriter, r *http.Request) {
	if err := noBody(w, r); err != nil {
		writeError(w, err)
		return
	}
	leave, ok := a.enterProbe(w)
	if !ok {
		return
	}
	defer leave()
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	res, err := a.control.CheckOnce(ctx, r.PathValue("service"), r.PathValue("server"), r.PathValue("check"),
		r.URL.Query().Get("transcript") == "true")
	if err != nil {
		writeError(w, late(err))
		return
	}
	res.Stages = filled(res.Stages)
	writeJSON(w, http.StatusOK, res)
}

// late says in words that the time was over before the check had its turn.
func late(err error) error {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return &Error{Status: http.StatusServiceUnavailable, Code: codeBusy,
			Message: "the check did not get its turn in time: other checks of the same server are running"}
	}
	return err
}

// History asks for what is remembered of the checks of a server.
func (c *Client) History(ctx context.Context, service, server string) ([]CheckHistory, error) {
	var l historyList
	err := c.call(ctx, http.MethodGet, serverPath(service, server)+"/checks", nil, &l)
	return l.Checks, err
}

// CheckOnce has a running gateway make one check of a server at once; it counts toward nothing.
func (c *Client) CheckOnce(ctx context.Context, service, server, check string, withTranscript bool) (CheckResult, error) {
	var r CheckResult
	path := serverPath(service, server) + "/checks/" + url.PathEscape(check) + "/run"
	if withTranscript {
		path += "?transcript=true"
	}
	return r, c.call(ctx, http.MethodPost, path, nil, &r)
}

func serverPath(service, server string) string {
	return "/api/v1/services/" + url.PathEscape(service) + "/servers/" + url.PathEscape(server)
}
