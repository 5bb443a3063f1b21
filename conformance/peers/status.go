package peers

// Status is GET /api/v1/status, spelt from the public contract and not from the gateway's own types: a
// field that the gateway renames must fail here.
type Status struct {
	Version string `json:"version"`
	Config  struct {
		Hash     string `json:"hash"`
		OK       bool   `json:"ok"`
		Problems []any  `json:"problems"`
	} `json:"config"`
	Services []ServiceStatus `json:"services"`
}

// ServiceStatus is one virtual service.
type ServiceStatus struct {
	Name     string         `json:"name"`
	Protocol string         `json:"protocol"`
	Listen   []string       `json:"listen"`
	State    string         `json:"state"`
	Servers  []ServerStatus `json:"servers"`
}

// ServerStatus is one real server. Active and Total count connections, the others bytes.
type ServerStatus struct {
	Name     string        `json:"name"`
	Address  string        `json:"address"`
	State    string        `json:"state"`
	Admin    string        `json:"admin"`
	Weight   int           `json:"weight"`
	Active   int64         `json:"active"`
	Total    int64         `json:"total"`
	BytesIn  int64         `json:"bytes_in"`
	BytesOut int64         `json:"bytes_out"`
	Checks   []CheckStatus `json:"checks"`
}

// CheckStatus is one check of a server.
type CheckStatus struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	State   string `json:"state"`
	Stage   string `json:"stage"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// Server finds a server by its names; an unknown one is the zero value.
func (s Status) Server(service, server string) ServerStatus {
	for _, have := range s.Service(service).Servers {
		if have.Name == server {
			return have
		}
	}
	return ServerStatus{}
}

// Service finds a service by its name; an unknown one is the zero value.
func (s Status) Service(name string) ServiceStatus {
	for _, have := range s.Services {
		if have.Name == name {
			return have
		}
	}
	return ServiceStatus{}
}

// Active is the number of running sessions of the whole gateway.
func (s Status) Active() (n int64) {
	for _, service := range s.Services {
		for _, server := range service.Servers {
			n += server.Active
		}
	}
	return n
}
