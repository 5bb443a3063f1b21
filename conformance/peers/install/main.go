// Install brings the programs that the conformance suites stand between onto a Debian-like machine.
//
//	go run ./conformance/peers/install          install what is missing, when we may
//	go run ./conformance/peers/install -list    only say what is missing
//
// It needs root or a sudo that asks no password, and apt; a library in Java comes by Maven and one in Python by
// pip, both into the user's cache folder. Without them it says what will be skipped and ends well; with CI set in the environment a program that is still missing is a failure. The packages'
// own services are not started.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"gantry/conformance/peers"
)

func main() {
	list := flag.Bool("list", false, "only say what is missing")
	flag.Parse()
	if !*list {
		bring()
	}
	os.Exit(report(missing()))
}

// fetchTime is how long Maven, its own plug-ins included, and pip may take together.
const fetchTime = 5 * time.Minute

// bring does what is possible; what went wrong is said, and what is missing then is reported by main.
func bring() {
	if packages := peers.Packages(missing()); len(packages) > 0 {
		fmt.Println("peers: installing", strings.Join(packages, " "))
		if err := install(packages); err != nil {
			fmt.Fprintln(os.Stderr, "peers:", err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), fetchTime)
	defer cancel()
	if err := peers.FetchLibraries(ctx, missing()); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
	}
}

func missing() []string {
	var all []string
	for _, p := range peers.Programs {
		all = append(all, p.Name)
	}
	return peers.Missing(all...)
}

func report(missing []string) int {
	if len(missing) == 0 {
		fmt.Println("peers: every program is installed")
		return 0
	}
	fmt.Printf("peers: NOT INSTALLED: %s\npeers: the suites that need them are skipped; to run them: %smake peers\n",
		strings.Join(missing, " "), byHand(peers.Packages(missing)))
	if os.Getenv("CI") != "" {
		return 1
	}
	return 0
}

// byHand is the order for packages, with what joins it to the next order.
func byHand(packages []string) string {
	if len(packages) == 0 {
		return ""
	}
	return "apt-get install " + strings.Join(packages, " ") + " && "
}

// script installs its arguments. policy-rc.d is how Debian is told to leave a package's services alone;
// a stale package list is the most common reason for a failed download, so it is renewed first.
const script = `set -e
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' > "$policy"
	chmod 755 "$policy"
	trap 'rm -f "$policy"' EXIT
fi
export DEBIAN_FRONTEND=noninteractive
apt-get -q update || echo "apt-get update failed; trying with the lists at hand" >&2
apt-get -q -y --no-install-recommends install "$@"
`

func install(packages []string) error {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("this machine has no apt-get")
	}
	args := []string{"sh", "-c", script, "install"}
	for _, p := range packages {
		args = append(args, strings.Fields(p)...)
	}
	if os.Getuid() != 0 {
		if exec.Command("sudo", "-n", "true").Run() != nil {
			return fmt.Errorf("neither root nor sudo without a password")
		}
		args = append([]string{"sudo", "-n"}, args...)
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}
