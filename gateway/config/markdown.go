package config

import (
	"cmp"
	_ "embed" // for the example
	"fmt"
	"reflect"
	"slices"
	"strings"
)

//go:embed example.yaml
var example string

// Example returns a complete configuration of a hospital, with comments. It is valid.
func Example() string { return example }

//go:embed reference_head.md
var referenceHead string

//go:embed reference_values.md
var referenceValues string

// section is one table of the reference.
type section struct {
	title string
	typ   reflect.Type
	intro string
}

// sections are the mappings of the file, from the outside in.
var sections = []section{
	{"The file", reflect.TypeFor[document](), ""},
	{"`admin`", reflect.TypeFor[Admin](), ""},
	{"`log`", reflect.TypeFor[Log](), "Never logged, at any level: message or object content, patient names or identifiers, credentials."},
	{"`services`", inService, "Keys marked * belong to one service and are not allowed under `defaults`. A block such as `timeouts` of a " +
		"service changes only the keys it names; a list such as `allow` or `checks` replaces the one of `defaults`."},
	{"`timeouts`", reflect.TypeFor[Timeouts](), ""},
	{"`limits`", reflect.TypeFor[Limits](), ""},
	{"`persistence`", inPersist, ""},
	{"`passive`", reflect.TypeFor[Passive](), "Without the block, failures of live sessions only ask for a check at once. A failure is one that the server caused: it " +
		"refuses or tears down the connection, or does not answer."},
	{"`flapping`", reflect.TypeFor[Flapping](), "A server that comes up and falls again, over and over, takes clients only to lose them. It is therefore held back for a " +
		"while after its checks pass again. Held back means least wanted, not gone: while no other server can serve, it does."},
	{"`servers`", inServer, ""},
	{"`dicom`", inDICOM, dicomIntro},
	{"`routes`", inRoute, routesIntro},
	{"`when`", inWhen, whenIntro},
	{"`when` of protocol mllp", inMessage, whenMessageIntro},
	{"`mllp`", inMLLP, mllpIntro},
	{"`duplicates`", reflect.TypeFor[Duplicates](), ""},
}

const (
	dicomIntro = "An association request is judged before any server hears of it: as a whole PDU, its protocol version, its AE titles, its presentation " +
		"contexts. What fails gets the answer that the standard has for it, from the gateway itself."
	routesIntro = "Each route has `servers`, or `reject`, or (dicom) `calling_ae` alone: all servers, with another calling AE title. What no route names goes to all " +
		"servers; a last route with `reject` alone turns the rest away. A route's servers are chosen among by the service's `distribution` and `algorithm`."
	whenIntro = "All keys that are there must be met, each by one of its values. `sop_class` and `transfer_syntax` must be met by one proposed presentation " +
		"context together. SOP classes and transfer syntaxes are written as a keyword of PS3.6 (`CTImageStorage`), as a UID, or as a pattern, which is " +
		"matched against both (`\"*Storage\"`, `1.2.840.10008.5.1.4.1.1.*`)."
	whenMessageIntro = "Of a service of protocol `mllp` with `routing: per-message`. All keys that are there must be met, each by one of its values. A pattern is " +
		"matched against the whole field and against its first component (`RIS`, `\"RIS^*^ISO\"`), case counts, `^` stands for the sender's own delimiter; `\"*\"` takes an " +
		"empty field too, `\"?*\"` does not. What a pattern for message types leaves out may be anything: `ORU`, `\"ADT^A0?\"`, `\"*^*^ADT_A01\"`. Of a batch, MSH-3 to MSH-6 " +
		"are those of its header (BHS or FHS) where it has them; all else is that of the first message in it."
	mllpIntro = "With `routing: per-message` the gateway reads each message as a whole and sends it to a server of its own choice, over connections of its own."
)

// Markdown returns the reference for people: docs/configuration.md. It is made from the same tags as the decoder.
func Markdown() []byte {
	var b strings.Builder
	b.WriteString(referenceHead)
	fmt.Fprintf(&b, "\n## Example\n\n```yaml\n%s```\n\n", example)
	b.WriteString(referenceValues)
	for _, s := range sections {
		writeSection(&b, s.title, s.intro, fieldsOf(s.typ))
	}
	writeChecks(&b)
	writeLimits(&b)
	writeUnserved(&b)
	return []byte(b.String())
}

// writeSection writes a heading, a few words and the table of one mapping.
func writeSection(b *strings.Builder, title, intro string, fs []field) {
	fmt.Fprintf(b, "\n## %s\n\n", title)
	if intro != "" {
		b.WriteString(intro + "\n\n")
	}
	writeTable(b, fs)
}

// writeTable writes one line a key, in the order of the struct.
func writeTable(b *strings.Builder, fs []field) {
	b.WriteString("| key | value | default | what it does |\n|---|---|---|---|\n")
	for _, f := range fs {
		star := ""
		if f.place == "service" {
			star = " *"
		}
		fmt.Fprintf(b, "| `%s`%s | %s | %s | %s |\n", f.key, star, f.valueText(), f.defaultText(), cell(f.doc))
	}
}

// cell keeps a sentence inside its cell.
func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

