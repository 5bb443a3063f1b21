package dicomgate_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/gateway/dicomgate"
	"gantry/protocols/dicom"
)

func TestParseSOPClass(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"keyword", "CTImageStorage", dicom.CTImageStorageUID},
		{"UID", "1.2.840.10008.5.1.4.1.1.2", dicom.CTImageStorageUID},
		{"a maker's own", "1.3.12.2.1107.5.9.1", "1.3.12.2.1107.5.9.1"},
		{"pattern for keywords", "*Storage", "*Storage"},
		{"pattern for UIDs", "1.2.840.10008.5.1.4.1.1.**", "1.2.840.10008.5.1.4.1.1.*"},
		{"everything", "*", "*"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := dicomgate.ParseSOPClass(tt.text)
			require.NoError(t, err)
			require.Equal(t, tt.want, string(s))
		})
	}
	for _, tt := range []struct{ name, text, want string }{
		{"misspelt", "CTImageStorrage", "not a SOP class that gantry knows by name; write its UID, or a keyword of PS3.6 such as CTImageStorage"},
		{"case counts", "ctimagestorage", "not a SOP class that gantry knows by name"},
		{"empty", "", "not a SOP class that gantry knows by name"},
		{"too long", strings.Repeat("1", 65), "not a SOP class that gantry knows by name"},
		{"of the other table", "JPEGBaseline8Bit", "a transfer syntax, not a SOP class; write a SOP class such as CTImageStorage"},
		{"UID of the other table", jpegBaseline, "a transfer syntax, not a SOP class"},
		{"pattern that nothing matches", "*Storrage", "matches no SOP class that gantry knows by name, nor any UID"},
		{"pattern of the other table", "JPEG*", "matches no SOP class"},
		{"pattern longer than any UID", strings.Repeat("1", 65) + "*", "matches no SOP class"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := dicomgate.ParseSOPClass(tt.text)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// TestParseSyntaxKnown: whoever misspells a keyword can be told the nearest one.
func TestParseSyntaxKnown(t *testing.T) {
	var unfit *dicomgate.Unfit
	_, err := dicomgate.ParseSOPClass("CTImage")
	require.True(t, errors.As(err, &unfit))
	require.Contains(t, unfit.Known, "CTImageStorage")
	require.NotContains(t, unfit.Known, "JPEGBaseline8Bit")
	_, err = dicomgate.ParseTransferSyntax("JPEGBaseline")
	require.True(t, errors.As(err, &unfit))
	require.Contains(t, unfit.Known, "JPEGBaseline8Bit")
}

// TestEveryKeyword: the tables of both kinds can be named, and stand for themselves.
func TestEveryKeyword(t *testing.T) {
	for _, table := range []struct {
		parse func(string) (dicomgate.Syntax, error)
		list  []dicom.UID
	}{{dicomgate.ParseSOPClass, dicom.SOPClasses()}, {dicomgate.ParseTransferSyntax, dicom.TransferSyntaxes()}} {
		for _, u := range table.list {
			s, err := table.parse(u.Name)
			require.NoError(t, err)
			require.True(t, s.Match(u.Value), u.Name)
			require.False(t, s.Match(u.Value+".1"), u.Name)
		}
	}
}

func TestSyntaxMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern, uid string
		want         bool
	}{
		{"*Storage", dicom.CTImageStorageUID, true},
		{"*Storage", dicom.VerificationUID, false},
		{"*Storage", "1.2.3", false},
		{"1.2.840.10008.5.1.4.1.1.*", "1.2.840.10008.5.1.4.1.1.999", true},
		{"1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.2.1", false},
		{"*", strings.Repeat("1", 65), false},
	} {
		require.Equal(t, tt.want, dicomgate.Syntax(tt.pattern).Match(tt.uid), "%s %s", tt.pattern, tt.uid)
	}
}

// TestParseReject: all of PS3.8 table 9-21, and nothing else.
func TestParseReject(t *testing.T) {
	for text, want := range map[string][3]byte{
		"no-reason": {1, 1, 1}, "application-context-not-supported": {1, 1, 2}, "calling-ae-not-recognized": {1, 1, 3},
		"called-ae-not-recognized": {1, 1, 7}, "protocol-version-not-supported": {1, 2, 2}, "temporary-congestion": {2, 3, 1},
		"local-limit-exceeded": {2, 3, 2},
		"1/1/1":                {1, 1, 1}, "1/1/2": {1, 1, 2}, "2/1/3": {2, 1, 3}, "2/1/7": {2, 1, 7}, "1/2/1": {1, 2, 1}, "1/2/2": {1, 2, 2}, "1/3/1": {1, 3, 1}, "2/3/2": {2, 3, 2},
	} {
		r, err := dicomgate.ParseReject(text)
		require.NoError(t, err, text)
		require.Equal(t, want, [3]byte{r.Result, r.Source, r.Reason}, text)
	}
	for _, text := range []string{"", "go-away", "0/1/1", "3/1/1", "1/0/1", "1/4/1", "1/1/0", "1/1/4", "1/1/8", "1/2/3", "2/3/0", "2/3/3", "1/1", "1/1/1/1", "01/1/1", "+1/1/1", "1/1/257", "a/b/c"} {
		_, err := dicomgate.ParseReject(text)
		require.ErrorContains(t, err, "or RESULT/SOURCE/REASON such as 2/1/1", text)
	}
	require.Len(t, dicomgate.RejectWords(), 7)
}
