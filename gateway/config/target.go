package config

// SplitAddress reads HOST or HOST:PORT by the rules of the configuration, for addresses that come from elsewhere; the
// port is 0 when absent. The error is a sentence with what is wrong and what is right.
func SplitAddress(text string) (host string, port int, err error) { return splitAddress(text) }
