package gateway

import (
	"testing"
	"time"
)

// LookSeldom has the waiting ones of a test's gateway, which is started later, rely on being
// woken.
func LookSeldom(t testing.TB) {
	was := queueLook
	queueLook = time.Hour
	t.Cleanup(func() { queueLook = was })
}
