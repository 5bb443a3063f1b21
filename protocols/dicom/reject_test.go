package dicom

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// An independent copy of PS3.8 tables 9-21 and 9-26: a slip has to be made
// twice to go unseen.
func TestRejectString(t *testing.T) {
	tests := []struct {
		reject Reject
		want   string
	}{
		{Reject{1, 1, 1}, "no reason given (permanent, service user, 1/1/1)"},
		{Reject{1, 1, 2}, "application context name not supported (permanent, service user, 1/1/2)"},
		{Reject{1, 1, 3}, "calling AE title not recognized (permanent, service user, 1/1/3)"},
		{Reject{1, 1, 7}, "called AE title not recognized (permanent, service user, 1/1/7)"},
		{Reject{1, 2, 1}, "no reason given (permanent, service provider, ACSE, 1/2/1)"},
		{Reject{1, 2, 2}, "protocol version not supported (permanent, service provider, ACSE, 1/2/2)"},
		{Reject{2, 3, 1}, "temporary congestion (transient, service provider, presentation, 2/3/1)"},
		{Reject{2, 3, 2}, "local limit exceeded (transient, service provider, presentation, 2/3/2)"},
		{Reject{1, 3, 0}, "unknown reason 0 (permanent, service provider, presentation, 1/3/0)"},
		{Reject{0, 9, 9}, "unknown reason 9 (unknown result 0, unknown source 9, 0/9/9)"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			require.Equal(t, tt.want, tt.reject.String())
			got, err := DecodeReject(tt.reject.Append(nil))
			require.NoError(t, err)
			require.Equal(t, tt.reject, got)
			require.Equal(t, tt.reject.Result == 2, got.Transient())
		})
	}
}

func TestAbortString(t *testing.T) {
	tests := []struct {
		abort Abort
		want  string
	}{
		{Abort{0, 0}, "aborted by the service user (0/0)"},
		{Abort{0, 6}, "aborted by the service user (0/6)"},
		{Abort{2, 0}, "aborted by the service provider: reason not specified (2/0)"},
		{Abort{2, 1}, "aborted by the service provider: unrecognized PDU (2/1)"},
		{Abort{2, 2}, "aborted by the service provider: unexpected PDU (2/2)"},
		{Abort{2, 3}, "aborted by the service provider: unknown reason 3 (2/3)"},
		{Abort{2, 4}, "aborted by the service provider: unrecognized PDU parameter (2/4)"},
		{Abort{2, 5}, "aborted by the service provider: unexpected PDU parameter (2/5)"},
		{Abort{2, 6}, "aborted by the service provider: invalid PDU parameter value (2/6)"},
		{Abort{1, 0}, "aborted by an unknown source (1/0)"},
	}
	for _, tt := range tests {
		t.Run(tt.want, func(t *testing.T) {
			require.Equal(t, tt.want, tt.abort.String())
			got, err := DecodeAbort(tt.abort.Append(nil))
			require.NoError(t, err)
			require.Equal(t, tt.abort, got)
		})
	}
}

func TestDecodeRejectRefuses(t *testing.T) {
	tests := []struct {
		name string
		wire string
		want string
	}{
		{"short", "03 00 00000004 000101", "short"},
		{"wrong length", "03 00 00000005 0001010700", "A-ASSOCIATE-RJ of length 5"},
		{"an abort", "07 00 00000004 00000202", "A-ABORT where A-ASSOCIATE-RJ was expected"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := DecodeReject(wire(t, tt.wire))
			requireProblem(t, err, tt.want)
		})
	}
	_, err := DecodeAbort(wire(t, "03 00 00000004 00010107"))
	requireProblem(t, err, "A-ASSOCIATE-RJ where A-ABORT was expected")
}
