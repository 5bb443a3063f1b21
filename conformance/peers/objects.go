package peers

import (
	"fmt"
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
	instance := fmt.Sprintf("%s.1.%d", StudyUID(study), i)
	var elements []*dicom.Element
	for _, e := range []struct {
		tag   tag.Tag
		value any
	}{
		{tag.MediaStorageSOPClassUID, []string{secondaryCapture}},
		{tag.MediaStorageSOPInstanceUID, []string{instance}},
		{tag.TransferSyntaxUID, []string{uid.ExplicitVRLittleEndian}},
		{tag.ImplementationClassUID, []string{"2.25.7301"}},
		{tag.SOPClassUID, []string{secondaryCapture}},
		{tag.SOPInstanceUID, []string{instance}},
		{tag.Modality, []string{"OT"}},
		{tag.PatientName, []string{"CONFORMANCE^INVENTED"}},
		{tag.PatientID, []string{fmt.Sprintf("ZZ-%d", study)}},
		{tag.StudyInstanceUID, []string{StudyUID(study)}},
		{tag.SeriesInstanceUID, []string{StudyUID(study) + ".1"}},
		{tag.InstanceNumber, []string{fmt.Sprint(i)}},
		{tag.SamplesPerPixel, []int{1}},
		{tag.PhotometricInterpretation, []string{"MONOCHROME2"}},
		{tag.Rows, []int{side}},
		{tag.Columns, []int{side}},
		{tag.BitsAllocated, []int{8}},
		{tag.BitsStored, []int{8}},
		{tag.HighBit, []int{7}},
		{tag.PixelRepresentation, []int{0}},
		{tag.PixelData, dicom.PixelDataInfo{IntentionallyUnprocessed: true, UnprocessedValueData: make([]byte, side*side)}},
	} {
		element, err := dicom.NewElement(e.tag, e.value)
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
