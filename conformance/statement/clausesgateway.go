package statement

func carried() Section {
	return Section{Title: "SOP classes, transfer syntaxes, extended negotiation", Intro: `
The gateway adds no presentation context and takes none away. Whatever requestor and acceptor agree on is carried.`, Clauses: []Clause{
		{"The A-ASSOCIATE-RQ and the A-ASSOCIATE-AC are forwarded byte for byte, reserved fields and unknown items included; exceptions: AE titles where told so.",
			"PS3.8 9.3.2, 9.3.3", []string{conf + "TestAssociationsPassUnchanged", gate + "TestRequestIsForwardedByteForByte"}},
		{"Up to 128 presentation contexts, the most that an association can have.", "PS3.8 9.3.2.2", []string{conf + "TestAssociationsPassUnchanged", dicom + "TestAssociateRQ128Contexts"}},
		{"Every transfer syntax: data sets arrive as they were sent, byte for byte.", "PS3.5 10", []string{conf + "TestEveryTransferSyntax"}},
		{"Every role: C-ECHO, C-STORE, C-FIND, C-GET and C-MOVE, with the associations that C-MOVE opens, and Modality Worklist.",
			"PS3.7 9.1", []string{conf + "TestEveryRoleOfDCMTK", conf + "TestOrthancInEveryRole", conf + "TestMoveByPynetdicom"}},
		{"Storage commitment, N-EVENT-REPORT on the association of the N-ACTION as well as on a new one with the roles reversed.",
			"PS3.4 J.3", []string{conf + "TestStorageCommitment"}},
		{"Modality Performed Procedure Step: N-CREATE and N-SET.", "PS3.4 F.7", []string{conf + "TestPerformedProcedureStep"}},
		{"Asynchronous operations window: negotiated between the peers; responses may come in any order.", "PS3.7 D.3.3.3", []string{conf + "TestAsynchronousOperations"}},
		{"SCP/SCU role selection and user identity, with its response, pass between the peers. User identities are not read.",
			"PS3.7 D.3.3.4, D.3.3.7", []string{conf + "TestAssociationsPassUnchanged", dicom + "TestUserIdentityIsNeverRead"}},
		{"Maximum lengths are agreed between the peers; 0 and very small ones too. P-DATA-TF are neither cut nor joined; PDVs in any legal arrangement are carried.",
			"PS3.8 D.1, E", []string{conf + "TestOddPDUs"}},
		{"Objects of any size in bounded memory.", "PS3.7 9.1.1", []string{conf + "TestHugeObject", conf + "TestSlowReaderCostsNoMemory"}},
	}}
}

func acceptance() Section {
	return Section{Title: "Association acceptance policy", Intro: `
The gateway decides by the request alone, before any server hears of it.`, Clauses: []Clause{
		{"No acceptor is connected to before the whole A-ASSOCIATE-RQ has arrived and was found sensible.", "PS3.8 9.1.2",
			[]string{conf + "TestNoServerIsDialledForARudeClient", gate + "TestSilentClientIsCutAndNoServerDialled"}},
		{"Called and calling AE titles are compared without leading and trailing spaces and NULs, with regard to case unless told otherwise, against lists of patterns.",
			"PS3.8 9.3.2", []string{gate + "TestNoServerIsAskedForNonsense", gate + "TestRoutesLeadToServers/called AE title with blanks around", dicom + "TestDecodeAssociateRQTitles", "gateway/dicomgate TestJudgeWire", "gateway/dicomgate TestFoldTitle"}},
		{"Requests are judged in this order: protocol version, called AE title, calling AE title, presentation contexts; then by the routes.",
			"PS3.8 9.3.4", []string{"gateway/dicomgate TestJudge"}},
		{"The acceptor is chosen by titles, by abstract and transfer syntaxes proposed, by the requestor's network and implementation class.",
			"PS3.8 9.3.2", []string{gate + "TestRoutesLeadToServers", gate + "TestPersistenceByCallingAE", "gateway/dicomgate TestRouteMatch"}},
		{"Unknown items and sub-items are skipped by their length; items may come in any order.", "PS3.8 9.3.1", []string{dicom + "TestDecodeAssociateRQTolerates"}},
	}}
}

func initiation() Section {
	return Section{Title: "Association initiation policy", Intro: `
Towards an acceptor the gateway repeats the requestor's A-ASSOCIATE-RQ. One connection carries one association.`, Clauses: []Clause{
		{"A request that one acceptor does not accept for now (transient reject, A-ABORT, connection lost, no answer in time) is put to the next one, at most as often as configured.",
			"PS3.8 9.3.4", []string{gate + "TestAnotherServerIsAsked", gate + "TestRetryIsBounded", gate + "TestFailedDialGoesToTheNextServerAndAsksForACheck"}},
		{"A permanent reject is passed on at once. When nobody accepts, the requestor gets the last acceptor's own words.",
			"PS3.8 9.3.4", []string{gate + "TestAnotherServerIsAsked/rejected for good", gate + "TestNobodyAccepts"}},
		{"An acceptor that is only slow is waited for while there is no other, up to `timeouts.handshake`.", "PS3.8 9.1.4", []string{gate + "TestSlowServerWithoutAnother", gate + "TestServerThatNeverAnswers"}},
		{"After an A-ASSOCIATE-AC nothing is sent to another acceptor.", "PS3.8 9.3.3", []string{conf + "TestArchiveIsKilledAndComesBack"}},
	}}
}

