package dicomstore

import (
	"bytes"
	"encoding/binary"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
	library "github.com/suyashkumar/dicom"
	"github.com/suyashkumar/dicom/pkg/tag"

	"gantry/protocols/dicom"
)

// TestImage reads the image with the library's reader: elements, order and lengths are sound.
func TestImage(t *testing.T) {
	image, err := newImage("2.25.7", MinSize)
	require.NoError(t, err)
	set, err := io.ReadAll(image.reader())
	require.NoError(t, err)
	require.Len(t, set, image.size())
	require.Zero(t, len(set)%2)
	p, err := library.NewParser(bytes.NewReader(set), int64(len(set)), nil, library.SkipMetadataReadOnNewParserInit(), library.SkipProcessingPixelDataValue())
	require.NoError(t, err)
	p.SetTransferSyntax(binary.LittleEndian, true)
	var tags []tag.Tag
	for {
		e, err := p.Next()
		if err != nil {
			require.ErrorIs(t, err, library.ErrorEndOfDICOM)
			break
		}
		if len(tags) > 0 {
			require.Equal(t, -1, tags[len(tags)-1].Compare(e.Tag), "ascending")
		}
		tags = append(tags, e.Tag)
	}
	require.Equal(t, tag.PixelData, tags[len(tags)-1])
	require.Equal(t, "ZZ-GANTRY-PROBE", string(element(t, set, 0x00100020)))
	require.Equal(t, "ZZ-GANTRY-PROBE^TEST IMAGE", string(element(t, set, 0x00100010)))
	require.Equal(t, "2.25.7", string(element(t, set, 0x00080018)))
	require.Equal(t, dicom.SecondaryCaptureUID, string(element(t, set, 0x00080016)))
}

func TestShape(t *testing.T) {
	for _, tt := range []struct{ size, rows, columns int }{
		{1 << 10, 32, 32}, {1<<10 + 31, 32, 32}, {4 << 10, 64, 64}, {4<<10 - 1, 127, 32},
		{2 << 20, 2048, 1024}, {1200000, 1171, 1024}, {64 << 20, 8192, 8192},
	} {
		rows, columns := shape(tt.size)
		require.Equal(t, []int{tt.rows, tt.columns}, []int{rows, columns}, tt.size)
		require.LessOrEqual(t, rows*columns, tt.size)
		require.Zero(t, rows*columns%2)
	}
}

// TestInstanceUID: always the same for a server, another one for each, and one that PS3.5 B.2 allows.
func TestInstanceUID(t *testing.T) {
	uid := instanceUID("DICOM", "DICOM2")
	require.Equal(t, "2.25.31383355646548506298827463528707948976", uid, "an image that was stored once must be met again")
	require.NotEqual(t, uid, instanceUID("DICOM", "DICOM3"))
	require.NotEqual(t, uid, instanceUID("DICOMD", "ICOM2"))
	require.LessOrEqual(t, len(uid), 64)
}