// valueText says what may be written: the type and its limits.
func (f field) valueText() string {
	switch fm := f.form(); {
	case f.words() != nil:
		return "`" + strings.Join(f.words(), "` `") + "`"
	case fm != nil:
		return fm.word + f.limitsText()
	case f.typ.Kind() == reflect.Slice:
		elem := f.element()
		if elem.form() == nil {
			return "[list](#" + f.heading() + ")" + f.limitsText()
		}
		return "list of " + elem.valueText() + f.limitsText()
	case f.typ.Kind() == reflect.Map:
		return "mapping: any key, " + f.element().valueText()
	}
	return "[mapping](#" + f.heading() + ")"
}

// heading is where the keys of a mapping are described.
func (f field) heading() string {
	if f.key == "defaults" {
		return "services"
	}
	return f.key
}

// limitsText is the bounds as an addition to the type: ", 1 to 256".
func (f field) limitsText() string {
	if f.min == "" && f.max == "" {
		return ""
	}
	return ", " + strings.TrimPrefix(f.boundsText(), "from ")
}

// defaultText is what happens without the key.
func (f field) defaultText() string {
	switch {
	case f.required:
		return "**required**"
	case f.hasDef && f.typ.Kind() == reflect.Slice:
		return "`[" + strings.Join(splitList(f.def), ", ") + "]`"
	case f.hasDef && f.def != "":
		return "`" + f.def + "`"
	}
	return "–"
}

const checksIntro = "`checks` stands in a service, in a server (then it replaces the service's) or in `defaults`. A server is up when " +
	"all its checks are up, and degraded when one is degraded and none is down; each counts for itself. The first result after the start decides at once, then `rise` and `fall` " +
	"count. Without `checks`, %s; every other protocol gets `connect`.\n\n" +
	"No check that a service gets by itself sends anything that could create or change a record. `dicom-store` writes, and `exec` runs a program: " +
	"both only where the file says so. [checks.md](checks.md) tells which check to take for what, and `gantry probe` tries one out."

// writeChecks describes the common keys of checks, then each kind.
func writeChecks(b *strings.Builder) {
	var defaults []string
	for protocol, k := range kindOfProtocol {
		defaults = append(defaults, fmt.Sprintf("a service of protocol `%s` gets `%s`", protocol, k))
	}
	slices.Sort(defaults)
	writeSection(b, "`checks`", fmt.Sprintf(checksIntro, strings.Join(defaults, ", ")), fieldsOf(inCheck))
	b.WriteString("\n### `tls`\n\n")
	writeTable(b, fieldsOf(reflect.TypeFor[TLS]()))
	for _, name := range kindNames {
		fmt.Fprintf(b, "\n### `type: %s`\n\n%s\n\n", name, KindDoc(name))
		_, v := newSettings(name)
		if fs := fieldsOf(v.Type()); len(fs) > 0 {
			writeTable(b, fs)
		} else {
			b.WriteString("It has no keys of its own.\n")
		}
	}
}

// writeLimits lists the bounds that no single key has.
func writeLimits(b *strings.Builder) {
	b.WriteString("\n## Limits of the file\n\n| what | most |\n|---|---|\n")
	for _, row := range [][2]any{
		{"size of the file", fmt.Sprintf("%d MiB", MaxFileSize>>20)},
		{"nesting of lists and mappings", MaxDepth},
		{"values, each use of an alias counted", MaxNodes},
		{"keys of one mapping", MaxKeys},
		{"problems reported at one time", MaxProblems},
		{"length of a secret in bytes", fmt.Sprintf("%d (least %d)", MaxSecretSize, MinSecretSize)},
		{"size of a `ca_file`", fmt.Sprintf("%d MiB", MaxCASize>>20)},
		{"size of a `cert_file` or `key_file`", fmt.Sprintf("%d KiB", MaxCertificateSize>>10)},
	} {
		fmt.Fprintf(b, "| %s | %v |\n", row[0], row[1])
	}
}

// whereUnserved is how the reference names a mapping.
var whereUnserved = map[reflect.Type]string{
	inService: "services[].", inServer: "services[].servers[].", inCheck: "checks[].", inMLLP: "services[].mllp.", inPersist: "persistence.",
}

// writeUnserved lists what is refused; keys of one mapping with the same advice share a line.
func writeUnserved(b *strings.Builder) {
	b.WriteString("\n## Not served by this version\n\n" +
		"These belong to Gantry but are not built yet. They are refused with a sentence, never ignored.\n\n" +
		"| not served | what to do instead |\n|---|---|\n")
	rows := slices.Clone(notServed)
	slices.SortStableFunc(rows, func(x, y unserved) int {
		return cmp.Compare(whereUnserved[x.in], whereUnserved[y.in])
	})
	for i := 0; i < len(rows); {
		names := rows[i].name()
		j := i + 1
		for ; j < len(rows) && rows[j].in == rows[i].in && rows[j].instead == rows[i].instead; j++ {
			names += ", " + rows[j].name()
		}
		fmt.Fprintf(b, "| %s | %s |\n", names, cell(rows[i].instead))
		i = j
	}
}

// name is the key with its place, and the words when only they are refused.
func (u unserved) name() string {
	key := "`" + whereUnserved[u.in] + u.key
	if u.words == nil {
		return key + "`"
	}
	return key + ": " + strings.Join(u.words, "`, `") + "`"
}
