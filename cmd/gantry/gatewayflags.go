package main

import (
	"errors"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"gantry/gateway/admin"
)

// maxToken bounds the file of --token-file, lest a wrong path reads a disk image.
const maxToken = 4 << 10

// gatewayFlags are --admin and --token-file of every command that talks to a running gateway.
type gatewayFlags struct {
	address, tokenFile string
}

func addGatewayFlags(cmd *cobra.Command) *gatewayFlags {
	f := &gatewayFlags{}
	cmd.PersistentFlags().StringVar(&f.address, "admin", admin.DefaultURL, "`URL` of the running gateway's admin address")
	cmd.PersistentFlags().StringVar(&f.tokenFile, "token-file", "", "`FILE` that holds the gateway's admin.token")
	return f
}

// client returns a client for the gateway that the flags name. The caller closes it.
func (f *gatewayFlags) client() (*admin.Client, error) {
	token, err := f.token()
	if err != nil {
		return nil, err
	}
	c, err := admin.NewClient(f.address, token)
	if err != nil {
		return nil, badUsage("--admin: %s", err)
	}
	return c, nil
}

func (f *gatewayFlags) token() (string, error) {
	if f.tokenFile == "" {
		return "", nil
	}
	file, err := os.Open(f.tokenFile)
	if err != nil {
		return "", badUsage("--token-file: %s", cause(err, f.tokenFile))
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, maxToken+1))
	token := strings.TrimSpace(string(b))
	switch {
	case err != nil:
		return "", badUsage("--token-file: %s", cause(err, f.tokenFile))
	case len(b) > maxToken:
		return "", badUsage("--token-file: %s is larger than %d bytes", f.tokenFile, maxToken)
	case token == "" || strings.ContainsAny(token, "\r\n"):
		return "", badUsage("--token-file: %s must hold one token on one line", f.tokenFile)
	}
	return token, nil
}

// cause says "FILE: no such file or directory" without the system call's name.
func cause(err error, file string) string {
	var path *os.PathError
	if errors.As(err, &path) {
		return file + ": " + path.Err.Error()
	}
	return err.Error()
}
