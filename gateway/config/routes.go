package config

import (
	"reflect"

	"gantry/gateway/dicomgate"
	"gantry/gateway/mllpgate"
	"gantry/protocols/dicom"
)

// Route says where the associations or messages go that match, or that they are rejected. One of Servers, CallingAE and
// a rejection is there at least, and the rejection stands alone. The keys `when` and `reject` mean another thing for each
// protocol; only the fields of the service's own are filled in.
type Route struct {
	When     dicomgate.Route `yaml:"when" protocol:"dicom" doc:"dicom: what a request must show, every key that is there, by one of its values. Absent = all requests."`
	Messages mllpgate.Rule   `yaml:"when" protocol:"mllp" doc:"mllp: what a message must show, every key that is there, by one of its values. Absent = all messages."`
	// Servers are names of the service's servers; none = all of them.
	Servers []string `yaml:"servers" format:"name" min:"1" max:"256" doc:"Names of the servers that these go to; with distribution: failover in this order. Absent = all servers."`
	// Reject is nil when the associations are served.
	Reject *dicom.Reject `yaml:"reject" protocol:"dicom" format:"reject" doc:"dicom: reject these associations, with this reason and its usual result, or with RESULT/SOURCE/REASON such as 2/1/1."`
	// Answer is nil when the messages are served.
	Answer    *mllpgate.Verdict `yaml:"reject" protocol:"mllp" format:"answer" doc:"mllp: answer these messages so, without a server: AR, AE, or with an error code of table 0357 such as AR-200. Who asks for an accept acknowledgement gets CR or CE. The connection of a batch is closed."`
	CallingAE string            `yaml:"calling_ae" protocol:"dicom" format:"ae" doc:"dicom: calling AE title that is written into the request towards the server. The client does not see it."`
}

// same tells whether two routes are taken by the same.
func (r *Route) same(other *Route) bool {
	return reflect.DeepEqual(r.When, other.When) && reflect.DeepEqual(r.Messages, other.Messages)
}

// always tells whether everything takes the route.
func (r *Route) always() bool { return r.When.Always() && r.Messages.Always() }
