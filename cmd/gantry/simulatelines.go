package main

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"gantry/fixtures/pacs"
	"gantry/protocols/dicom"
)

// maxNamed bounds the SOP classes that a line names for one set of transfer syntaxes, and these; maxGroups the sets.
const (
	maxNamed  = 5
	maxGroups = 8
)

// requestLogger tells what was proposed in each association request.
func requestLogger(log *slog.Logger) func(pacs.Conversation, *dicom.AssociateRQ) {
	return func(c pacs.Conversation, rq *dicom.AssociateRQ) {
		log.Info("association requested", "client", c.Client, "calling_ae", c.CallingAE, "called_ae", c.CalledAE,
			"implementation", strings.TrimSpace(c.Implementation+" "+c.ImplementationClass), "max_pdu", c.MaxLength,
			"contexts", c.Contexts, "proposed", proposed(rq.Contexts))
	}
}

// noteLogger tells what a person should look at.
func noteLogger(log *slog.Logger) func(pacs.Note) {
	return func(n pacs.Note) {
		attrs := []any{"ae", n.AE}
		if n.Address != "" {
			attrs = append(attrs, "address", n.Address)
		}
		log.Warn(n.Text, append(attrs, "err", n.Err)...)
	}
}

// proposed folds presentation contexts: classes with the same transfer syntaxes stand together, such as "CTImageStorage,
// MRImageStorage in ExplicitVRLittleEndian, ImplicitVRLittleEndian; Verification in ImplicitVRLittleEndian".
func proposed(contexts []dicom.PresentationContext) string {
	syntaxes := map[string][]string{} // by class: what is proposed in several contexts adds up
	var classes []string
	for _, c := range contexts {
		if _, known := syntaxes[c.AbstractSyntax]; !known {
			classes = append(classes, c.AbstractSyntax)
		}
		for _, ts := range c.TransferSyntaxes {
			syntaxes[c.AbstractSyntax] = append(syntaxes[c.AbstractSyntax], nameOf(ts))
		}
	}
	var order []string
	groups := map[string][]string{}
	for _, class := range classes {
		in := someOf(syntaxes[class])
		if _, known := groups[in]; !known {
			order = append(order, in)
		}
		groups[in] = append(groups[in], nameOf(class))
	}
	var parts []string
	for _, in := range order[:min(len(order), maxGroups)] {
		parts = append(parts, someOf(groups[in])+" in "+in)
	}
	if len(order) > maxGroups {
		parts = append(parts, fmt.Sprintf("and %d more", len(order)-maxGroups))
	}
	return strings.Join(parts, "; ")
}

// nameOf is the keyword of a UID, or what the peer calls one.
func nameOf(uid string) string {
	const most = 64 // characters of a UID, PS3.5 9.1
	return dicom.UIDName(uid[:min(len(uid), most)])
}

// someOf names the first few.
func someOf(names []string) string {
	if len(names) <= maxNamed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), len(names)-maxNamed)
}

// logConversation tells how an association, or a connection without one, ended.
func logConversation(log *slog.Logger, c pacs.Conversation) {
	level, what := slog.LevelInfo, "association"
	attrs := []any{"client", c.Client}
	if c.CallingAE == "" && c.CalledAE == "" {
		what = "connection"
		if !c.Faulty {
			level = slog.LevelDebug
		}
	} else {
		attrs = append(attrs, "calling_ae", c.CallingAE, "called_ae", c.CalledAE,
			"contexts", fmt.Sprintf("%d/%d", c.Accepted, c.Contexts))
	}
	if len(c.Operations) > 0 {
		attrs = append(attrs, "operations", performed(c.Operations))
	}
	for _, n := range []struct {
		key   string
		value int64
	}{{"matches", int64(c.Matches)}, {"objects", int64(c.Objects)}, {"bytes_in", c.Bytes}, {"sent", int64(c.Sent)}} {
		if n.value > 0 {
			attrs = append(attrs, n.key, n.value)
		}
	}
	log.Log(context.Background(), level, what, append(attrs, "end", c.End, "took", rounded(c.Took), "faulty", c.Faulty)...)
}

// performed gives "C-ECHO 0000 ×3, C-STORE A700, C-FIND unanswered".
func performed(operations []pacs.Performed) string {
	var parts []string
	for _, o := range operations {
		answer := "unanswered"
		if o.Answered {
			answer = fmt.Sprintf("%04X", o.Status)
		}
		if o.Count > 1 {
			answer += fmt.Sprintf(" ×%d", o.Count)
		}
		parts = append(parts, o.Command+" "+answer)
	}
	return strings.Join(parts, ", ")
}

// rounded is a duration without the digits that nobody reads.
func rounded(d time.Duration) time.Duration {
	if d < time.Millisecond {
		return d.Round(time.Microsecond)
	}
	return d.Round(100 * time.Microsecond)
}

// aboutArchive adds what it knows to the line that says where it listens.
func aboutArchive(server simulatedServer[pacs.Faults]) []any {
	archive := server.(*pacs.Server)
	objects, skipped := archive.Known()
	attrs := []any{"objects", objects, "worklist", archive.WorklistItems()}
	if skipped > 0 {
		attrs = append(attrs, "skipped", skipped)
	}
	return attrs
}

// archiveTotals are for the summary.
func archiveTotals(server simulatedServer[pacs.Faults]) []any {
	c := server.(*pacs.Server).Counters()
	return []any{"connections", c.Connections, "associations", c.Associations, "rejected", c.Rejected, "aborted", c.Aborted,
		"echoes", c.Echoes, "finds", c.Finds, "matches", c.Matches, "moves", c.Moves, "gets", c.Gets, "sent", c.Sent,
		"commitments", c.Commitments, "objects", c.Objects, "bytes_in", c.Bytes}
}
