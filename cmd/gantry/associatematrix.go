package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"gantry/negotiate/dicomassociate"
	"gantry/protocols/dicom"
)

// matrixWidth is how wide the matrix and its legends are set; a terminal that is narrower breaks the lines itself.
const matrixWidth = 110

// codes are short names of transfer syntaxes for the heads of columns. Others are numbered: T1, T2.
var codes = map[string]string{
	"ImplicitVRLittleEndian": "ILE", "ExplicitVRLittleEndian": "ELE", "ExplicitVRBigEndian": "EBE", "DeflatedExplicitVRLittleEndian": "DEF",
	"EncapsulatedUncompressedExplicitVRLittleEndian": "ENC", "RLELossless": "RLE",
	"JPEGBaseline8Bit": "JB8", "JPEGExtended12Bit": "JX12", "JPEGLossless": "JLL", "JPEGLosslessSV1": "JLS1",
	"JPEGLSLossless": "LSL", "JPEGLSNearLossless": "LSN", "JPEG2000Lossless": "J2L", "JPEG2000": "J2K",
	"JPEG2000MCLossless": "M2L", "JPEG2000MC": "M2K", "JPIPReferenced": "JPIP", "JPIPReferencedDeflate": "JPID",
	"HTJ2KLossless": "HTL", "HTJ2KLosslessRPCL": "HTR", "HTJ2K": "HTJ", "JPEGXLLossless": "XLL", "JPEGXLJPEGRecompression": "XLR", "JPEGXL": "XL",
	"MPEG2MPML": "M2ML", "MPEG2MPHL": "M2HL", "MPEG4HP41": "M4", "MPEG4HP41BD": "M4BD", "MPEG4HP422D": "M42D", "MPEG4HP423D": "M43D",
	"MPEG4HP42STEREO": "M4ST", "HEVCMP51": "HEV", "HEVCM10P51": "HEVX",
}

// mark is one sign of the matrix.
type mark struct{ sign, colour, means string }

// notProposed is the mark of a pair that nobody asked about.
var notProposed = mark{"·", "", "not proposed"}

func markOf(p dicomassociate.PairResult) mark {
	switch p.Answer {
	case dicomassociate.Accepted:
		return mark{"●", green, "accepted"}
	case dicomassociate.Refused:
		if p.Code > dicom.TransferSyntaxesRejected {
			return mark{"x", red, "refused with a result that the standard does not have"}
		}
		return mark{fmt.Sprint(int(p.Code)), red, p.Code.String()}
	case dicomassociate.Misfit:
		return mark{"!", red, "accepted as another transfer syntax than the proposed one"}
	case dicomassociate.Unanswered:
		return mark{"?", red, "left without an answer"}
	case dicomassociate.Lost:
		return mark{"–", yellow, "unknown: the association failed"}
	}
	return mark{"-", yellow, "not asked any more"}
}

// matrix is SOP classes by transfer syntaxes.
type matrix struct {
	syntaxes []string // UIDs: the columns
	heads    []string
	rows     []matrixRow
	used     []mark // in the order in which the legend has them
}

// matrixRow are the classes that share their answers.
type matrixRow struct {
	classes []string // names
	marks   []mark
}

func newMatrix(r dicomassociate.Result) *matrix {
	m := &matrix{syntaxes: syntaxesOf(r.Pairs)}
	unnamed := 0
	for _, ts := range m.syntaxes {
		head := codes[dicomassociate.Name(ts)]
		if head == "" {
			unnamed++
			head = fmt.Sprintf("T%d", unnamed)
		}
		m.heads = append(m.heads, head)
	}
	at := map[string]int{}
	for _, c := range r.Classes() {
		marks := m.marksOf(c)
		pattern := fmt.Sprint(marks)
		i, known := at[pattern]
		if !known {
			i = len(m.rows)
			at[pattern] = i
			m.rows = append(m.rows, matrixRow{marks: marks})
		}
		m.rows[i].classes = append(m.rows[i].classes, printable(dicomassociate.Name(c.SOPClass)))
	}
	return m
}

// syntaxesOf are the transfer syntaxes of pairs, in the order of PS3.6, those without a name behind.
func syntaxesOf(pairs []dicomassociate.PairResult) []string {
	var list []string
	seen := map[string]bool{}
	for _, p := range pairs {
		if !seen[p.TransferSyntax] {
			seen[p.TransferSyntax] = true
			list = append(list, p.TransferSyntax)
		}
	}
	table := dicom.TransferSyntaxes()
	place := func(uid string) int {
		if i := slices.IndexFunc(table, func(u dicom.UID) bool { return u.Value == uid }); i >= 0 {
			return i
		}
		return len(table)
	}
	slices.SortStableFunc(list, func(a, b string) int { return place(a) - place(b) })
	return list
}

