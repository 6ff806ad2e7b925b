#!/usr/bin/env bash
# kill -9 at every system call of `enqueue`, `run` and `send`: no acknowledged
# message is lost, none is torn, none is left behind; a second copy only where
# the provider had accepted and the answer was not yet durable.
#
# Thinned for CI; the whole thing: PONY_CRASH_EVERY=1 tests/crash/kill_test.sh
source "$(dirname "$0")/../support/shell.sh"
command -v strace >/dev/null || exit 77
strace -o /dev/null true 2>/dev/null || { echo "strace is not allowed here"; exit 77; }
exec python3 "$PONY_SOURCE/tests/crash/kill_points.py" --pony "$PONY" \
  --every "${PONY_CRASH_EVERY:-7}" --folder "$T"
