package dicomassociate

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/negotiate/internal/dicomscript"
	"gantry/negotiate/internal/dicomtalk"
	"gantry/protocols/dicom"
)

func accepted(ac *dicom.AssociateAC, pdu []byte) dicomtalk.Accepted {
	return dicomtalk.Accepted{AssociateAC: ac, PDU: pdu}
}

// TestOdd: what an AC has that the standard does not allow is told, and changes nothing else.
func TestOdd(t *testing.T) {
	type (
		rq = *dicom.AssociateRQ
		ac = *dicom.AssociateAC
	)
	tests := map[string]struct {
		edit func(rq, ac)
		raw  func([]byte) []byte
		says string
	}{
		"one context is missing":        {edit: func(_ rq, a ac) { a.Results = a.Results[:3] }, says: "leaves 1 of 4 presentation contexts without an answer"},
		"no context at all":             {edit: func(_ rq, a ac) { a.Results = nil }, says: "leaves 4 of 4 presentation contexts without an answer"},
		"a context twice":               {edit: func(_ rq, a ac) { a.Results = append(a.Results, dicom.ContextResult{ID: 3, Result: 4}) }, says: "answers presentation context 3 (CTImageStorage/ExplicitVRLittleEndian) twice; the first answer is taken"},
		"a context of its own":          {edit: func(_ rq, a ac) { a.Results = append(a.Results, dicom.ContextResult{ID: 99}) }, says: "answers presentation context 99, which was not proposed"},
		"an even one":                   {edit: func(_ rq, a ac) { a.Results = append(a.Results, dicom.ContextResult{ID: 2}) }, says: "answers presentation context 2, which was not proposed; even numbers are not allowed"},
		"another transfer syntax":       {edit: func(_ rq, a ac) { a.Results[0].TransferSyntax = ele }, says: "accepts 1 of 4 presentation contexts with a transfer syntax that was not proposed"},
		"an unknown result":             {edit: func(_ rq, a ac) { a.Results[1].Result = 9 }, says: "refuses with result 9, which the standard does not have"},
		"other titles":                  {edit: func(_ rq, a ac) { a.CalledAE, a.CallingAE = "", "X\n" }, says: "does not repeat the AE titles of the request: called '', calling 'X.'"},
		"another version":               {edit: func(_ rq, a ac) { a.Version = 2 }, says: "answers with protocol version 2; there is only version 1"},
		"another application context":   {edit: func(_ rq, a ac) { a.ApplicationContext = "1.2" }, says: "answers with the application context 1.2; there is only 1.2.840.10008.3.1.1.1"},
		"no maximum length":             {raw: withoutMaxLength, says: "does not say how large a P-DATA-TF it takes; the maximum length is mandatory"},
		"a small maximum length":        {edit: func(_ rq, a ac) { a.MaxLength = 100 }, says: "takes P-DATA-TF of at most 100 bytes: large objects will take long"},
		"no implementation class":       {edit: func(_ rq, a ac) { a.ImplementationClassUID = "" }, says: "does not name its implementation class; it is mandatory"},
		"none that is a UID":            {edit: func(_ rq, a ac) { a.ImplementationClassUID = "ZZ^NAME" }, says: "names an implementation class that is not a UID"},
		"a long version name":           {edit: func(_ rq, a ac) { a.ImplementationVersion = strings.Repeat("v", 20) }, says: "has an implementation version name of 20 bytes; 16 are allowed"},
		"a window":                      {edit: func(_ rq, a ac) { a.Async = &dicom.AsyncWindow{} }, says: "answers an asynchronous operations window that was not proposed"},
		"a role":                        {edit: func(_ rq, a ac) { a.Roles = []dicom.Role{{SOPClassUID: mr}} }, says: "answers a role for MRImageStorage, for which none was proposed"},
		"a wider role":                  {edit: func(_ rq, a ac) { a.Roles = []dicom.Role{{SOPClassUID: ct, SCU: true}} }, says: "accepts a role for CTImageStorage that was not proposed"},
		"extended negotiation":          {edit: func(_ rq, a ac) { a.Extended = []dicom.ExtendedNegotiation{{SOPClassUID: mr}} }, says: "answers extended negotiation for MRImageStorage, for which none was proposed"},
		"an item that nobody knows":     {raw: func(b []byte) []byte { return append(b, 0x77, 0, 0, 0) }, says: "has items that do not belong into an A-ASSOCIATE-AC, or are malformed or repeated: 0x77"},
		"nothing odd, with no limit":    {edit: func(_ rq, a ac) { a.MaxLength = 0 }},
		"nothing odd, with a role less": {edit: func(_ rq, a ac) { a.Roles = []dicom.Role{{SOPClassUID: ct}} }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var raw []func([]byte) []byte
			if tt.raw != nil {
				raw = append(raw, func(b []byte) []byte {
					b = tt.raw(b)
					n := len(b) - dicom.HeaderLen
					b[4], b[5] = byte(n>>8), byte(n)
					return b
				})
			}
			result, got := survey(t, Survey{Question: Question{Pairs: pairs, Roles: []dicom.Role{{SOPClassUID: ct, SCP: true}}}}, accepting(tt.edit, raw...))
			require.Nil(t, result.Fault())
			require.Len(t, result.Pairs, 4)
			if tt.says == "" {
				require.Empty(t, result.Odd)
			} else {
				require.Equal(t, []string{tt.says}, result.Odd)
			}
			_, aborted := dicomscript.LastAbort(got[0])
			require.False(t, aborted, "it is released all the same")
		})
	}
}

