package dicomecho

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomtalk"
	"gantry/protocols/dicom"
)

func TestValidate(t *testing.T) {
	tests := []struct {
		name     string
		settings Settings
		want     []string
	}{
		{"defaults", Settings{CalledAE: dicomtalk.DefaultCalledAE, CallingAE: dicomtalk.DefaultCallingAE}, nil},
		{"absent", Settings{}, nil},
		{"all letters allowed", Settings{CalledAE: "a B_c-1.2/~!@#$%"}, nil},
		{"too long", Settings{CalledAE: "SEVENTEEN_LETTERS"}, []string{`called_ae: "SEVENTEEN_LETTERS"; write 1 to 16 ASCII characters without backslash`}},
		{"backslash", Settings{CallingAE: `A\B`}, []string{`calling_ae: "A\\B"; write 1 to 16 ASCII characters without backslash`}},
		{"control character", Settings{CallingAE: "A\tB"}, []string{`calling_ae: "A\tB"; write 1 to 16 ASCII characters without backslash`}},
		{"not ASCII", Settings{CalledAE: "RÖNTGEN"}, []string{`called_ae: "RÖNTGEN"; write 1 to 16 ASCII characters without backslash`}},
		{"rejections", Settings{ExpectRejection: []string{"no-reason", "called-ae-not-recognized"}}, nil},
		{"no such rejection", Settings{ExpectRejection: []string{"no-reason", "called-ae-unknown"}},
			[]string{`expect_rejection[1]: "called-ae-unknown"; accepted: ` + strings.Join(rejections, ", ")}},
		{"blank", Settings{CalledAE: "  "}, []string{`called_ae: "  "; write 1 to 16 ASCII characters without backslash, not blanks alone`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			tt.settings.Validate(func(key, value, want string) { got = append(got, key+": "+value+"; "+want) })
			require.Equal(t, tt.want, got)
		})
	}
}

func TestRequestFields(t *testing.T) {
	tests := []struct {
		name                     string
		settings                 Settings
		target                   negotiate.Target
		called, calling, wantVer string
	}{
		{"defaults", Settings{}, negotiate.Target{}, "ANY-SCP", "GANTRY", "GANTRY"},
		{"own titles, blanks trimmed", Settings{CalledAE: " VNA ", CallingAE: "LB"}, negotiate.Target{Version: "0.1.0"}, "VNA", "LB", "GANTRY_0.1.0"},
		{"long version is cut", Settings{}, negotiate.Target{Version: "v1.2.3-45-gabcdef0"}, "ANY-SCP", "GANTRY", "GANTRY_v1.2.3-45"},
		{"title of the server", Settings{}, negotiate.Target{AETitle: "NODE1"}, "NODE1", "GANTRY", "GANTRY"},
		{"title of the check comes first", Settings{CalledAE: "VNA"}, negotiate.Target{AETitle: "NODE1"}, "VNA", "GANTRY", "GANTRY"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, got := run(t, tt.settings, tt.target, recv)
			rq, err := dicom.DecodeAssociateRQ(got[0])
			require.NoError(t, err)
			require.Equal(t, tt.called, rq.CalledAE)
			require.Equal(t, tt.calling, rq.CallingAE)
			require.Equal(t, tt.wantVer, rq.ImplementationVersion)
			require.Equal(t, []dicom.PresentationContext{{ID: 1, AbstractSyntax: "1.2.840.10008.1.1", TransferSyntaxes: []string{"1.2.840.10008.1.2"}}}, rq.Contexts)
		})
	}
}
