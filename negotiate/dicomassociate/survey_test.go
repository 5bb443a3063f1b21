package dicomassociate

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
	"gantry/negotiate/internal/dicomscript"
	"gantry/protocols/dicom"
)

// TestSurvey: what is asked, what is answered, and that each association is released.
func TestSurvey(t *testing.T) {
	q := Question{Pairs: pairs, Roles: []dicom.Role{{SOPClassUID: ct, SCP: true}, {SOPClassUID: mr, SCP: true}},
		Async: &dicom.AsyncWindow{Invoked: 4, Performed: 1}, MaxPDU: 65536}
	q.Pairs = append(q.Pairs[:4:4], Pair{dicom.StudyRootFindUID, ile}, Pair{dicom.StudyRootMoveUID, ile})
	q.Extended = Extended(q.Pairs)
	result, got := survey(t, Survey{Question: q, CalledAE: "VNA", MaxContexts: 4}, plays{
		{answer(func(_ *dicom.AssociateRQ, ac *dicom.AssociateAC) {
			ac.Results[1].Result = dicom.TransferSyntaxesRejected
			ac.Results[2].Result = dicom.AbstractSyntaxRejected
			ac.Results[3].Result = dicom.UserRejection
			ac.Roles = []dicom.Role{{SOPClassUID: ct, SCP: true}}
			ac.Async = &dicom.AsyncWindow{Invoked: 2, Performed: 1}
		}), released},
		{answer(func(_ *dicom.AssociateRQ, ac *dicom.AssociateAC) {
			ac.Extended = []dicom.ExtendedNegotiation{{SOPClassUID: dicom.StudyRootFindUID, Info: []byte{1, 0, 1, 7}}}
			ac.Async = &dicom.AsyncWindow{Invoked: 2, Performed: 1}
		}), released},
	})
	require.Len(t, got, 2)
	rq, err := dicom.DecodeAssociateRQ(got[0][0])
	require.NoError(t, err)
	require.Equal(t, []any{"VNA", "GANTRY", 4, uint32(65536), q.Async, q.Roles},
		[]any{rq.CalledAE, rq.CallingAE, len(rq.Contexts), rq.MaxLength, rq.Async, rq.Roles})
	require.Empty(t, rq.Extended, "no query class in the first association")
	for _, pdus := range got {
		require.Len(t, pdus, 2)
		require.Equal(t, dicom.AppendReleaseRQ(nil), pdus[1])
	}
	var words []string
	for _, p := range result.Pairs {
		words = append(words, Name(p.SOPClass)+": "+p.Words())
	}
	require.Equal(t, []string{"CTImageStorage: accepted", "CTImageStorage: transfer syntaxes not supported", "MRImageStorage: abstract syntax not supported",
		"MRImageStorage: user rejection", "StudyRootQueryRetrieveInformationModelFind: accepted", "StudyRootQueryRetrieveInformationModelMove: accepted"}, words)
	require.Equal(t, []Fact{
		{"implementation", "ZZ_1 (2.25.1)"}, {"max. PDU", "32768 bytes"}, {"async. operations", "2 invoked, 1 performed"},
		{"role for CTImageStorage", "asked to be SCP: SCP"}, {"role for MRImageStorage", "asked to be SCP: no answer, which means SCU"},
		{"extended negotiation of StudyRootQueryRetrieveInformationModelFind", "relational queries, fuzzy matching of names, byte 4 is 7"},
		{"extended negotiation of StudyRootQueryRetrieveInformationModelMove", "no answer"},
	}, result.Facts.Told())
	require.Empty(t, result.Odd)
	require.Equal(t, PartAccepted, result.Verdict())
	require.Equal(t, "accepts 3 of 4 SOP classes (3 of 6 pairs), and refuses in every transfer syntax that was proposed: "+
		"MRImageStorage (abstract syntax not supported; user rejection)", result.Sentence())
}

