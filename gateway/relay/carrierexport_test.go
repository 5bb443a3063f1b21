package relay

// ResetOnClose is resetOnClose.
func ResetOnClose(fd int) { resetOnClose(fd) }

// Carriers is how many connections are carried.
func Carriers() int {
	carriers.Lock()
	defer carriers.Unlock()
	return len(carriers.by)
}
