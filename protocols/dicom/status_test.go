package dicom

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStatusClassOf(t *testing.T) {
	tests := []struct {
		class    StatusClass
		statuses []uint16
	}{
		{ClassSuccess, []uint16{0x0000}},
		{ClassWarning, []uint16{0x0001, 0x0107, 0x0116, 0xB000, 0xB006, 0xB007, 0xBFFF}},
		{ClassFailure, []uint16{0x0105, 0x0106, 0x0110, 0x0111, 0x0117, 0x0122, 0x0124, 0x0210, 0x0213,
			0xA700, 0xA7FF, 0xA801, 0xA900, 0xAFFF, 0xC000, 0xC001, 0xCFFF}},
		{ClassCancel, []uint16{0xFE00}},
		{ClassPending, []uint16{0xFF00, 0xFF01}},
		// Not assigned: nobody may take these for a success.
		{ClassFailure, []uint16{0x0002, 0x00FF, 0x1234, 0xD000, 0xFE01, 0xFF02, 0xFFFF}},
	}
	for _, tt := range tests {
		for _, status := range tt.statuses {
			require.Equal(t, tt.class, StatusClassOf(status), "%04X", status)
		}
	}
}

func TestStatusClassString(t *testing.T) {
	words := []string{"success", "warning", "failure", "cancel", "pending", "status class 5"}
	for n, want := range words {
		require.Equal(t, want, StatusClass(n).String())
	}
}

func TestUIDTable(t *testing.T) {
	all := append(SOPClasses(), TransferSyntaxes()...)
	require.Len(t, nameOfUID, len(all), "a UID stands twice in the table")
	require.Len(t, uidOfName, len(all), "a name stands twice in the table")
	for _, u := range all {
		require.LessOrEqual(t, len(u.Value), 64, u.Name)
		require.True(t, strings.HasPrefix(u.Value, "1.2.840.10008."), u.Name)
		require.NotContains(t, u.Value, "..", u.Name)
		require.Empty(t, strings.Trim(u.Value, "0123456789."), u.Name)
		require.Equal(t, u.Name, UIDName(u.Value))
		uid, ok := LookupUID(u.Name)
		require.True(t, ok)
		require.Equal(t, u.Value, uid)
	}
	require.Equal(t, "1.2.3", UIDName("1.2.3"))
	_, ok := LookupUID("ctimagestorage")
	require.False(t, ok)
}

// A few by hand, because the table is composed from prefixes.
func TestUIDValues(t *testing.T) {
	tests := map[string]string{
		"1.2.840.10008.5.1.4.1.1.2":      "CTImageStorage",
		"1.2.840.10008.5.1.4.1.1.88.67":  "XRayRadiationDoseSRStorage",
		"1.2.840.10008.5.1.4.1.1.13.1.3": "BreastTomosynthesisImageStorage",
		"1.2.840.10008.5.1.4.1.2.4.3":    "CompositeInstanceRootRetrieveGet",
		"1.2.840.10008.1.2.4.70":         "JPEGLosslessSV1",
		"1.2.840.10008.1.2.4.203":        "HTJ2K",
		"1.2.840.10008.5.1.4.1.1.77.1.6": "VLWholeSlideMicroscopyImageStorage",
		"1.2.840.10008.5.1.4.1.2.1.3":    "PatientRootQueryRetrieveInformationModelGet",
		"1.2.840.10008.5.1.4.1.1.7.4":    "MultiFrameTrueColorSecondaryCaptureImageStorage",
		"1.2.840.10008.5.1.4.1.1.128":    "PositronEmissionTomographyImageStorage",
		"1.2.840.10008.5.1.4.1.1.481.5":  "RTPlanStorage",
		"1.2.840.10008.5.1.4.34.6.5":     "UnifiedProcedureStepQuery",
		"1.2.840.10008.1.2.1.99":         "DeflatedExplicitVRLittleEndian",
		"1.2.840.10008.5.1.4.1.1.9.1.1":  "TwelveLeadECGWaveformStorage",
		"1.2.840.10008.5.1.4.1.1.104.2":  "EncapsulatedCDAStorage",
	}
	for uid, name := range tests {
		require.Equal(t, name, UIDName(uid))
	}
	list := SOPClasses()
	list[0].Name = "changed"
	require.False(t, slices.Contains(SOPClasses(), list[0]), "the table is not the caller's")
}
