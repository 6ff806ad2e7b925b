#!/usr/bin/env bash
# Each HTTP provider against the stand-in: each documented answer and each way
# to break a connection has the outcome of the table, no request is sent
# twice, none differs from what the provider documents, no secret is seen.
#   tests/conformance_test.sh [PROVIDER…]
source "$(dirname "$0")/support/shell.sh"
/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || exit 77
command -v openssl >/dev/null || exit 77

/usr/bin/python3 -B "$PONY_SOURCE/tests/stand_in/conformance.py" \
  --pony "$PONY" --folder "$T" "$@" || fail "not as tests/stand_in/expectations.py says"
