package peers

import (
	"context"
	"encoding/json"
	"os"
)

// Reconfigure stops the archive and starts it again with another value of one key of its configuration, as an upgrade
// does that loses a setting. The store and the ports stay.
func (o *Orthanc) Reconfigure(ctx context.Context, key string, value any) error {
	text, err := os.ReadFile(o.config)
	if err != nil {
		return err
	}
	config := map[string]any{}
	if err := json.Unmarshal(text, &config); err != nil {
		return err
	}
	config[key] = value
	if text, err = json.MarshalIndent(config, "", "  "); err != nil {
		return err
	}
	if err := os.WriteFile(o.config, text, 0o644); err != nil {
		return err
	}
	o.Stop()
	return o.Restart(ctx)
}
