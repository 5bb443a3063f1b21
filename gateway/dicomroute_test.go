package gateway_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gantry/protocols/dicom"
)

// What cannot be an association is answered by the gateway and seen by nobody else.
func TestNoServerIsAskedForNonsense(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	start(t, dicomService(addr, `  dicom: {accept_called_ae: [PACS, "VNA*"], accept_calling_ae: ["CT*", MR1]}
  routes: [{when: {calling_ae: [CT9]}, reject: local-limit-exceeded}, {when: {calling_ae: [CT8]}, reject: 2/1/1}]
`, a))
	oldVersion := proposal("PACS", "CT1", ctImage)
	oldVersion.Version = 2
	for _, tt := range []struct {
		name string
		rq   dicom.AssociateRQ
		want string
	}{
		{"called AE title not accepted", proposal("ELSEWHERE", "CT1", ctImage), rjCalled},
		{"called AE title in another case", proposal("pacs", "CT1", ctImage), rjCalled},
		{"called AE title of spaces", proposal("", "CT1", ctImage), rjCalled},
		{"calling AE title not accepted", proposal("PACS", "US1", ctImage), rjCalling},
		{"calling AE title of spaces", proposal("PACS", "", ctImage), rjCalling},
		{"no presentation context", proposal("PACS", "CT1"), abortParam},
		{"another protocol version", oldVersion, rjVersion},
		{"a route that rejects", proposal("VNA2", "CT9", ctImage), rjFull},
		{"a route that rejects by numbers", proposal("VNA2", "CT8", ctImage), "03000000000400020101"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := dicomClient(t, addr)
			c.says(tt.rq.Append(nil))
			require.Equal(t, tt.want, c.hears())
			require.Equal(t, "", c.hears())
		})
	}
	c, s := together(t, addr, "MR1", a)
	c.says(bytesOf(t, releaseRQ))
	require.Equal(t, releaseRQ, s.hears(), "the archive's first association is the first good one")
}

func TestRoutesLeadToServers(t *testing.T) {
	addr, a, b, c := freePort(t), newArchive(t), newArchive(t), newArchive(t)
	startUp(t, dicomService(addr, failover+`  routes:
  - {when: {called_ae: [VNA]}, servers: [B]}
  - {when: {calling_ae: ["US*"], sop_class: [CTImageStorage]}, servers: [C, B]}
  - {when: {sop_class: ["1.2.840.10008.5.1.4.1.2.*"]}, servers: [B]}
  - {when: {transfer_syntax: [JPEG2000Lossless]}, servers: [C]}
  - {when: {source: [10.0.0.0/8]}, servers: [C]}
`, a, b, c))
	jpeg := proposal("PACS", "CT1", ctImage)
	jpeg.Contexts[0].TransferSyntaxes = []string{implicitLE, "1.2.840.10008.1.2.4.90"}
	for _, tt := range []struct {
		name string
		rq   dicom.AssociateRQ
		want *archive
	}{
		{"by called AE title", proposal("VNA", "CT1", ctImage), b},
		{"called AE title with blanks around", proposal("  VNA", "CT1", ctImage), b},
		{"by calling AE title and SOP class", proposal("PACS", "US3", mrImage, ctImage), c},
		{"not both", proposal("PACS", "US3", mrImage), a},
		{"by a pattern of SOP classes", proposal("PACS", "WS1", dicom.StudyRootFindUID), b},
		{"by transfer syntax", jpeg, c},
		{"no rule fits: all servers, in their order", proposal("PACS", "CT1", ctImage), a},
	} {
		t.Run(tt.name, func(t *testing.T) {
			client := dicomClient(t, addr)
			client.says(tt.rq.Append(nil))
			server, got := tt.want.asked()
			require.Equal(t, tt.rq.Append(nil), got, "byte for byte")
			server.says(acceptance(t, got))
			require.Equal(t, acceptance(t, got), client.pdu())
		})
	}
}

// Odd requests pass untouched: even identifiers, unknown items, reserved bytes in
// use, NULs for padding.
func TestRequestIsForwardedByteForByte(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	start(t, dicomService(addr, "", a))
	rq := proposal("PACS", "CT1", ctImage)
	rq.Contexts[0].ID = 2
	b := rq.Append(nil)
	copy(b[dicom.CalledAEOffset:], "PACS\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	copy(b[42:74], "these bytes are reserved, PS3.8.")
	b = append(b, 0x77, 0, 0, 2, 0xca, 0xfe) // an item that the standard does not have
	b[5] += 6
	client := dicomClient(t, addr)
	client.says(b)
	_, got := a.asked()
	require.Equal(t, b, got)
}

// The titles of a request are rewritten where the configuration says so, and the
// client reads its own in the answer.
func TestTitlesAreRewritten(t *testing.T) {
	addr, a := freePort(t), newArchive(t)
	text := dicomService(addr, "  routes: [{when: {calling_ae: [CT1]}, calling_ae: GANTRY}]\n") +
		"  - {name: A, address: '" + a.addr + "', ae_title: ARCHIVE-SECONDARY}\n"
	_, err := gatewayOf(t, text)
	require.ErrorContains(t, err, "16", "a title that is too long is a mistake")
	text = dicomService(addr, "  routes: [{when: {calling_ae: [CT1]}, calling_ae: GANTRY}]\n") +
		"  - {name: A, address: '" + a.addr + "', ae_title: ARCHIVE-SECOND}\n"
	start(t, text)
	rq := proposal("PACS", "CT1", ctImage)
	sent := rq.Append(nil)
	client := dicomClient(t, addr)
	client.says(sent)
	server, got := a.asked()
	want := proposal("ARCHIVE-SECOND", "GANTRY", ctImage)
	require.Equal(t, want.Append(nil), got)
	server.says(acceptance(t, got))
	require.Equal(t, acceptance(t, sent), client.pdu(), "its own titles, padding included")

	rq = proposal("PACS", "CT2", ctImage)
	client = dicomClient(t, addr)
	client.says(rq.Append(nil))
	_, got = a.asked()
	want = proposal("ARCHIVE-SECOND", "CT2", ctImage)
	require.Equal(t, want.Append(nil), got, "no route names this one")
}

func TestPersistenceByCallingAE(t *testing.T) {
	addr, a, b := freePort(t), newArchive(t), newArchive(t)
	text := dicomService(addr, "  algorithm: round-robin\n", a, b)
	h := startUp(t, replaced(t, text, "by: none", "by: calling-ae"))
	home := map[string]string{}
	for range 3 {
		for _, calling := range []string{"CT1", "MR1", "MR1", "CT1", "CT1"} { // not in step with the servers
			before := h.server("PACS", "A").Total
			client := dicomClient(t, addr)
			rq := proposal("PACS", calling, ctImage)
			client.says(rq.Append(nil))
			require.Eventually(t, func() bool {
				return h.server("PACS", "A").Active+h.server("PACS", "B").Active == 1
			}, patience, tick)
			server := "B"
			if h.server("PACS", "A").Total > before {
				server = "A"
			}
			require.NoError(t, client.Close())
			require.Eventually(t, func() bool {
				return h.server("PACS", "A").Active+h.server("PACS", "B").Active == 0
			}, patience, tick)
			if home[calling] == "" {
				home[calling] = server
			}
			require.Equal(t, home[calling], server, "%s comes back to its server", calling)
		}
	}
	require.NotEqual(t, home["CT1"], home["MR1"], "two titles from one address")
}
