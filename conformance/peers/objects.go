package peers

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"
	"github.com/suyashkumar/dicom/pkg/uid"
)

// secondaryCapture is the storage class that every archive takes without being asked.
const secondaryCapture = "1.2.840.10008.5.1.4.1.1.7"

// WriteObjects writes n DICOM files with pixel data of about size bytes each into a new folder under
// dir. The patient is invented, the objects belong to one study, and no two calls share a UID as long as
// their study numbers differ.
func WriteObjects(dir string, study, n, size int) (files []string, err error) {
	folder := filepath.Join(dir, fmt.Sprintf("study-%d", study))
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	for i := 1; i <= n; i++ {
		file := filepath.Join(folder, fmt.Sprintf("%04d.dcm", i))
		if err := writeObject(file, study, i, size); err != nil {
			return nil, fmt.Errorf("writing %s: %w", file, err)
		}
		files = append(files, file)
	}
	return files, nil
}

// StudyUID is the Study Instance UID of the objects that WriteObjects makes for a study number.
func StudyUID(study int) string { return fmt.Sprintf("2.25.7301.%d", study) }

func writeObject(file string, study, i, size int) error {
	side := int(math.Ceil(math.Sqrt(float64(size))))
	side += side % 2 // an even number of bytes, as every value
	return writeImage(file, secondaryCapture, study, i, side, make([]byte, side*side))
}

// writeImage writes an image of side×side pixels of 8 bits; those that are given, be they too few.
func writeImage(file, class string, study, i, side int, pixels []byte, more ...attribute) error {
	instance := fmt.Sprintf("%s.1.%d", StudyUID(study), i)
	attributes := append([]attribute{
		{tag.MediaStorageSOPClassUID, []string{class}},
		{tag.MediaStorageSOPInstanceUID, []string{instance}},
		{tag.TransferSyntaxUID, []string{uid.ExplicitVRLittleEndian}},
		{tag.ImplementationClassUID, []string{"2.25.7301"}},
		{tag.SOPClassUID, []string{class}},
		{tag.SOPInstanceUID, []string{instance}},
		{tag.Modality, []string{"OT"}},
		{tag.PatientName, []string{"CONFORMANCE^INVENTED"}},
		{tag.PatientID, []string{fmt.Sprintf("ZZ-%d", study)}},
		{tag.StudyInstanceUID, []string{StudyUID(study)}},
		{tag.SeriesInstanceUID, []string{StudyUID(study) + ".1"}},
		{tag.InstanceNumber, []string{fmt.Sprint(i)}},
		{tag.SamplesPerPixel, []int{1}},
		{tag.PhotometricInterpretation, []string{"MONOCHROME2"}},
	}, append(more,
		attribute{tag.Rows, []int{side}},
		attribute{tag.Columns, []int{side}},
		attribute{tag.BitsAllocated, []int{8}},
		attribute{tag.BitsStored, []int{8}},
		attribute{tag.HighBit, []int{7}},
		attribute{tag.PixelRepresentation, []int{0}},
		attribute{tag.PixelData, dicom.PixelDataInfo{IntentionallyUnprocessed: true, UnprocessedValueData: pixels}},
	)...)
	var elements []*dicom.Element
	for _, a := range attributes {
		element, err := dicom.NewElement(a.tag, a.value)
		if err != nil {
			return err
		}
		elements = append(elements, element)
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := dicom.Write(out, dicom.Dataset{Elements: elements}); err != nil {
		return err
	}
	return out.Close()
}

type attribute struct {
	tag   tag.Tag
	value any
}

// multiframe is Multi-frame Grayscale Byte Secondary Capture.
const multiframe = "1.2.840.10008.5.1.4.1.1.7.2"

// WriteHugeObject writes a multi-frame object with pixel data of the given MiB, a frame each, and returns its path.
// The file is sparse: some bytes in each frame tell it from the others, the rest takes no room on the disk.
func WriteHugeObject(dir string, frames int) (string, error) {
	const side = 1024
	name := filepath.Join(dir, "huge.dcm")
	err := writeImage(name, multiframe, 500, 1, side, []byte{}, attribute{tag.NumberOfFrames, []string{fmt.Sprint(frames)}})
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return "", err
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd) // behind the length of the pixel data, which is the last element, and empty
	if err != nil {
		return "", err
	}
	if _, err := f.WriteAt(binary.LittleEndian.AppendUint32(nil, uint32(frames*side*side)), end-4); err != nil {
		return "", err
	}
	for i := range frames {
		if _, err := f.WriteAt(fmt.Appendf(nil, "frame %d", i), end+int64(i*side*side)); err != nil {
			return "", err
		}
	}
	return name, errors.Join(f.Truncate(end+int64(frames*side*side)), f.Close())
}
