#!/bin/bash
# Numbers, money and dates in all languages of the table, against ICU; and the
# table is what its script prints. Other versions of ICU know other facts: then
# it is skipped.
# PONY_UNIT_TESTS names the unit tests' program, if it is not the one beside
# $PONY.
set -euo pipefail

source_dir=${PONY_SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
: "${PONY:=$source_dir/build/release/pony}"
unit_tests=${PONY_UNIT_TESTS:-$(dirname "$PONY")/tests/pony_unit_tests}
table=$source_dir/core/template/locale_rows
compare=$source_dir/tests/support/compare_locales.py

version=$(/usr/bin/python3 -c 'import icu; print(icu.ICU_VERSION)' 2>/dev/null) ||
  { echo "skipped: python3-icu is missing"; exit 77; }
grep -q "from ICU $version:" "$table.cc" ||
  { echo "skipped: the table is not from ICU $version"; exit 77; }

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

/usr/bin/python3 -B "$table.py" | diff - "$table.cc" >&2 ||
  { echo "locale_rows.cc is not what locale_rows.py prints" >&2; exit 1; }

/usr/bin/python3 -B "$compare" write "$folder/requests" "$source_dir/core/template"
PONY_LOCALE_REQUESTS=$folder/requests "$unit_tests" \
  --test-case='requests from a file are answered' --minimal >&2
/usr/bin/python3 -B "$compare" compare "$folder/requests" "$folder/requests.answers"
