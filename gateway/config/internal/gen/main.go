// Command gen writes the reference and the schema of the configuration into the docs folder. It is run by
// `go generate ./gateway/config`; a test of that package fails when the files are stale.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"gantry/gateway/config"
)

func main() {
	// go generate runs in gateway/config.
	docs := filepath.Join("..", "..", "docs")
	if err := write(docs); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func write(docs string) error {
	if err := os.MkdirAll(docs, 0o755); err != nil {
		return fmt.Errorf("making the folder: %w", err)
	}
	if err := os.WriteFile(filepath.Join(docs, "configuration.md"), config.Markdown(), 0o644); err != nil {
		return fmt.Errorf("writing the reference: %w", err)
	}
	if err := os.WriteFile(filepath.Join(docs, "gantry.schema.json"), config.Schema(), 0o644); err != nil {
		return fmt.Errorf("writing the schema: %w", err)
	}
	return nil
}