// TestRude: servers that do not come to an answer. What was asked of them is unknown, and said so.
func TestRude(t *testing.T) {
	huge := []byte{2, 0, 0, 2, 0, 0, 0, 1, 0, 0}
	tests := map[string]struct {
		first  []dicomscript.Step // of the second association; the first one is well-behaved
		reason negotiate.Reason
		words  string
	}{
		"rejects": {[]dicomscript.Step{dicomscript.Recv, dicomscript.Send(dicom.RejectLocalLimit.Append(nil)), dicomscript.Hear},
			negotiate.ReasonRejected, "local limit exceeded (rejected for now by the service provider): all association slots of DICOM2 are taken"},
		"aborts": {[]dicomscript.Step{dicomscript.Recv, dicomscript.Abort(2, 6), dicomscript.Hear},
			negotiate.ReasonAborted, "aborts instead of answering the association request (aborted by the service provider: invalid PDU parameter value (2/6))"},
		"is silent":            {[]dicomscript.Step{dicomscript.Hear}, negotiate.ReasonTimeout, "does not answer an association request within 5 s"},
		"closes":               {nil, negotiate.ReasonClosed, "closes the connection without answering the association request"},
		"speaks HTTP":          {[]dicomscript.Step{dicomscript.Recv, dicomscript.Send([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))}, negotiate.ReasonMalformed, "answers with text, not with DICOM"},
		"answers too much":     {[]dicomscript.Step{dicomscript.Recv, dicomscript.Send(huge), dicomscript.Hear}, negotiate.ReasonOversized, "sends A-ASSOCIATE-AC with a length of 131072 bytes"},
		"answers half":         {[]dicomscript.Step{dicomscript.Recv, dicomscript.Send([]byte{2, 0, 0, 0, 0, 200, 0, 1}), dicomscript.Hear}, negotiate.ReasonTimeout, "only a part of its answer came"},
		"answers nonsense":     {[]dicomscript.Step{answer(nil, func(b []byte) []byte { b[75], b[76] = 0, 0xff; b[77] = 0xff; return b }), dicomscript.Hear}, negotiate.ReasonMalformed, "accepts the association with a malformed answer"},
		"answers with release": {[]dicomscript.Step{dicomscript.Recv, dicomscript.ReleaseRQ, dicomscript.Hear}, negotiate.ReasonMalformed, "sends A-RELEASE-RQ where the protocol does not allow it"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			result, got := survey(t, Survey{Question: Question{Pairs: Product([]string{ct, mr, "1.2.3"}, []string{ile, ele})}, MaxContexts: 2}, plays{good, tt.first})
			require.Len(t, got, 2, "it stops at the first failure")
			require.Equal(t, []Answer{Accepted, Accepted, Lost, Lost, NotAsked, NotAsked}, answersOf(result))
			require.Equal(t, tt.reason, result.Fault().Reason)
			require.Contains(t, result.Sentence(), tt.words)
			require.Contains(t, result.Sentence(), "; of 6 pairs 2 had been accepted before")
			require.Equal(t, Failed, result.Verdict())
			require.Equal(t, "ZZ_1", result.Facts.ImplementationVersion)
			require.Equal(t, []bool{true, false}, []bool{result.Associations[0].Opened, result.Associations[1].Opened})
		})
	}
}

func answersOf(r Result) (list []Answer) {
	for _, p := range r.Pairs {
		list = append(list, p.Answer)
	}
	return list
}

// TestKeepGoing: with it a failed association is one hole in the picture.
func TestKeepGoing(t *testing.T) {
	s := Survey{Question: Question{Pairs: Product([]string{ct, mr, "1.2.3"}, []string{ile})}, MaxContexts: 1, KeepGoing: true, Pause: time.Minute}
	result, got := survey(t, s, plays{good, nil, good})
	require.Len(t, got, 3)
	require.Equal(t, []Answer{Accepted, Lost, Accepted}, answersOf(result))
	require.Equal(t, Failed, result.Verdict())
	require.Equal(t, 2*time.Minute, result.Associations[2].Start.Sub(result.Associations[0].Start), "the pauses")
}

// TestReleaseUnanswered: the answers count, and the server is told that it is over.
func TestReleaseUnanswered(t *testing.T) {
	result, got := survey(t, Survey{Question: Question{Pairs: pairs}}, plays{{answer(nil), dicomscript.Hear}})
	require.Equal(t, AllAccepted, result.Verdict())
	require.Equal(t, "accepts both SOP classes, each in at least one transfer syntax (4 of 4 pairs)", result.Sentence())
	require.Contains(t, result.Associations[0].Warning.Error(), "answers the association request but not the release within 1 s")
	abort, ok := dicomscript.LastAbort(got[0])
	require.True(t, ok)
	require.Equal(t, dicom.AbortUser, abort)
}

