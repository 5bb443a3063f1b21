package config

import (
	"fmt"
	"time"

	"gantry/gateway/mllpgate"
	"gantry/protocols/hl7"
)

// perMessage is the word of MLLP.Routing that all other keys need.
const perMessage = "per-message"

// MLLP holds what only a service of protocol mllp has. All but Routing is for routing: per-message.
type MLLP struct {
	Routing string `yaml:"routing" default:"per-connection" enum:"per-connection,per-message" doc:"What is balanced: whole connections, or each message by itself. All other keys here, and routes, need per-message."`

	// OrderBy is nil when messages are kept in the order of their connection alone.
	OrderBy  *hl7.Path `yaml:"order_by" format:"path" doc:"The field whose equal values keep messages in order: they go one after the other, whatever connection they come from, and to one server while it is usable. Its first repetition counts. Messages without it keep the order of their connection. Absent = all of a connection do, each message to any server."`
	AckMatch string    `yaml:"ack_match" default:"strict" enum:"strict,loose" doc:"strict: an answer belongs to a message when its MSA-2 is the message's MSH-10; others are dropped and their connection is closed. loose: the first answer on a connection with one message outstanding belongs to that, for receivers that answer with empty or wrong ids."`
	// AckTimeout is from the last byte sent.
	AckTimeout time.Duration `yaml:"ack_timeout" default:"30s" min:"1ms" max:"1h" doc:"How long a server has for its answer, from the last byte written; then its connection is closed, and on_unknown_outcome says what becomes of the message. Shorter than the senders' own timeout."`
	Hold       time.Duration `yaml:"hold" default:"5s" min:"0s" max:"10m" doc:"How long a message waits for a usable server. 0 = not at all."`
	OnNoServer string        `yaml:"on_no_server" default:"close" enum:"close,nak-ae,nak-ar" doc:"What a sender gets after hold: its connection closed (senders then send again, in order), or an answer AE or AR (CE or CR in enhanced mode). Nothing of the message was sent."`

	OnUnknownOutcome string `yaml:"on_unknown_outcome" default:"close" enum:"close,resend,nak-ae" doc:"A message was sent, in part at least, and no answer came: the server may have it. close: the sender's connection is closed, and it decides. resend: it is sent again, so that a server may get it twice. nak-ae: the sender gets AE."`
	// RetryOn is empty when every answer is passed on.
	RetryOn []mllpgate.Verdict `yaml:"retry_on" format:"refusal" max:"32" doc:"Answers upon which another server is tried: AR or CR, or with an error code of table 0357, such as AR-207 (application internal error). The last server's words are passed on. Absent = none."`

	ConnectionsPerServer int           `yaml:"connections_per_server" default:"4" min:"1" max:"256" doc:"Most connections to one server; a smaller max_connections of the server counts. They are opened as messages need them. From 16 on, the service may use several processors (docs/hl7.md)."`
	Pipelining           int           `yaml:"pipelining" default:"1" min:"1" max:"64" doc:"Most messages outstanding on one server connection. More than 1 only for receivers that read on before they have answered."`
	Idle                 time.Duration `yaml:"idle" default:"5m" min:"1s" max:"24h" doc:"A server connection that is unused for this long is closed."`

	// MaxMessage and Memory are bytes.
	MaxMessage       int           `yaml:"max_message" format:"size" default:"16MiB" min:"1KiB" max:"256MiB" doc:"Largest message, without its framing. A client that sends a larger one is disconnected."`
	FrameTimeout     time.Duration `yaml:"frame_timeout" default:"1m" min:"1ms" max:"1h" doc:"For one message of a client, from its first byte to its last."`
	ClientPipelining int           `yaml:"client_pipelining" default:"16" min:"1" max:"1024" doc:"Most messages of one client that are received and not answered yet; then it is read no further. Its answers come in its own order."`
	Memory           int           `yaml:"memory" format:"size" default:"256MiB" min:"64KiB" max:"64GiB" doc:"Most bytes of messages that the service holds at one time, and one message more; then clients are read no further until some are answered."`
	BatchAnswers     string        `yaml:"batch_answers" default:"one" enum:"one,each" doc:"Answers that a server gives to a batch (FHS, BHS), which always goes whole: one for all of it, or one for each message in it."`

	// Duplicates is nil when what is sent again is delivered again.
	Duplicates *Duplicates `yaml:"duplicates" doc:"Recognises a message that its sender sends again because it did not get the answer: same address, MSH-3, MSH-4, MSH-10 and bytes. It gets the answer that the first one got, instead of a second delivery. An empty block {} turns it on. Absent = what comes is delivered."`
}

// Duplicates bounds what is remembered of answers that could not be delivered.
type Duplicates struct {
	For     time.Duration `yaml:"for" default:"10m" min:"1s" max:"24h" doc:"How long an answer that could not be delivered is kept."`
	Entries int           `yaml:"entries" default:"10000" min:"1" max:"1000000" doc:"Most answers kept; the oldest makes room."`
	// Memory is bytes.
	Memory int `yaml:"memory" format:"size" default:"64MiB" min:"64KiB" max:"16GiB" doc:"Most bytes of answers kept; the oldest make room."`
}

// String is what the block says, so that what it points to is compared, not where it stands.
func (d *Duplicates) String() string {
	if d == nil {
		return "none"
	}
	return fmt.Sprintf("{%s %d %d}", d.For, d.Entries, d.Memory)
}
