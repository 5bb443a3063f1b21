package protocols

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSyntaxError(t *testing.T) {
	err := fmt.Errorf("reading association: %w", &SyntaxError{Proto: "dicom", Offset: 74, Msg: "item 20 is cut"})
	require.EqualError(t, err, "reading association: dicom: offset 74: item 20 is cut")
	require.NotErrorIs(t, err, ErrShort)
}
