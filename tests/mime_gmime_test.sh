#!/usr/bin/env bash
# Another stranger reads our mail: 100,000 random messages, composed, are parsed
# by GMime and compared with what went in.
#
#   tests/mime_gmime_test.sh [COUNT]
set -euo pipefail
source_dir=${PONY_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
programs=$(dirname "${PONY:-$source_dir/build/release/pony}")/tests

count=100000
# With sanitizers it takes ten times as long.
if ldd "$programs/make_mails" | grep -qE 'libasan|libtsan'; then count=5000; fi
"$programs/make_mails" 0 "${1:-$count}" | "$programs/read_with_gmime"
