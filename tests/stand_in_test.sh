#!/usr/bin/env bash
# The stand-in for the HTTP providers: it takes what they take, refuses what
# they refuse, misbehaves as asked. Tests of pony rest on it.
: "${PONY_SOURCE:=$(cd "$(dirname "$0")/.." && pwd)}"
/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || exit 77
exec /usr/bin/python3 -B "$PONY_SOURCE/tests/stand_in/self_test.py"