// TestOddWindow: a window may be made smaller, not wider; 0 is the widest.
func TestOddWindow(t *testing.T) {
	for _, tt := range []struct {
		asked, got dicom.AsyncWindow
		odd        bool
	}{
		{dicom.AsyncWindow{Invoked: 4, Performed: 4}, dicom.AsyncWindow{Invoked: 1, Performed: 4}, false},
		{dicom.AsyncWindow{Invoked: 4, Performed: 4}, dicom.AsyncWindow{Invoked: 5, Performed: 1}, true},
		{dicom.AsyncWindow{Invoked: 4, Performed: 4}, dicom.AsyncWindow{Invoked: 4}, true},
		{dicom.AsyncWindow{}, dicom.AsyncWindow{Invoked: 9}, false},
	} {
		result, _ := survey(t, Survey{Question: Question{Pairs: pairs, Async: &tt.asked}}, accepting(func(_ *dicom.AssociateRQ, ac *dicom.AssociateAC) { ac.Async = &tt.got }))
		require.Equal(t, tt.odd, len(result.Odd) > 0, "%v %v", tt.asked, tt.got)
	}
}

// TestMixture: two nodes behind one address.
func TestMixture(t *testing.T) {
	other := accepting(func(_ *dicom.AssociateRQ, ac *dicom.AssociateAC) { ac.ImplementationVersion = "ZZ_2" })[0]
	result, _ := survey(t, Survey{Question: Question{Pairs: pairs}, MaxContexts: 2}, plays{good, other})
	require.Equal(t, []string{"answers as another implementation than before: several servers stand behind this address, and the answers are a mixture"}, result.Odd)
}

// TestManyOddities: the list is bounded.
func TestManyOddities(t *testing.T) {
	result, _ := survey(t, Survey{Question: Question{Pairs: pairs}}, accepting(func(_ *dicom.AssociateRQ, ac *dicom.AssociateAC) {
		for id := range 200 {
			ac.Results = append(ac.Results, dicom.ContextResult{ID: byte(id)})
		}
	}))
	require.Len(t, result.Odd, MaxOdd)
}

// withoutMaxLength cuts the item 51 out, which is the first in item 50.
func withoutMaxLength(b []byte) []byte {
	i := bytes.Index(b, []byte("\x51\x00\x00\x04"))
	b[i-1] -= 8
	return append(b[:i], b[i+8:]...)
}
