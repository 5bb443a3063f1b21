package dicomassociate

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/protocols/dicom"
)

func TestCompare(t *testing.T) {
	ask := func(edit func(*dicom.AssociateRQ, *dicom.AssociateAC)) Result {
		r, _ := survey(t, Survey{Question: Question{Pairs: pairs}}, accepting(edit))
		return r
	}
	a := ask(nil)
	require.True(t, Compare(a, ask(nil)).Same(), "times do not count")

	d := Compare(a, ask(func(_ *dicom.AssociateRQ, ac *dicom.AssociateAC) {
		ac.Results[1].Result, ac.Results[3].Result = dicom.TransferSyntaxesRejected, dicom.AbstractSyntaxRejected
		ac.MaxLength, ac.ImplementationVersion, ac.CalledAE = 0, "ZZ_2", "OTHER"
	}))
	require.False(t, d.Same())
	require.Len(t, d.Pairs, 2)
	require.Equal(t, []string{"accepted", "transfer syntaxes not supported", "abstract syntax not supported"},
		[]string{d.Pairs[0].A.Words(), d.Pairs[0].B.Words(), d.Pairs[1].B.Words()})
	require.Equal(t, []FactDifference{
		{"implementation", "ZZ_1 (2.25.1)", "ZZ_2 (2.25.1)"}, {"max. PDU", "32768 bytes", "no limit"},
		{"oddities", "none", "does not repeat the AE titles of the request: called 'OTHER', calling 'GANTRY'"},
	}, d.Facts)

	refused := func(r dicom.Result) Result {
		return ask(func(_ *dicom.AssociateRQ, ac *dicom.AssociateAC) { ac.Results[0].Result = r })
	}
	require.Len(t, Compare(refused(dicom.UserRejection), refused(dicom.AbstractSyntaxRejected)).Pairs, 1, "for another reason")

	gone, _ := survey(t, Survey{Question: Question{Pairs: pairs}}, plays{nil})
	d = Compare(a, gone)
	require.Empty(t, d, "nothing is known of a server that did not answer")
}
