#!/usr/bin/env bash
# A stranger reads our mail: random messages, composed, are parsed by Python's
# email and compared with what went in.
#
#   tests/mime_python_test.sh [COUNT]    10,000 unless given; 100,000 take ten
#                                        minutes, nearly all of them Python's
set -euo pipefail
source_dir=${PONY_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
programs=$(dirname "${PONY:-$source_dir/build/release/pony}")/tests

command -v python3 >/dev/null || { echo "skipped: python3 is missing"; exit 77; }

"$programs/make_mails" 0 "${1:-10000}" |
  python3 "$source_dir/tests/support/check_mime.py"
