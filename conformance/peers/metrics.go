package peers

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Metric sums the samples of one Prometheus metric, over all that carry the given labels, each written as in
// the exposition: `stage="connect"`. None at all is 0.
func (g *Gantry) Metric(ctx context.Context, name string, labels ...string) (float64, error) {
	text, err := call(ctx, http.MethodGet, g.Admin+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	return sumSamples(text, name, labels)
}

func sumSamples(exposition []byte, name string, labels []string) (sum float64, err error) {
	for lines := bufio.NewScanner(bytes.NewReader(exposition)); lines.Scan(); {
		series, value, _ := strings.Cut(lines.Text(), " ")
		if closed := strings.LastIndexByte(lines.Text(), '}'); closed >= 0 { // labels may hold blanks
			series, value = lines.Text()[:closed+1], strings.TrimSpace(lines.Text()[closed+1:])
		}
		metric, have, _ := strings.Cut(series, "{")
		if metric != name || !containsAll(have, labels) {
			continue
		}
		v, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("sample %q: %w", lines.Text(), err)
		}
		sum += v
	}
	return sum, nil
}

func containsAll(s string, parts []string) bool {
	for _, p := range parts {
		if !strings.Contains(s, p) {
			return false
		}
	}
	return true
}

// CheckResult is one of the results that the gateway remembers.
type CheckResult struct {
	Check      string  `json:"check"`
	DurationMS float64 `json:"duration_ms"`
	Outcome    string  `json:"outcome"`
	Message    string  `json:"message"`
}

// Results are the last results of a server's checks, oldest first, check after check.
func (g *Gantry) Results(ctx context.Context, service, server string) ([]CheckResult, error) {
	var history struct {
		Checks []struct {
			Recent []CheckResult `json:"recent"`
		} `json:"checks"`
	}
	err := callJSON(ctx, http.MethodGet, g.Admin+"/api/v1/services/"+service+"/servers/"+server+"/checks", nil, &history)
	var all []CheckResult
	for _, c := range history.Checks {
		all = append(all, c.Recent...)
	}
	return all, err
}
