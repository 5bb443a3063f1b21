package soaptalk

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/negotiate"
	"gantry/protocols/xds"
)

// unhealthy is one failure and what people should read about it.
type unhealthy struct {
	name     string
	endpoint Endpoint
	steps    []step
	reason   negotiate.Reason
	peer     string
	sentence string
}

func (u unhealthy) test(t *testing.T) {
	result, _ := run(t, u.endpoint, u.steps...)
	require.NotNil(t, result.Fault)
	require.Equal(t, u.sentence, result.Fault.Sentence)
	require.Equal(t, u.reason, result.Fault.Reason)
	require.Equal(t, u.peer, result.Fault.Peer)
	require.Equal(t, negotiate.StageAsk, result.Fault.Stage)
	require.LessOrEqual(t, result.Duration, negotiate.DefaultTimeout)
	told := ""
	for _, p := range result.Transcript {
		told += p.Title + strings.Join(p.Notes, " ") + string(p.Bytes)
	}
	require.NotContains(t, told+result.Fault.Peer+result.Fault.Error(), "SECRET")
}

// TestHTTP: what comes before SOAP.
func TestHTTP(t *testing.T) {
	at := " for /services/registry"
	tests := []unhealthy{
		{"silent", Endpoint{}, []step{recv, silent}, negotiate.ReasonTimeout, "",
			"accepts the connection but does not answer POST /services/registry within 5 s: process hung, overloaded, or waiting for something behind it"},
		{"closes", Endpoint{}, []step{recv}, negotiate.ReasonClosed, "",
			"closes the connection without an answer to POST /services/registry: it may expect HTTPS, or its own log may say why"},
		{"body cut off", Endpoint{}, []step{recv, say("HTTP/1.1 200 OK\r\nContent-Type: " + soapType + "\r\nContent-Length: 900\r\n\r\n<s:Env")}, negotiate.ReasonClosed, ok,
			"breaks off in the middle of its answer (200 OK): the body is shorter than announced"},
		{"body never ends", Endpoint{}, []step{recv, say("HTTP/1.1 200 OK\r\nContent-Type: " + soapType + "\r\n\r\n<s:Env"), silent}, negotiate.ReasonTimeout, ok,
			"does not finish its answer (200 OK) within 5 s: very slow, or hung in the middle"},
		{"speaks TLS", Endpoint{}, []step{recv, say("\x15\x03\x01\x00\x02\x02\x46")}, negotiate.ReasonMalformed, "",
			"answers in TLS: this port expects HTTPS; set scheme: https"},

		{"login page with 200", Endpoint{}, []step{recv, reply(ok, html, "<html>SECRET</html>")}, negotiate.ReasonMismatch, ok,
			"answers 200 OK, but with an HTML page in place of SOAP: a login or maintenance page, or the application is not deployed under this path"},
		{"HTML that says it is XML", Endpoint{}, []step{recv, reply(ok, "text/xml", "\n<!DOCTYPE HTML><p>SECRET")}, negotiate.ReasonMismatch, ok,
			"answers 200 OK, but with an HTML page in place of SOAP: a login or maintenance page, or the application is not deployed under this path"},
		{"another content", Endpoint{}, []step{recv, reply(ok, "application/json", "{}")}, negotiate.ReasonMismatch, ok,
			"answers 200 OK, but with application/json in place of SOAP: the path leads to another service"},
		{"a type that is none", Endpoint{}, []step{recv, reply(ok, "SECRET of ZZ", "{}")}, negotiate.ReasonMismatch, ok,
			"answers 200 OK, but with something in place of SOAP: the path leads to another service"},
		{"redirect to a login page", Endpoint{}, []step{recv, say("HTTP/1.1 302 Found\r\nLocation: https://idp.example/saml?x=SECRET\r\nContent-Length: 0\r\n\r\n")}, negotiate.ReasonRedirected, "302 Found",
			"redirects to https://idp.example/saml, probably a login page: SOAP clients cannot log in there"},
		{"redirect to HTTPS", Endpoint{}, []step{recv, say("HTTP/1.1 301 Moved\r\nLocation: https://10.12.1.150/x\r\nContent-Length: 0\r\n\r\n")}, negotiate.ReasonRedirected, "301 Moved Permanently",
			"sends plain HTTP on to https://10.12.1.150/x: set scheme: https, and its port"},
		{"redirect on the same server", Endpoint{}, []step{recv, say("HTTP/1.1 308 Moved\r\nLocation: /new/registry\r\nContent-Length: 0\r\n\r\n")}, negotiate.ReasonRedirected, "308 Permanent Redirect",
			"redirects to http://10.12.1.150:17035/new/registry: SOAP clients do not follow; set path to it"},
		{"redirect to nowhere", Endpoint{}, []step{recv, say("HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n")}, negotiate.ReasonRedirected, "302 Found",
			"answers 302 Found without saying where to go"},
		{"not deployed", Endpoint{}, []step{recv, reply("404 Not Found", html, "SECRET")}, negotiate.ReasonBadStatus, "404 Not Found",
			"answers 404 Not Found" + at + ": the application is not deployed, or the path is wrong"},
		{"503", Endpoint{}, []step{recv, reply("503 Service Unavailable", html, "")}, negotiate.ReasonBadStatus, "503 Service Unavailable",
			"answers 503 Service Unavailable" + at + ": starting, stopping, under maintenance or overloaded"},
		{"500 with a page", Endpoint{}, []step{recv, reply("500 SECRET^ZZ", html, "SECRET")}, negotiate.ReasonBadStatus, "500 Internal Server Error",
			"answers 500 Internal Server Error" + at + ": the application fails; its own log says why"},
		{"502 that says it is XML", Endpoint{}, []step{recv, reply("502 Bad Gateway", "text/xml", "")}, negotiate.ReasonBadStatus, "502 Bad Gateway",
			"answers 502 Bad Gateway" + at + ": what stands behind it is down"},
		{"401", Endpoint{}, []step{recv, reply("401 Unauthorized", html, "")}, negotiate.ReasonBadStatus, "401 Unauthorized",
			"answers 401 Unauthorized" + at + ": it asks for a login of HTTP or a client certificate, or refuses gantry's address; clients behind gantry come from that address too"},
		{"405", Endpoint{}, []step{recv, reply("405 Method Not Allowed", html, "")}, negotiate.ReasonBadStatus, "405 Method Not Allowed",
			"answers 405 Method Not Allowed" + at + ": there is no SOAP service under this path"},
		{"chunks refused", Endpoint{Chunked: true}, []step{recv, reply("411 Length Required", html, "")}, negotiate.ReasonBadStatus, "411 Length Required",
			"answers 411 Length Required" + at + ": it refuses requests in chunks, as many SOAP clients send them; look at the proxy in front of it"},
		{"chunks refused with 400", Endpoint{Chunked: true}, []step{recv, reply("400 Bad Request", html, "")}, negotiate.ReasonBadStatus, "400 Bad Request",
			"answers 400 Bad Request" + at + " before SOAP was reached: it may refuse requests in chunks, as many SOAP clients send it"},
		{"400", Endpoint{}, []step{recv, reply("400 Bad Request", html, "")}, negotiate.ReasonBadStatus, "400 Bad Request",
			"answers 400 Bad Request" + at + " before SOAP was reached: a proxy in between refuses it, it expects HTTPS, or it needs its own name (host)"},
		{"400 to plain HTTP on a TLS port", Endpoint{}, []step{recv, reply("400 Bad Request", html, "The plain HTTP request was sent to HTTPS port")}, negotiate.ReasonBadStatus, "400 Bad Request",
			"answers 400 Bad Request" + at + ": this port expects HTTPS; set scheme: https"},
		{"404 whose page breaks off", Endpoint{}, []step{recv, say("HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nContent-Length: 900\r\n\r\n<html>")}, negotiate.ReasonBadStatus, "404 Not Found",
			"answers 404 Not Found" + at + ": the application is not deployed, or the path is wrong"},
		{"400 whose page of no type breaks off", Endpoint{}, []step{recv, say("HTTP/1.1 400 Bad Request\r\nContent-Length: 900\r\n\r\nClient")}, negotiate.ReasonBadStatus, "400 Bad Request",
			"answers 400 Bad Request" + at + " before SOAP was reached: a proxy in between refuses it, it expects HTTPS, or it needs its own name (host)"},
		{"415", Endpoint{Packed: true}, []step{recv, reply("415 Unsupported Media Type", html, "")}, negotiate.ReasonBadStatus, "415 Unsupported Media Type",
			"answers 415 Unsupported Media Type" + at + ": it does not take MTOM packages with SOAP 1.2; the path leads to another service, or its SOAP stack is set up wrong"},
		{"202", Endpoint{}, []step{recv, say("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")}, negotiate.ReasonMismatch, "202 Accepted",
			"takes the question, but wants to answer it later (202): it is set to asynchronous exchange, which clients do not expect"},
		{"nothing", Endpoint{}, []step{recv, say("HTTP/1.1 204 No Content\r\n\r\n")}, negotiate.ReasonMismatch, "204 No Content",
			"answers 204 No Content, but with nothing in it: something in between, or the path leads to another service"},
	}
	for _, tt := range tests {
		t.Run(tt.name, tt.test)
	}
}

