package statement

// Folders of the tests about HL7.
const (
	router = "gateway/mllpgate "
	mllp   = "protocols/mllp "
	hl7    = "protocols/hl7 "
)

func messages() Section {
	return Section{Title: "HL7 version 2 messages, one by one", Intro: `
Of services of protocol ` + "`mllp`" + ` with ` + "`routing: per-message`" + `, see [docs/hl7.md](../docs/hl7.md). The gateway is neither the sending nor
the receiving application: it takes a message from one connection, gives it to one receiver on another, and carries the answer back.`,
		Sections: []Section{framing(), acknowledgements(), refusals(), groups()}}
}

func framing() Section {
	return Section{Title: "Framing", Clauses: []Clause{
		{"Messages leave as 0B, the message, 1C 0D, whatever framing they came in; not a byte of the message is changed.", "MLLP release 1, content blocks",
			[]string{conf + "TestOddFramingArrivesExact", conf + "TestMessageByMessageWithPythonHL7", gate + "TestFraming", mllp + "TestAppend"}},
		{"Bytes between frames are skipped. A frame that was cut is never forwarded; one whose end cannot be known closes the connection, and so does what is no HL7.",
			"MLLP release 1, content blocks", []string{conf + "TestOddFramingArrivesExact", gate + "TestNotHL7IsClosed", mllp + "TestDecoder", mllp + "FuzzDecoder"}},
		{"A message may come in any pieces and have any size up to `max_message`, within `frame_timeout`.", "MLLP release 1, content blocks",
			[]string{gate + "TestByteByByte", gate + "TestLargeMessages", gate + "TestFrameTimeout", conf + "TestMessageByMessageWithHAPI"}},
		{"Commit acknowledgements (06) and negative ones (15) answer the message that is on its way, and are passed on.", "MLLP release 2, commit acknowledgement blocks",
			[]string{router + "TestCommitBytes", mllp + "TestIsCommit"}},
		{"Character sets of single bytes, UTF-8 and East Asian ones are carried, whatever MSH-18 says; UTF-16 and UTF-32 close the connection.", "HL7 2.5.1 2.15.9.18",
			[]string{conf + "TestMessageByMessageWithHAPI", conf + "TestOddFramingArrivesExact"}},
	}}
}

func acknowledgements() Section {
	return Section{Title: "Acknowledgement modes", Clauses: []Clause{
		{"Original mode: one application acknowledgement (AA, AE, AR) is waited for.", "HL7 2.5.1 2.9.2",
			[]string{router + "TestOneMessage", conf + "TestMessageByMessageWithPythonHL7", hl7 + "TestAnswer"}},
		{"Enhanced mode: MSH-15 and MSH-16 say what is waited for: nothing, an accept acknowledgement (CA, CE, CR), an application acknowledgement, or perhaps one. An application acknowledgement may follow a CA on the same connection.",
			"HL7 2.5.1 2.9.3", []string{router + "TestConditions", router + "TestApplicationAnswerWaitsForItsAcceptAcknowledgement", conf + "TestMessageByMessageWithHAPI", hl7 + "TestAnswer"}},
		{"An answer is that of a message when its MSA-2 is the message's MSH-10, byte for byte; `ack_match: loose` takes others, of connections that carry one message at a time.", "HL7 2.5.1 2.15.8.2",
			[]string{router + "TestForeignAnswers", router + "TestLateAnswer", router + "TestSameControlIDs", router + "TestLoose", conf + "TestReceiversOnHAPIFail"}},
		{"After a time without an answer the connection is closed, so that a late one is nobody's.", "HL7 2.5.1 2.9.2",
			[]string{gate + "TestAckTimeoutClosesBoth", router + "TestUnknownOutcome", conf + "TestReceiversOnHAPIFail"}},
		{"The messages of a connection are delivered in their order, or those of a key such as PID-3.1, whatever connection they come on; answers come in the order of the messages.", "HL7 2.5.1 2.9.2",
			[]string{router + "TestConnectionKeepsItsOrder", router + "TestKeys", router + "TestKeylessMessageIsABarrier", router + "TestModel", conf + "TestMessageByMessageWithHAPI"}},
		{"What was acknowledged is at a receiver; what is twice there was sent twice by its sender, unless `resend` or `retry_on` say otherwise.", "HL7 2.5.1 2.9.2",
			[]string{conf + "TestReceiversOnHAPIFail", conf + "TestChaosOfMessages", conf + "TestChaosOverSeveralLoops", conf + "TestGentleChangesDoubleNothing", router + "TestResendEnds", router + "TestRetryOn"}},
	}}
}

func refusals() Section {
	return Section{Title: "Answers of the gateway's own", Clauses: []Clause{
		{"They come where `on_no_server`, `on_unknown_outcome` or a route says so: AE or AR, in enhanced mode CE or CR where MSH-15 asks for it; none where none is wanted, and none to an acknowledgement.",
			"HL7 2.5.1 2.9.2, 2.9.3", []string{router + "TestAppendNAK", router + "TestHold", router + "TestUnknownOutcome", router + "TestRejectedByARoute"}},
		{"Code and text are MSA-1 of table 0008 and an ERR with a condition of table 0357, by default 207, in the message's own delimiters and version; MSH-3 to MSH-6 change places, MSA-2 is MSH-10.",
			"HL7 2.5.1 2.15.5, 2.15.8", []string{router + "TestAppendNAK", hl7 + "TestAckAppend", router + "TestParseReject", hl7 + "TestErrorCodes"}},
	}}
}

func groups() Section {
	return Section{Title: "Merges and batches", Clauses: []Clause{
		{"Merges (A18, A34 to A36, A40 to A47) wait for the messages of both patients, and those of both for them.", "HL7 2.5.1 3.6.2",
			[]string{router + "TestMergeHoldsBothPatients", router + "TestEnvelopeKeys", hl7 + "TestMerge"}},
		{"A batch (FHS, BHS) goes whole to one receiver; it is answered once, or for each message, as `batch_answers` says. The gateway itself answers none.", "HL7 2.5.1 2.10.3",
			[]string{router + "TestBatch", router + "TestEnvelopeBatch", router + "TestHalfAnsweredBatchIsNotResent", hl7 + "TestMessages"}},
	}}
}
