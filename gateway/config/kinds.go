package config

// Settings are the fields of one kind of check.
type Settings interface {
	Validate(report func(key, got, want string))
}
