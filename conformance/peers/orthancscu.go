package peers

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strconv"
)

// What Orthanc does as a client of others, on order by its REST API.

// Knows tells the archive about another one: the name under which orders speak of it, its AE title, its address.
func (o *Orthanc) Knows(ctx context.Context, name, aet, addr string) error {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	return o.order(ctx, http.MethodPut, "/modalities/"+name, map[string]any{"AET": aet, "Host": host, "Port": port}, nil)
}

// EchoTo sends a C-ECHO to the other.
func (o *Orthanc) EchoTo(ctx context.Context, name string) error {
	return o.order(ctx, http.MethodPost, "/modalities/"+name+"/echo", map[string]any{}, nil)
}

// StoreTo sends every object that is here to the other in one association. A failure of one is an error.
func (o *Orthanc) StoreTo(ctx context.Context, name string) error {
	var instances []string
	if err := o.get(ctx, "/instances", &instances); err != nil {
		return err
	}
	return o.order(ctx, http.MethodPost, "/modalities/"+name+"/store",
		map[string]any{"Resources": instances, "Synchronous": true}, nil)
}

// MoveFrom finds a study on the other by C-FIND and lets the other send it by C-MOVE to an AE title. It returns
// how many studies were found.
func (o *Orthanc) MoveFrom(ctx context.Context, name, study, destination string) (int, error) {
	var query struct{ Path string }
	err := o.order(ctx, http.MethodPost, "/modalities/"+name+"/query",
		map[string]any{"Level": "Study", "Query": map[string]string{"StudyInstanceUID": study}}, &query)
	if err != nil {
		return 0, err
	}
	var answers []string
	if err := o.get(ctx, query.Path+"/answers", &answers); err != nil {
		return 0, err
	}
	return len(answers), o.order(ctx, http.MethodPost, query.Path+"/retrieve",
		map[string]any{"TargetAet": destination, "Synchronous": true}, nil)
}

func (o *Orthanc) order(ctx context.Context, method, path string, about, into any) error {
	body, err := json.Marshal(about)
	if err != nil {
		return err
	}
	return o.do(ctx, method, path, body, into)
}
