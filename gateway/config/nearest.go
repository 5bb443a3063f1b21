package config

import (
	"fmt"
	"slices"
	"strings"
)

// alsoKnownAs are words of other products and common slips, with the key or word meant. They count as near.
var alsoKnownAs = map[string]string{
	"bind": "listen", "vip": "listen", "ports": "listen", "backends": "servers", "real_servers": "servers", "nodes": "servers",
	"ip": "address", "host": "address", "balance": "algorithm", "scheduler": "algorithm", "health_check": "checks",
	"healthcheck": "checks", "health_checks": "checks", "kind": "type", "max_conn": "max_connections", "maxconn": "max_connections",
	"sticky": "persistence", "stick_table": "persistence", "called_aet": "called_ae", "calling_aet": "calling_ae", "acl": "allow",
	"leastconn": "least-connections", "roundrobin": "round-robin", "rr": "round-robin", "source": "source-hash", "ip-hash": "source-hash",
	"inter": "interval", "warning": "warn", "echo": "dicom-echo", "c-echo": "dicom-echo", "tls-connect": "tls", "c-find": "dicom-find", "find": "dicom-find", "c-store": "dicom-store", "script": "exec",
	"command": "exec", "iti-18": "xds-registry", "iti-43": "xds-repository", "registry": "xds-registry", "repository": "xds-repository", "ssl": "tls", "tcp": "connect",
	"hl7": "mllp", "https": "http", "src": "source-ip", "sni": "server_name", "ca": "ca_file", "verbosity": "level",
	"aet": "ae_title", "aetitle": "ae_title", "latency": "max_latency", "client_cert": "cert_file", "client_key": "key_file", "certificate": "cert_file",
	"cert": "cert_file", "key": "key_file", "pin": "fingerprint", "sha256": "fingerprint", "tls_version": "min_version", "outlier_detection": "passive",
	"hold_down": "flapping", "damping": "flapping",
}

// suggest says which of the known words was probably meant, or lists them.
func suggest(word string, known []string) string {
	list := strings.Join(known, ", ")
	if w := nearest(word, known); w != "" {
		if len(known) > 8 {
			return suggestion(w)
		}
		return suggestion(w) + " accepted: " + list
	}
	return "accepted: " + list
}

func suggestion(word string) string { return fmt.Sprintf("did you mean %q?", word) }

// nearest is the known word closest to what was written, "" when none is close.
func nearest(word string, known []string) string {
	word = strings.ToLower(word)
	if meant := alsoKnownAs[word]; slices.Contains(known, meant) {
		return meant
	}
	best, least := "", 1+min(2, (len(word)+1)/3)
	for _, k := range known {
		if bare(k) == bare(word) {
			return k
		}
		if d := distance(word, strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		best = beginning(word, known)
	}
	return best
}

// beginning is the known word that a longer one begins with: logging, log.
func beginning(word string, known []string) string {
	for _, k := range known {
		if len(k) >= 3 && strings.HasPrefix(word, strings.ToLower(k)) {
			return k
		}
	}
	return ""
}

// bare is a word without what people spell differently.
func bare(word string) string {
	return strings.TrimSuffix(strings.NewReplacer("_", "", "-", "", ".", "", " ", "").Replace(strings.ToLower(word)), "s")
}

// maxWord bounds the work of comparing; no key is longer, and no keyword of a SOP class.
const maxWord = 64

// distance counts the single slips (a letter too many, missing, wrong, or two swapped) between two words.
func distance(a, b string) int {
	if len(a) > maxWord || len(b) > maxWord {
		return maxWord
	}
	var rows [3][maxWord + 1]int
	for j := range rows[0] {
		rows[1][j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, above, row := &rows[(i-1)%3], &rows[i%3], &rows[(i+1)%3]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(above[j]+1, row[j-1]+1, above[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return rows[(len(a)+1)%3][len(b)]
}
