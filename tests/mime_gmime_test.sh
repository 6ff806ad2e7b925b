#!/usr/bin/env bash
# Another stranger reads our mail: 100,000 random messages, composed, are parsed
# by GMime and compared with what went in.
#
#   tests/mime_gmime_test.sh [COUNT]
set -euo pipefail
source_dir=${PONY_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
programs=$(dirname "${PONY:-$source_dir/build/release/pony}")/tests

count=100000
# Sanitizers take ten times as long, and GLib never gives its types back.
if nm -D "$programs/make_mails" 2>/dev/null | grep -q __asan_; then
  count=5000
  export ASAN_OPTIONS=detect_leaks=0
fi
"$programs/make_mails" 0 "${1:-$count}" | "$programs/read_with_gmime"
