package config

import (
	"time"

	"gantry/gateway/dicomgate"
)

// DICOM holds what only a service of protocol dicom has.
type DICOM struct {
	AcceptCalledAE  dicomgate.Patterns `yaml:"accept_called_ae" format:"ae-pattern" min:"1" max:"256" doc:"Called AE titles that clients may ask for; others are rejected with 1/1/7 (called AE title not recognized). Absent = any."`
	AcceptCallingAE dicomgate.Patterns `yaml:"accept_calling_ae" format:"ae-pattern" min:"1" max:"256" doc:"Calling AE titles that may come; others are rejected with 1/1/3 (calling AE title not recognized). A title is a name, no proof of identity. Absent = any."`
	IgnoreAECase    bool               `yaml:"ignore_ae_case" default:"false" doc:"AE titles are compared without regard to the case of letters: here, in routes, and where clients are counted or remembered by them."`

	RetryAssociate int `yaml:"retry_associate" default:"1" min:"0" max:"16" doc:"Other servers to try after one got the request and did not accept it for now: a transient rejection, an abort, no answer, a lost connection. A server that cannot be reached is always followed by the next."`
	// AssociateTimeout is never longer than Timeouts.Handshake.
	AssociateTimeout time.Duration `yaml:"associate_timeout" min:"1ms" max:"1h" doc:"For a server's answer to the association request; then the next server is tried. With no other left, it has until timeouts.handshake. Absent = 10s, or timeouts.handshake when that is shorter."`
	ResponseTimeout  time.Duration `yaml:"response_timeout" default:"0s" min:"0s" max:"24h" doc:"A server that leaves a complete request unanswered for this long counts as failing (passive). The association goes on. 0 = never."`

	AssociationsPerCallingAE int           `yaml:"associations_per_calling_ae" default:"0" min:"0" max:"1000000" doc:"Most associations of one calling AE title at one time; one more waits in the queue, or is rejected with 2/3/2 (local limit exceeded). 0 = no bound."`
	Queue                    int           `yaml:"queue" default:"0" min:"0" max:"1000" doc:"Most associations that wait for a place at one time: within max_connections of the servers, or associations_per_calling_ae. 0 = they are rejected with 2/3/2 (local limit exceeded) at once."`
	QueueTimeout             time.Duration `yaml:"queue_timeout" default:"5s" min:"1ms" max:"10m" doc:"How long one waits at most; then it is rejected with 2/3/2."`

	Inspect bool `yaml:"inspect" default:"true" doc:"Read along what is asked and answered, for metrics, logs and the judgement of servers. Nothing is changed or held back, and data sets pass unread. false = only until the association is accepted."`

	// Accept judges requests: the accepted titles, in one.
	Accept *dicomgate.Acceptance `yaml:"-"`
}