func (m *matrix) marksOf(c dicomassociate.Class) []mark {
	marks := slices.Repeat([]mark{notProposed}, len(m.syntaxes))
	for _, p := range c.Pairs {
		marks[slices.Index(m.syntaxes, p.TransferSyntax)] = markOf(p)
	}
	for _, k := range marks {
		if !slices.Contains(m.used, k) {
			m.used = append(m.used, k)
		}
	}
	return marks
}

// foldAt is how many classes with the same answers are shown as one row with a list of names.
const foldAt = 3

// text is the matrix with its legends. Heads that do not fit side by side stand upright.
func (m *matrix) text(colours bool) string {
	upright := m.labelWidth()+2+5*len(m.syntaxes) > matrixWidth
	var b strings.Builder
	m.head(&b, upright, colours)
	for _, row := range m.rows {
		if len(row.classes) < foldAt {
			for _, name := range row.classes {
				m.line(&b, name, row.marks, upright, colours)
			}
			continue
		}
		m.line(&b, classCount(len(row.classes)), row.marks, upright, colours)
		writeNames(&b, "  ", row.classes, "")
	}
	m.legend(&b)
	return b.String()
}

// labelWidth is the width of the first column: single names, and the counts of groups.
func (m *matrix) labelWidth() int {
	width := len("999 SOP classes")
	for _, row := range m.rows {
		if len(row.classes) < foldAt {
			for _, name := range row.classes {
				width = max(width, len(name))
			}
		}
	}
	return width
}

func (m *matrix) head(b *strings.Builder, upright, colours bool) {
	title := cell{text: "SOP CLASS", colour: bold}
	if !upright {
		line := title.padded(m.labelWidth()+1, false, colours)
		for _, h := range m.heads {
			line += " " + cell{text: h, colour: bold}.padded(4, false, colours)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		return
	}
	const rows = 4 // the length of a code
	for i := range rows {
		c := cell{}
		if i == rows-1 {
			c = title
		}
		line := c.padded(m.labelWidth()+1, false, colours)
		for _, h := range m.heads {
			h = strings.Repeat(" ", max(rows-len(h), 0)) + h
			line += " " + cell{text: h[i : i+1], colour: bold}.paint(colours)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

func (m *matrix) line(b *strings.Builder, label string, marks []mark, upright, colours bool) {
	line := plainCell(label).padded(m.labelWidth()+1, false, colours)
	for _, k := range marks {
		c := cell{text: k.sign, colour: k.colour}
		if upright {
			line += " " + c.paint(colours)
		} else {
			line += "  " + c.padded(3, false, colours)
		}
	}
	b.WriteString(strings.TrimRight(line, " ") + "\n")
}

// legend explains marks and heads.
func (m *matrix) legend(b *strings.Builder) {
	var marks, heads []string
	slices.SortStableFunc(m.used, func(a, b mark) int { return strings.Index(legendOrder, a.sign) - strings.Index(legendOrder, b.sign) })
	for _, k := range m.used {
		marks = append(marks, k.sign+" "+k.means)
	}
	for i, ts := range m.syntaxes {
		heads = append(heads, m.heads[i]+" "+printable(dicomassociate.Name(ts)))
	}
	b.WriteString("\n")
	writeColumns(b, marks)
	writeColumns(b, heads)
}

// legendOrder is that of the signs.
const legendOrder = "●1234x!?–-·"

// writeColumns sets short texts side by side in as many columns as fit.
func writeColumns(b *strings.Builder, texts []string) {
	width := 0
	for _, t := range texts {
		width = max(width, utf8.RuneCountInString(t)+3)
	}
	if width == 0 {
		return
	}
	most := max(matrixWidth/width, 1)
	for i, t := range texts {
		b.WriteString(t)
		if (i+1)%most == 0 || i == len(texts)-1 {
			b.WriteString("\n")
		} else {
			b.WriteString(strings.Repeat(" ", width-utf8.RuneCountInString(t)))
		}
	}
}

// writeNames sets a list of names into lines; end stands behind the last one.
func writeNames(b *strings.Builder, margin string, names []string, end string) {
	text := fold(strings.Join(names, ", ")+end, matrixWidth-len(margin))
	for line := range strings.SplitSeq(text, "\n") {
		b.WriteString(margin + line + "\n")
	}
}

// text is all rows of the grid, with its heads.
func (g *grid) text(colours bool) string {
	var b strings.Builder
	for row := headRow; row < len(g.rows); row++ {
		b.WriteString(g.line(row, 0, colours) + "\n")
	}
	return b.String()
}

func writeText(w io.Writer, text string) error {
	_, err := io.WriteString(w, text)
	return err
}

func classCount(n int) string {
	if n == 1 {
		return "1 SOP class"
	}
	return fmt.Sprintf("%d SOP classes", n)
}
