package dicomassociate

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"gantry/protocols/dicom"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestPlan: whatever is asked, each pair is proposed exactly once, alone in its context, in as few associations as can
// hold them all, and each association has the roles and extended negotiation of its own SOP classes, once.
func TestPlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := Question{}
		for i := range rapid.IntRange(0, 900).Draw(t, "pairs") {
			q.Pairs = append(q.Pairs, Pair{fmt.Sprintf("1.2.%d", i%41), fmt.Sprintf("1.3.%d", i*7%31)})
		}
		q.Pairs = append(q.Pairs, q.Pairs[:rapid.IntRange(0, len(q.Pairs)).Draw(t, "repeated")]...)
		for i := range rapid.IntRange(0, 60).Draw(t, "roles") {
			q.Roles = append(q.Roles, dicom.Role{SOPClassUID: fmt.Sprintf("1.2.%d", i%45), SCP: true})
		}
		most := rapid.IntRange(0, 300).Draw(t, "most")
		room := most
		if most == 0 || most > 128 {
			room = 128
		}
		wanted, proposed := map[Pair]bool{}, map[Pair]bool{}
		for _, p := range q.Pairs {
			wanted[p] = true
		}
		requests := plan(q, most)
		require.Len(t, requests, (len(wanted)+room-1)/room, "as few as possible")
		for _, r := range requests {
			require.Len(t, r.Contexts, len(r.pairs))
			require.LessOrEqual(t, len(r.pairs), room)
			classes, roles := map[string]bool{}, map[string]bool{}
			for i, c := range r.Contexts {
				p := r.pairs[i]
				require.False(t, proposed[p], "asked twice")
				proposed[p], classes[p.SOPClass] = true, true
				require.Equal(t, dicom.PresentationContext{ID: byte(2*i + 1), AbstractSyntax: p.SOPClass, TransferSyntaxes: []string{p.TransferSyntax}}, c)
			}
			for _, role := range r.Roles {
				require.True(t, classes[role.SOPClassUID] && !roles[role.SOPClassUID])
				roles[role.SOPClassUID] = true
			}
		}
		require.Equal(t, wanted, proposed)
	})
}

func TestNames(t *testing.T) {
	require.Empty(t, misspelt, "names in the tables of this package")
	for text, want := range map[string]string{
		"CTImageStorage": dicom.CTImageStorageUID, "ctimagestorage": dicom.CTImageStorageUID, dicom.CTImageStorageUID: dicom.CTImageStorageUID,
		"1.3.6.1.4.1.99999.1": "1.3.6.1.4.1.99999.1",
	} {
		uid, err := SOPClassUID(text)
		require.NoError(t, err)
		require.Equal(t, want, uid)
	}
	for text, want := range map[string]string{
		"CT":               `"CT" is not a SOP class; near are CTImageStorage, `,
		"JPEG2000":         `"JPEG2000" is a transfer syntax, not a SOP class`,
		"1.02":             `"1.02" is not a SOP class; write its keyword of PS3.6, or its UID`,
		"":                 `"" is not a SOP class; write its keyword of PS3.6, or its UID`,
		"\x1b[2J":          `"\x1b[2J" is not a SOP class`,
		"UltrasoundImage":  `near are UltrasoundImageStorage, UltrasoundImageStorageRetired`,
		"StudyRootQuery..": `is not a SOP class; write`,
	} {
		_, err := SOPClassUID(text)
		require.ErrorContains(t, err, want)
	}
	_, err := TransferSyntaxUID("Verification")
	require.EqualError(t, err, `"Verification" is a SOP class, not a transfer syntax`)
	require.Equal(t, "CTImageStorage/1.2.3", Pair{dicom.CTImageStorageUID, "1.2.3"}.String())
	require.Equal(t, "(not a UID)", Name("ZZ^NAME"))
}

// TestProfiles: each is explained, begins with the test button, has no pair twice and fits into one association; all of
// them together leave nothing out.
func TestProfiles(t *testing.T) {
	everything := map[Pair]bool{}
	all, known := LookupProfile(AllProfile)
	require.True(t, known)
	for _, p := range all.Pairs() {
		everything[p] = true
	}
	names := map[string]bool{}
	for _, p := range Profiles() {
		require.False(t, names[p.Name])
		names[p.Name] = true
		require.NotEmpty(t, p.About)
		seen := map[Pair]bool{}
		for _, pair := range p.Pairs() {
			require.False(t, seen[pair], "%s: %v", p.Name, pair)
			seen[pair] = true
			require.True(t, everything[pair], "%s: %v is not in all", p.Name, pair)
		}
		if p.Name == AllProfile {
			continue
		}
		require.LessOrEqual(t, len(seen), MaxContexts, p.Name)
		require.Equal(t, []string{dicom.VerificationUID}, p.Proposals[0].SOPClasses, p.Name)
		for _, part := range p.Proposals {
			require.NotEmpty(t, part.Why)
			require.NotEmpty(t, part.SOPClasses)
			require.NotEmpty(t, part.TransferSyntaxes)
		}
	}
	classes := map[string]bool{}
	for p := range everything {
		classes[p.SOPClass] = true
	}
	require.Len(t, classes, len(dicom.SOPClasses()))
	require.LessOrEqual(t, len(everything), MaxPairs)
	qr, _ := LookupProfile("qr")
	require.Contains(t, qr.Roles(), dicom.Role{SOPClassUID: dicom.CTImageStorageUID, SCP: true})
	require.Equal(t, []Pair{{dicom.VerificationUID, "1.2"}, {dicom.ModalityWorklistUID, "1.2"}}, mwl(t).Pairs("1.2"))
}

func mwl(t *testing.T) Profile {
	p, known := LookupProfile("mwl")
	require.True(t, known)
	return p
}
