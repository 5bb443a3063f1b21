package config

import ("os";"testing";"path/filepath";"strings")

func TestZZUpdate(t *testing.T) {
	if os.Getenv("UPDATE") == "" { t.Skip() }
	corpus(t, "bad", func(t *testing.T, file string, data []byte) {
		body, _, _ := strings.Cut(string(data), "\n# want:\n")
		body = strings.TrimSuffix(body, "\n")
		_, ps := Parse(file, []byte(body+"\n"), testEnv)
		out := body + "\n# want:\n"
		for _, p := range ps { p.File = filepath.Base(file); out += "#   " + p.String() + "\n" }
		os.WriteFile(file, []byte(out), 0o644)
	})
}
