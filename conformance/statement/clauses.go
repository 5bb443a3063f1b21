package statement

// about stands in front of the sections.
const about = `This statement follows the structure of PS3.2. It covers two kinds of application entities of the program ` + "`gantry`" + `:

- the **gateway**: an intermediary between association requestors (modalities, workstations) and association acceptors (archives).
  It is neither the SCU nor the SCP of what it carries; the conformance of the data is that of the peers;
- the **probes**: SCUs that ask servers whether they work, for the gateway's judgement or by hand (` + "`gantry probe`" + `).

What is said of HL7 stands in its own section.

Every claim cites the standard and names the tests that show it. A claim without a test is not made.

| network service | gateway | probes |
|---|---|---|
| Verification | carried | SCU |
| Storage, all SOP classes | carried | SCU of one class, opt-in |
| Query/Retrieve: C-FIND, C-MOVE, C-GET | carried | SCU of C-FIND |
| Modality Worklist | carried | SCU |
| Storage Commitment, MPPS, any other DIMSE-C or DIMSE-N service | carried | – |
| Media storage | – | – |
`

// sections are the statement, in the order of PS3.2 annex N as far as it applies.
func sections() []Section {
	return []Section{
		{Title: "Implementation model", Intro: `
` + "```" + `
 requestor --- association ---> [ gateway: one virtual service ] --- association ---> acceptor
                                          ^ evidence                                     ^
                                [ probes: SCU ] ---------- associations of their own ----+
` + "```" + `

An association through the gateway is one connection from the requestor and one to the acceptor. The gateway reads the
A-ASSOCIATE-RQ, decides, forwards it, and from the A-ASSOCIATE-AC on passes bytes in both directions until one side ends.`},
		{Title: "AE specification: the gateway", Sections: []Section{
			carried(), acceptance(), initiation(), titles(), reading(),
		}},
		{Title: "Rejects, aborts, timers and limits of the gateway", Sections: []Section{
			rejects(), aborts(), timers(),
		}},
		{Title: "AE specification: the probes", Sections: []Section{
			probePolicies(), probeContexts(), probeBehaviour(),
		}},
		{Title: "Network interfaces and configuration", Intro: `
TCP/IP, IPv4 and IPv6. Listen addresses, AE titles, timers and limits are set in the configuration file, see
[docs/configuration.md](../docs/configuration.md); the port is free, the registered ones are 104 and 11112.`, Clauses: []Clause{
			{"One service may listen on several addresses and ports; a server without a port of its own gets the port that the requestor came to.",
				"PS3.8 9.1.2", []string{conf + "TestTheServerGetsThePortTheClientCameTo", conf + "TestIPv6"}},
		}},
		{Title: "Media storage", Intro: "None."},
		{Title: "Character sets", Intro: `
The gateway does not read data sets, so that character sets do not concern it. Probes send and read only values of the default
repertoire (ISO 646).`},
		security(),
		messages(),
	}
}

// Folders, as tests are named.
const (
	conf  = "conformance "
	gate  = "gateway "
	dicom = "protocols/dicom "
	echo  = "negotiate/dicomecho "
	find  = "negotiate/dicomfind "
	store = "negotiate/dicomstore "
	assoc = "negotiate/dicomassociate "
	talk  = "negotiate/internal/dicomtalk "
)