func titles() Section {
	return Section{Title: "AE titles", Intro: `
The gateway has no title of its own. It shows the requestor's unless told to write others; titles inside commands and data sets
are never changed.`, Clauses: []Clause{
		{"A server's called AE title and a route's calling AE title are written into the 16 bytes of the request, padded with spaces; the A-ASSOCIATE-AC carries the requestor's own.",
			"PS3.8 9.3.2, 9.3.3", []string{gate + "TestTitlesAreRewritten", dicom + "TestCopyTitles", conf + "TestTitlesTowardsTheServer"}},
		{"Archives that open associations by themselves (C-MOVE, event reports) reach their destinations under one calling AE title, by routes on the called one.",
			"PS3.4 C.4.2, J.3.3", []string{conf + "TestEgress", conf + "TestStorageCommitment"}},
	}}
}

func reading() Section {
	return Section{Title: "What is read of an association that is carried", Intro: `
Responses of the acceptor are read along: status, message, sub-operations. Data sets are not read, and no UID of an instance
is kept.`, Clauses: []Clause{
		{"Commands are understood in any legal arrangement of fragments, and what is not understood is carried all the same.", "PS3.8 E; PS3.7 6.3.1",
			[]string{dicom + "TestScannerSees", dicom + "TestScannerEveryCut", dicom + "TestScannerSkips", dicom + "TestScannerResyncs", dicom + "FuzzScanner", "gateway/dicomgate TestLegalConversations",
				"gateway/dicomgate TestRecordedConversations", "gateway/dicomgate TestRecordedInAnyPieces", conf + "TestOddPDUs"}},
		{"Responses are counted by command and class of status, sub-operations as the final response says; with `inspect: false` nothing is read.", "PS3.7 9.3",
			[]string{gate + "TestAnswersAreCountedAndLogged", gate + "TestInspectionOff", conf + "TestMoveByPynetdicom"}},
		{"Refusals for want of resources (A7xx of C-STORE and C-FIND, A701 of C-MOVE and C-GET, 0213), A-ABORT 2/0 and, where told so, responses that do not come (C-MOVE excepted) are held against the acceptor; what the requestor may have caused is not.",
			"PS3.4 B.2.3, C.4.1.1.4, C.4.2.1.5; PS3.7 C.5.22", []string{"gateway/dicomgate TestBlameResponses", "gateway/dicomgate TestBlameAborts", gate + "TestFailingServerIsEjected", gate + "TestServerThatOwesAResponse", "gateway/dicomgate TestMoveIsNotOwed",
				conf + "TestServerOutOfResources", conf + "TestClientsOwnFaultsEjectNobody"}},
		{"Statuses fall into success, warning, failure, cancel and pending as the standard says.", "PS3.7 C", []string{dicom + "TestStatusClassOf"}},
	}}
}

func rejects() Section {
	return Section{Title: "A-ASSOCIATE-RJ that the gateway sends in its own name", Clauses: []Clause{
		{"1/1/7 called AE title not recognized: the title is empty, or not accepted.", "PS3.8 9.3.4", []string{gate + "TestNoServerIsAskedForNonsense/called AE title not accepted", gate + "TestNoServerIsAskedForNonsense/called AE title of spaces", "gateway/dicomgate TestJudgeWire"}},
		{"1/1/3 calling AE title not recognized: the title is empty, or not accepted.", "PS3.8 9.3.4", []string{gate + "TestNoServerIsAskedForNonsense/calling AE title not accepted", gate + "TestNoServerIsAskedForNonsense/calling AE title of spaces", "gateway/dicomgate TestJudgeWire"}},
		{"1/2/2 protocol version not supported: bit 0 is not set.", "PS3.8 9.3.2, 9.3.4", []string{gate + "TestNoServerIsAskedForNonsense/another protocol version", dicom + "TestDecodeAssociateRQVersion"}},
		{"2/3/1 temporary congestion: no acceptor can be used, or none answered.", "PS3.8 9.3.4", []string{gate + "TestNoServer", gate + "TestServerThatNeverAnswers"}},
		{"2/3/2 local limit exceeded: every place is taken.", "PS3.8 9.3.4", []string{gate + "TestDICOMOverTheLimitIsTold", gate + "TestFullServerWithoutAQueue", gate + "TestAssociationsPerCallingAE"}},
		{"Any of the standard's combinations, where a route says so.", "PS3.8 9.3.4", []string{gate + "TestNoServerIsAskedForNonsense/a route that rejects", gate + "TestNoServerIsAskedForNonsense/a route that rejects by numbers", "gateway/dicomgate TestParseReject"}},
	}}
}