// TestSOAP: envelopes, packages and faults.
func TestSOAP(t *testing.T) {
	const mtom = `multipart/related; boundary=b`
	soap11 := `<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>%</Body></Envelope>`
	tests := []unhealthy{
		{"fault with 200", Endpoint{}, []step{recv, reply(ok, soapType, fault("Receiver"))}, negotiate.ReasonBadStatus, "200 OK, SOAP fault Receiver",
			"fails inside (SOAP fault Receiver with HTTP 200): often its database or what else it needs; its own log says why"},
		{"database down", Endpoint{}, []step{recv, reply("500 Error", soapType, fault("Receiver"))}, negotiate.ReasonBadStatus, "500 Internal Server Error, SOAP fault Receiver",
			"fails inside (SOAP fault Receiver): often its database or what else it needs; its own log says why"},
		{"what is behind it is gone", Endpoint{}, []step{recv, reply("500 Error", soapType, fault("Receiver", "EndpointUnavailable"))}, negotiate.ReasonBadStatus, "500 Internal Server Error, SOAP fault Receiver/EndpointUnavailable",
			"cannot reach the service behind it (SOAP fault EndpointUnavailable): that is down, or the path is wrong"},
		{"another actor's path", Endpoint{}, []step{recv, reply("400 Bad", soapType, fault("Sender", "ActionNotSupported"))}, negotiate.ReasonRejected, "400 Bad Request, SOAP fault Sender/ActionNotSupported",
			"does not know urn:ihe:iti:2007:RegistryStoredQuery (SOAP fault ActionNotSupported): the path leads to another service"},
		{"refused", Endpoint{}, []step{recv, reply("500 Bad", soapType, fault("Sender", "SchemaError"))}, negotiate.ReasonRejected, "500 Internal Server Error, SOAP fault Sender/SchemaError",
			"refuses the question (SOAP fault Sender/SchemaError): it lives, but the path leads to another service, or it wants what this check does not send; its own log says why"},
		{"no addressing", Endpoint{}, []step{recv, reply("500 Bad", soapType, fault("MustUnderstand"))}, negotiate.ReasonRejected, "500 Internal Server Error, SOAP fault MustUnderstand",
			"does not understand a header of the question (SOAP fault MustUnderstand): WS-Addressing is switched off there, or the path leads to another service"},
		{"codes that are no codes", Endpoint{}, []step{recv, reply("500 Bad", soapType, fault("ZZ SECRET", "^SECRET"))}, negotiate.ReasonRejected, "500 Internal Server Error, SOAP fault a code that is none/a code that is none",
			"refuses the question (SOAP fault a code that is none/a code that is none): it lives, but the path leads to another service, or it wants what this check does not send; its own log says why"},
		{"SOAP 1.1", Endpoint{}, []step{recv, reply(ok, "text/xml", strings.Replace(soap11, "%", "<x/>", 1))}, negotiate.ReasonMismatch, ok, soap11Sentence},
		{"version mismatch", Endpoint{}, []step{recv, reply("500 x", "text/xml", strings.Replace(soap11, "%", "<Fault><faultcode>VersionMismatch</faultcode></Fault>", 1))}, negotiate.ReasonMismatch, "500 Internal Server Error, SOAP fault VersionMismatch", soap11Sentence},
		{"an ESB's fault in SOAP 1.1", Endpoint{}, []step{recv, reply("500 x", "text/xml", strings.Replace(soap11, "%", "<Fault><faultcode>Server</faultcode><faultstring>SECRET</faultstring></Fault>", 1))}, negotiate.ReasonBadStatus, "500 Internal Server Error, SOAP fault Receiver",
			"fails inside (SOAP fault Receiver): often its database or what else it needs; its own log says why"},

		{"another question's answer", Endpoint{}, []step{recv, reply(ok, soapType, soap(strings.ReplaceAll(related, "{id}", "urn:uuid:other"), adhoc("Success", "")))}, negotiate.ReasonMismatch, ok,
			"answers another question than this one (RelatesTo does not match): it, or a cache in front of it, mixes up answers"},
		{"another question's fault", Endpoint{}, []step{recv, reply("500 x", soapType, strings.Replace(fault("Receiver"), "<s:Header>", "<s:Header><a:RelatesTo>x</a:RelatesTo>", 1))}, negotiate.ReasonMismatch, "500 Internal Server Error",
			"answers another question than this one (RelatesTo does not match): it, or a cache in front of it, mixes up answers"},
		{"another body", Endpoint{}, []step{recv, reply(ok, soapType, soap(related, "<PRPA_IN201306UV02/>"))}, negotiate.ReasonMismatch, ok,
			"answers with PRPA_IN201306UV02 where AdhocQueryResponse was expected: the path leads to another service, or it mixes up answers"},
		{"an empty body", Endpoint{}, []step{recv, reply(ok, soapType, soap(related, ""))}, negotiate.ReasonMismatch, ok,
			"answers with an empty body where AdhocQueryResponse was expected: the path leads to another service, or it mixes up answers"},
		{"a good body with 500", Endpoint{}, []step{recv, reply("500 Error", soapType, soap(related, adhoc("Success", "")))}, negotiate.ReasonBadStatus, "500 Internal Server Error",
			"answers 500 Internal Server Error for /services/registry: the application fails; its own log says why"},
		{"compressed", Endpoint{}, []step{recv, say("HTTP/1.1 200 OK\r\nContent-Type: " + soapType + "\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08")}, negotiate.ReasonMismatch, ok,
			"answers 200 OK, but compressed (Content-Encoding) although plain text was asked for: look at the proxy in front of it"},
		{"no envelope", Endpoint{}, []step{recv, reply(ok, soapType, "<ping/>")}, negotiate.ReasonMalformed, ok,
			"answers 200 OK, but not with a SOAP envelope: the path leads to another service, or its SOAP stack is broken"},
		{"package cut off", Endpoint{}, []step{recv, reply(ok, mtom, "--b\r\n\r\n"+soap(related, adhoc("Success", "")))}, negotiate.ReasonMalformed, ok,
			"answers 200 OK, but its MTOM package breaks off before the closing boundary: documents reach users cut off"},
		{"broken package", Endpoint{}, []step{recv, reply(ok, mtom, "--b\r\nSECRET\r\n\r\n--b--")}, negotiate.ReasonMalformed, ok,
			"answers 200 OK, but its MTOM package is broken"},
		{"endless envelope", Endpoint{}, []step{recv, say("HTTP/1.1 200 OK\r\nContent-Type: " + soapType + "\r\n\r\n" + strings.Repeat("x", xds.MaxEnvelope+1))}, negotiate.ReasonOversized, ok,
			"answers 200 OK with more than the check is willing to read (envelope 4 MiB, documents 64 MiB)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, tt.test)
	}
}

// TestErrors: what the registry itself reports.
func TestErrors(t *testing.T) {
	tests := []unhealthy{
		{"catch-all", Endpoint{}, []step{recv, failure("XDSRegistryError")}, negotiate.ReasonBadStatus, "Failure XDSRegistryError",
			"reports XDSRegistryError: something behind it fails, often its database; the log of XDS1 says why. Where this is its normal answer, list it in expect_error"},
		{"registry gone", Endpoint{}, []step{recv, failure("XDSUnknownPatientId", "XDSRegistryNotAvailable", "XDSRegistryBusy")}, negotiate.ReasonBadStatus, "Failure XDSUnknownPatientId XDSRegistryNotAvailable XDSRegistryBusy",
			"reports XDSRegistryNotAvailable: the repository cannot reach its registry; look at the registry and the way to it"},
		{"out of resources", Endpoint{ExpectError: []string{"XDSRegistryError"}}, []step{recv, failure("XDSRegistryError", "XDSRegistryOutOfResources")}, negotiate.ReasonBadStatus, "Failure XDSRegistryError XDSRegistryOutOfResources",
			"reports XDSRegistryOutOfResources: it has run out of memory, disk space or database connections"},
		{"community gone", Endpoint{}, []step{recv, failure("XDSUnavailableCommunity")}, negotiate.ReasonBadStatus, "Failure XDSUnavailableCommunity",
			"reports XDSUnavailableCommunity: a community behind it cannot be reached"},
		{"code of a submission", Endpoint{}, []step{recv, failure("XDSDuplicateUniqueIdInRegistry")}, negotiate.ReasonBadStatus, "Failure XDSDuplicateUniqueIdInRegistry",
			"reports XDSDuplicateUniqueIdInRegistry, which belongs to submissions and not to this question: it mixes up answers, or its software is broken"},
		{"vendor's code", Endpoint{}, []step{recv, failure("Vendor42")}, negotiate.ReasonBadStatus, "Failure Vendor42",
			"reports Vendor42, which the profile does not have: the log of XDS1 says why. Where this is its normal answer, list it in expect_error"},
		{"a code that is none", Endpoint{}, []step{recv, failure("ZZ^SECRET")}, negotiate.ReasonBadStatus, "Failure a code that is none",
			"reports a code that is none, which the profile does not have: the log of XDS1 says why. Where this is its normal answer, list it in expect_error"},
		{"a warning is all it says", Endpoint{}, []step{recv, reply(ok, soapType, soap(related, adhoc("Failure", strings.ReplaceAll(errorsOf("XDSRegistryNotAvailable"), "SeverityType:Error", "SeverityType:Warning"))))},
			negotiate.ReasonBadStatus, "Failure XDSRegistryNotAvailable", "reports XDSRegistryNotAvailable: the repository cannot reach its registry; look at the registry and the way to it"},
		{"no code", Endpoint{}, []step{recv, failure()}, negotiate.ReasonBadStatus, "Failure",
			"reports Failure without an error code: its own log may say why"},
		{"no status", Endpoint{}, []step{recv, reply(ok, soapType, soap(related, adhoc("Sucess", "")))}, negotiate.ReasonMalformed, "other",
			"answers without a status of the profile: its software is broken"},
	}
	for _, tt := range tests {
		t.Run(tt.name, tt.test)
	}
}
