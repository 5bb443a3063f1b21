// Package pattern matches names that clients send against texts with wildcards, for rules that people write: which
// connections, associations and messages go where.
package pattern
