package gallery

// The checks of XDS servers.
var (
	query     = check{kind: "xds-registry", keys: []string{"path=/services/registry"}}
	wsdl      = check{kind: "http", keys: []string{"path=/services/registry?wsdl"}}
	retrieve  = check{kind: "xds-repository", keys: []string{"path=/services/repository"}}
	patient   = query.with("patient_id=ZZ-GANTRY-PROBE^^^&1.2.3.4&ISO", "min_documents=1")
	testPaper = retrieve.with("repository_uid=2.25.316427.4", "document_uid=2.25.316427.4.1")
)

// xdsFailures are those of registries and repositories.
var xdsFailures = []failure{
	{
		number: 45, title: "HTTP 200 with a SOAP fault inside", at: registryServer,
		users:  "The portal shows no documents; the monitoring of HTTP is green.",
		wire:   "HTTP/1.1 200 OK, and in the body a Fault.",
		fooled: []check{wsdl},
		scenes: []scene{{peer: registry("fault-200"), check: query, says: once(failed(ask, badStatus))}},
	},
	{
		number: 46, title: "HTTP 200 with a login or maintenance page", at: registryServer,
		users:  "As 45; for clients it is not even SOAP.",
		wire:   "HTTP/1.1 200 OK, text/html.",
		fooled: []check{wsdl},
		scenes: []scene{
			{peer: registry("html-200"), check: query, says: once(failed(ask, mismatch))},
			{peer: viewing("maintenance"), check: login.with("expect_body=Viewer").toward(viewerServer), says: once(failed(ask, mismatch))},
		},
	},
	{
		number: 47, title: "Redirects to an identity provider", at: registryServer,
		users: "Clients without a browser get a page that they cannot read.",
		wire:  "HTTP/1.1 302 with a Location elsewhere.",
		scenes: []scene{
			{peer: registry("login-redirect"), check: query, says: once(failed(ask, redirected))},
			{peer: viewing("redirect"), check: login.toward(viewerServer), says: once(failed(ask, redirected))},
		},
	},
	{
		number: 48, title: "Application server up, application not deployed", at: registryServer,
		users:  "Nothing works since the restart.",
		wire:   "HTTP/1.1 404 with a page of HTML.",
		scenes: []scene{{peer: registry("not-deployed"), check: query, says: once(failed(ask, badStatus))}},
	},
	{
		number: 49, title: "Registry's database down", at: registryServer,
		users:  "Searches for documents fail.",
		wire:   "Failure with XDSRegistryError, or a SOAP fault of the receiver.",
		fooled: []check{wsdl},
		scenes: []scene{
			{peer: registry("registry-error"), check: query, says: once(failed(ask, badStatus))},
			{peer: registry("soap-fault=receiver"), check: query, says: once(failed(ask, badStatus))},
		},
	},
	{
		number: 50, title: "Repository works, and cannot reach its registry", at: repositoryServer, by: byNobody,
		users:  "Documents can be read, new ones cannot be published.",
		wire:   "ITI-43 succeeds; ITI-41 fails with XDSRegistryNotAvailable.",
		fooled: []check{retrieve, testPaper},
		peer:   repository(),
		others: "Only a document that is provided (ITI-41) shows it, and no kind of check writes to a repository: it could not be undone. What would notice it: looking at the answers to ITI-41 in live traffic. Check the registry from where the repository stands as well.",
	},
	{
		number: 51, title: "Repository's file store not mounted", at: repositoryServer,
		users:  "Documents are found, and open empty or not at all.",
		wire:   "Success with a document of 0 bytes, or Failure with XDSRepositoryError.",
		fooled: []check{retrieve},
		scenes: []scene{
			{note: "Needs a test document that the site keeps for this.", peer: repository("empty-document"), check: testPaper, says: once(failed(ask, mismatch))},
			{peer: repository("registry-error"), check: testPaper, says: once(failed(ask, badStatus))},
		},
	},
	{
		number: 52, title: "Empty database after a restore", at: registryServer,
		users:  "No patient has documents any more.",
		wire:   "Success, without a document.",
		fooled: []check{wsdl, query},
		scenes: []scene{{note: "Needs a test patient that the site keeps for this.", peer: registry("empty"), check: patient, says: once(failed(ask, mismatch))}},
	},
	{
		number: 53, title: "Too busy, in waves", at: registryServer,
		users:  "In the morning rush every third search fails.",
		wire:   "Failure with XDSRegistryBusy.",
		fooled: []check{wsdl},
		scenes: []scene{{note: "A busy server lives: it gets less to do, and is not taken out.", peer: registry("busy"), check: query, says: once(degraded(ask, badStatus))}},
	},
	{
		number: 54, title: "Answers another request", at: registryServer,
		users:  "One patient's documents appear at another. Stop the server.",
		wire:   "wsa:RelatesTo is not the MessageID that was sent: threads or a cache mix answers up.",
		fooled: []check{wsdl},
		scenes: []scene{{peer: registry("wrong-relates-to"), check: query, says: once(failed(ask, mismatch))}},
	},
	{
		number: 55, title: "Client certificate not trusted on one node", at: registryServer,
		users:  "It works with one node and not with the other.",
		wire:   "In TLS 1.3 the handshake succeeds for the client; the alert comes with its first read.",
		fooled: []check{secureConnect},
		scenes: []scene{
			{brief: true, peer: secureRegistry("distrust-client"), check: tlsCheck.with(ourCertificate...), says: once(failed(ask, handshake))},
			{peer: secureRegistry("distrust-client"), check: query.with("scheme=https", "tls.ca_file=hospital-ca.pem").with(ourCertificate...), says: once(failed(ask, handshake))},
		},
	},
	{
		number: 56, title: "Check of SAML assertions broken", at: registryServer,
		users:  "Everybody is refused, with valid assertions.",
		wire:   "A SOAP fault of the sender with a security subcode, for every query.",
		fooled: []check{wsdl},
		scenes: []scene{{note: "Degraded and never more: an assertion that has expired must not take all servers out.",
			peer: registry("soap-fault=security"), check: query.with("security_file=saml.xml"), says: once(degraded(ask, rejected))}},
	},
	{
		number: 57, title: "Requests in chunks refused", at: registryServer,
		users:  "Since the update of the proxy some clients fail, others work.",
		wire:   "HTTP/1.1 411 or 400 for Transfer-Encoding: chunked.",
		fooled: []check{wsdl, query},
		scenes: []scene{{peer: registry("no-chunked"), check: query.with("chunked=true"), says: once(failed(ask, badStatus))}},
	},
	{
		number: 58, title: "Document cut off", at: repositoryServer,
		users:  "Documents end in the middle, or the viewer says that the file is damaged.",
		wire:   "An MTOM package without its closing boundary.",
		fooled: nil,
		scenes: []scene{{peer: repository("truncated-mtom"), check: testPaper, says: once(failed(ask, malformed))}},
	},
}