func aborts() Section {
	return Section{Title: "A-ABORT that the gateway sends in its own name", Intro: `
All are of source 2, service provider. The peers' own A-ABORT are carried as they are.`, Clauses: []Clause{
		{"2/0 not specified, to whoever remains: the other side ended its connection without release or abort, also in place of the A-RELEASE-RP that it was asked for. It is sent between two PDUs only; in the middle of one, or where that is not known (with `inspect: false`, never), the connection ends as the other one did.",
			"PS3.8 9.3.8", []string{"gateway/dicomgate TestEnding", "gateway/dicomgate TestAnswersThatMayComeEarly", "gateway/dicomgate TestOwesRelease", gate + "TestLostPeers", gate + "TestReleaseAskedWithAnEnd", gate + "TestInspectionOff",
				conf + "TestServerThatDies", conf + "TestAssociationsInAStorm"}},
		{"2/0, to both, the time of a drain is over; a reset for a side in the middle of a PDU.", "PS3.8 9.3.8", []string{gate + "TestDrainDeadlineAborts"}},
		{"2/1 unrecognized PDU: what comes first is no PDU.", "PS3.8 9.3.8", []string{gate + "TestDICOMFirstUnit", "gateway/dicomgate TestAnswer"}},
		{"2/2 unexpected PDU: another PDU than A-ASSOCIATE-RQ comes first, or anything but A-ABORT before the answer.", "PS3.8 9.3.8", []string{"gateway/dicomgate TestAnswer", gate + "TestClientBeforeTheAnswer/sends data"}},
		{"2/6 invalid PDU parameter value: impossible lengths, senseless items, no presentation context.", "PS3.8 9.3.8", []string{"gateway/dicomgate TestAnswer", gate + "TestNoServerIsAskedForNonsense/no presentation context", dicom + "TestDecodeAssociateRQRefuses"}},
	}}
}

func timers() Section {
	return Section{Title: "Timers and limits", Clauses: []Clause{
		{"ARTIM for the whole request, `timeouts.handshake`, 30 s; bytes that drip in do not move it. Then the connection is closed without a PDU.",
			"PS3.8 9.1.5", []string{conf + "TestNoServerIsDialledForARudeClient", "gateway/engine TestDripIsCut"}},
		{"After a reject or an abort of its own the gateway waits a bounded time for the peer to close, then closes.", "PS3.8 9.1.4, 9.1.5", []string{"gateway/relay TestRefusedClientThatNeverClosesIsClosed"}},
		{"After an A-RELEASE-RP both connections are closed within a bounded time, whether the peers close them or not.", "PS3.8 9.1.4", []string{gate + "TestReleasedAssociationIsClosed"}},
		{"An association without traffic lives for `timeouts.client` and `timeouts.server`, 1 h; traffic in either direction counts.", "PS3.8 9.1.4", []string{"gateway/relay TestIdleLimits", "gateway/relay TestIdleLimitIsMovedByTraffic"}},
		{"A request may have 1 MiB.", "PS3.8 9.3.2", []string{"gateway/dicomgate TestLength/the largest request", "gateway/dicomgate TestLength/one more"}},
		{"The number of associations is limited by service, by source address and by server, where told so.", "PS3.8 9.3.4", []string{gate + "TestLimits", gate + "TestDICOMOverTheLimitIsTold"}},
		{"A bounded queue may hold requests that find no place, for a bounded time; the requestor may leave it.", "PS3.8 9.3.4", []string{gate + "TestQueue", gate + "TestQueueIsLeft", gate + "TestQueueForACallingAE"}},
		{"Running associations finish when the gateway stops or a server is drained, within `timeouts.drain`, 10 min.", "PS3.8 9.1.4", []string{conf + "TestGentleEnd", conf + "TestDrainedServer", gate + "TestReloadDrainDeadline"}},
	}}
}

func security() Section {
	return Section{Title: "Security", Intro: `
The gateway's DICOM services carry no secure transport connection: without the request in clear nothing can be decided. Protect
the network, or carry TLS whole with a service of protocol ` + "`tcp`" + `. AE titles are no authentication.

Probes speak TLS 1.2 and 1.3 (older versions where told so), check the server's certificate against a CA, a name or a fingerprint, and
show one of their own.`, Clauses: []Clause{
		{"A requestor that begins with TLS is answered with A-ABORT 2/1; no acceptor hears of it.", "PS3.8 9.3.8", []string{conf + "TestNoServerIsDialledForARudeClient"}},
		{"Nothing of what is carried is told in logs, metrics or status: no patient, no instance, no identity.", "PS3.15 E", []string{conf + "TestNothingOfObjectsIsTold", gate + "TestNothingOfWhatIsCarriedIsTold"}},
		{"Transcripts of probes mask patient attributes and user identities.", "PS3.15 E", []string{talk + "TestPatient", talk + "TestUserIdentity"}},
	}}
}