// TestRefusedSentence: nothing is accepted, and where to look.
func TestRefusedSentence(t *testing.T) {
	result, _ := survey(t, Survey{Question: Question{Pairs: pairs[:2]}, CallingAE: "CT2"}, accepting(func(_ *dicom.AssociateRQ, ac *dicom.AssociateAC) {
		for i := range ac.Results {
			ac.Results[i].Result = dicom.AbstractSyntaxRejected
		}
	}))
	require.Equal(t, NoneAccepted, result.Verdict())
	require.Equal(t, "accepts the association and refuses all that was proposed in it: CTImageStorage (abstract syntax not supported): "+
		"switched off there, or not allowed for 'CT2'", result.Sentence())
}

// TestMisfit: accepted as something else is of no use, and no acceptance.
func TestMisfit(t *testing.T) {
	result, _ := survey(t, Survey{Question: Question{Pairs: pairs[:2]}}, accepting(func(_ *dicom.AssociateRQ, ac *dicom.AssociateAC) {
		ac.Results[0].TransferSyntax, ac.Results[1].TransferSyntax = ele, ""
	}))
	require.Equal(t, []Answer{Misfit, Misfit}, answersOf(result))
	require.Equal(t, "accepted as ExplicitVRLittleEndian, which was not proposed", result.Pairs[0].Words())
	require.Equal(t, "accepted as (empty), which was not proposed", result.Pairs[1].Words())
	require.Equal(t, NoneAccepted, result.Verdict())
}

// TestCanceled: a person's Ctrl-C ends it before anything is dialled.
func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s := Survey{Question: Question{Pairs: pairs}, MaxContexts: 1}
	s.Check.Address = func() (string, error) { return "127.0.0.1:1", nil }
	result := s.Run(ctx)
	require.Equal(t, []Answer{Lost, NotAsked, NotAsked, NotAsked}, answersOf(result))
	require.Equal(t, negotiate.ReasonCanceled, result.Fault().Reason)
}

// FuzzAnswers: any bytes in place of an answer leave one answer for each pair, no control character and not too many words.
func FuzzAnswers(f *testing.F) {
	ac := dicom.AssociateAC{Results: []dicom.ContextResult{{ID: 1, TransferSyntax: ile}, {ID: 3, Result: 9}, {ID: 2}}}
	f.Add(ac.Append(nil))
	ac.UserInformation = dicom.UserInformation{MaxLength: 1, ImplementationVersion: "\x1b[2J\nZZ", Async: &dicom.AsyncWindow{}, Roles: []dicom.Role{{SOPClassUID: mr, SCP: true}},
		Extended: []dicom.ExtendedNegotiation{{SOPClassUID: "x\n", Info: make([]byte, 99)}}, UserIdentity: true}
	f.Add(ac.Append(nil))
	f.Add(dicom.RejectCalledAE.Append(nil))
	f.Add([]byte("HTTP/1.1 200 OK"))
	f.Fuzz(func(t *testing.T, answers []byte) {
		s := Survey{Question: Question{Pairs: pairs, Roles: []dicom.Role{{SOPClassUID: ct, SCP: true}}}}
		r := plan(s.Question, 0)[0]
		p := newTestProbe(t, &Settings{Expect: []string{"CTImageStorage", "MRImageStorage/ExplicitVRLittleEndian"}})
		canned := dicomscript.Canned(t.Context(), p, answers)
		texts := []string{}
		if w := canned.Words(); w != nil {
			texts = append(texts, w.Error(), w.Peer)
		}
		if decoded, err := dicom.DecodeAssociateAC(answers); err == nil {
			found := read(r, decoded)
			require.Len(t, found, len(pairs))
			var odd oddities
			odd.look(p.proposer.Peer(), r, accepted(decoded, answers))
			facts := factsOf(r, decoded)
			texts = append(texts, odd.list...)
			for _, fact := range facts.Told() {
				texts = append(texts, fact.What, fact.Words)
			}
			for _, pair := range found {
				texts = append(texts, pair.Words())
			}
			require.LessOrEqual(t, len(odd.list), MaxOdd)
		}
		for _, text := range texts {
			require.False(t, strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }), "%q", text)
			require.Less(t, len(text), 2000)
		}
	})
}
