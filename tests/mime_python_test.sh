#!/bin/bash
# A stranger reads our mail: the unit tests' random messages, written to files,
# are parsed by Python's email and compared with what went in.
# PONY_UNIT_TESTS names the unit tests' program, if it is not the release's.
set -euo pipefail

source_dir=${PONY_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
unit_tests=${PONY_UNIT_TESTS:-$source_dir/build/release/tests/pony_unit_tests}

if ! command -v python3 >/dev/null; then
  echo "skipped: python3 is missing"
  exit 77
fi

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

PONY_MIME_DUMP=$folder "$unit_tests" --test-case='random messages*' --minimal >&2
python3 "$source_dir/tests/support/check_mime.py" "$folder"
