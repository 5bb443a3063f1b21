#!/usr/bin/env bash
# One fuzz target for a time, in one lane: conformance/fuzz.sh FOLDER TARGET FUZZTIME
#
# Interesting inputs are made smaller by a few attempts only: the default, a minute each, would take all the time.
#
# Go's fuzzer sometimes calls the end of its own time a failure ("context deadline exceeded"); only one that
# found an input, or that says anything else, is one.
set -euo pipefail
folder=$1 target=$2 time=$3
if ! out=$("${GO:-go}" test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 20x -parallel 1 "$folder" 2>&1) &&
	{ grep -q 'Failing input' <<<"$out" || ! grep -q 'context deadline exceeded' <<<"$out"; }; then
	echo "== $folder $target: FAILED"
	echo "$out"
	exit 1
fi
echo "== $folder $target: $(grep -E '^fuzz: elapsed' <<<"$out" | tail -n 1 | sed -E 's/^fuzz: //')"
