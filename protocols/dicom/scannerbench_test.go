package dicom

import "testing"

// storeRSP is a whole C-STORE-RSP as archives send it.
func storeRSP() []byte {
	c := Command{
		Field: CStoreRSP, AffectedSOPClassUID: CTImageStorageUID, MessageIDBeingRespondedTo: 7, DataSetType: NoDataSet,
		AffectedSOPInstanceUID: "2.25.329800735698586629295641978511506172918",
	}
	return AppendPData(nil, PDV{ContextID: 1, Command: true, Last: true, Data: c.Append(nil)})
}

// nobody looks.
type nobody struct{}

func (nobody) PDU(PDUType, uint32)    {}
func (nobody) Whole(PDUType, []byte)  {}
func (nobody) Command(byte, *Command) {}
func (nobody) Data(byte, int, bool)   {}

func BenchmarkScannerResponse(b *testing.B) {
	var s Scanner
	pdu := storeRSP()
	b.ReportAllocs()
	for b.Loop() {
		s.Feed(pdu, nobody{})
	}
}

func BenchmarkScannerData(b *testing.B) {
	var s Scanner
	pdu := AppendPData(nil, PDV{ContextID: 1, Data: make([]byte, 16<<10)})
	b.SetBytes(int64(len(pdu)))
	b.ReportAllocs()
	for b.Loop() {
		s.Feed(pdu, nobody{})
	}
}

func BenchmarkDecodeCommand(b *testing.B) {
	set := storeRSP()[HeaderLen+pdvHeadLen:]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeCommand(set); err != nil {
			b.Fatal(err)
		}
	}
}
