package dicomstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"io"
	"math/big"

	"github.com/suyashkumar/dicom/pkg/tag"

	"gantry/negotiate/internal/dicomtalk"
	"gantry/protocols/dicom"
)

// The patient and the study of all test images: whoever finds them in an archive sees what they are.
const (
	patientName = "ZZ-GANTRY-PROBE^TEST IMAGE"
	patientID   = "ZZ-GANTRY-PROBE"
	studyUID    = "2.25.258063791144017826930516273094381265507"
	seriesUID   = "2.25.258063791144017826930516273094381265508"
	studyDate   = "20260101"
)

// image is the test image of one server.
type image struct {
	uid    string // SOP instance
	head   []byte // the data set up to the pixels, Implicit VR Little Endian
	pixels int    // bytes, all of them black
}

// instanceUID gives the image of a server its UID, always the same, as PS3.5 B.2 makes it from a UUID (version 8,
// RFC 9562 5.8: its bits come from a hash).
func instanceUID(service, server string) string {
	sum := sha256.Sum256([]byte("gantry dicom-store\x00" + service + "\x00" + server))
	uuid := sum[:16]
	uuid[6] = uuid[6]&0x0F | 0x80
	uuid[8] = uuid[8]&0x3F | 0x80
	return "2.25." + new(big.Int).SetBytes(uuid).String()
}

// newImage makes an image of about size bytes of pixels: a Secondary Capture, PS3.3 A.8.1.
func newImage(uid string, size int) (image, error) {
	rows, columns := shape(size)
	head, err := dicomtalk.Encode(
		dicomtalk.Text(tag.SOPClassUID, dicom.SecondaryCaptureUID),
		dicomtalk.Text(tag.SOPInstanceUID, uid),
		dicomtalk.Text(tag.StudyDate, studyDate),
		dicomtalk.Text(tag.StudyTime, ""),
		dicomtalk.Text(tag.AccessionNumber, ""),
		dicomtalk.Text(tag.Modality, "OT"),
		dicomtalk.Text(tag.ConversionType, "SYN"),
		dicomtalk.Text(tag.ReferringPhysicianName, ""),
		dicomtalk.Text(tag.StudyDescription, "GANTRY HEALTH CHECK"),
		dicomtalk.Text(tag.PatientName, patientName),
		dicomtalk.Text(tag.PatientID, patientID),
		dicomtalk.Text(tag.PatientBirthDate, ""),
		dicomtalk.Text(tag.PatientSex, ""),
		dicomtalk.Text(tag.StudyInstanceUID, studyUID),
		dicomtalk.Text(tag.SeriesInstanceUID, seriesUID),
		dicomtalk.Text(tag.StudyID, "GANTRY"),
		dicomtalk.Text(tag.SeriesNumber, "1"),
		dicomtalk.Text(tag.InstanceNumber, "1"),
		dicomtalk.Text(tag.PatientOrientation, ""),
		dicomtalk.Number(tag.SamplesPerPixel, 1),
		dicomtalk.Text(tag.PhotometricInterpretation, "MONOCHROME2"),
		dicomtalk.Number(tag.Rows, rows),
		dicomtalk.Number(tag.Columns, columns),
		dicomtalk.Number(tag.BitsAllocated, 8),
		dicomtalk.Number(tag.BitsStored, 8),
		dicomtalk.Number(tag.HighBit, 7),
		dicomtalk.Number(tag.PixelRepresentation, 0),
	)
	// The pixels themselves are never in memory: only their head is, and zeros are read behind it.
	head = append(head, 0xE0, 0x7F, 0x10, 0x00)
	head = binary.LittleEndian.AppendUint32(head, uint32(rows*columns))
	return image{uid: uid, head: head, pixels: rows * columns}, err
}

// shape gives an image of at most size bytes, at least MinSize: columns a power of two from 32, and not fewer rows than columns.
func shape(size int) (rows, columns int) {
	columns = 32
	for 4*columns*columns <= size {
		columns *= 2
	}
	return size / columns, columns
}

// size is that of the whole data set, in bytes.
func (i image) size() int { return len(i.head) + i.pixels }

// reader reads the whole data set.
func (i image) reader() io.Reader {
	return io.MultiReader(bytes.NewReader(i.head), io.LimitReader(black{}, int64(i.pixels)))
}

// black is pixels without end.
type black struct{}

func (black) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// identifier searches for exactly this image, PS3.4 C.6.2.1.
func (i image) identifier() ([]byte, error) {
	return dicomtalk.Encode(
		dicomtalk.Text(tag.SOPInstanceUID, i.uid),
		dicomtalk.Text(tag.QueryRetrieveLevel, "IMAGE"),
		dicomtalk.Text(tag.StudyInstanceUID, studyUID),
		dicomtalk.Text(tag.SeriesInstanceUID, seriesUID),
	)
}
