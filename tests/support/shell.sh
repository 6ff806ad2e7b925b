# Sourced by the command line tests: a folder of their own with a spool, and
# a few words to assert with. Needs $PONY (the binary); $PONY_SOURCE (the
# sources) is found from here when it is not set.
set -euo pipefail
: "${PONY_SOURCE:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
: "${PONY:=$PONY_SOURCE/build/release/pony}"

T=$(mktemp -d "${TMPDIR:-/tmp}/pony-test.XXXXXX")
background=()
cleanup() {
  local code=$?
  for pid in "${background[@]}"; do kill "$pid" 2>/dev/null || true; done
  if ((code == 0 || code == 77)); then
    rm -rf "$T"
  else
    echo "FAILED: $0 (exit $code); its files are in $T" >&2
  fi
}
trap cleanup EXIT

# A configuration of the test's own: nothing of this machine's is read.
export HOME=$T XDG_CONFIG_HOME=$T/none XDG_STATE_HOME=$T/state
unset PONY_CONFIG || true
SPOOL=$T/spool
config() { cat >"$T/pony.yaml"; chmod 600 "$T/pony.yaml"; }
config <<YAML
spool: $SPOOL
templates: $PONY_SOURCE/templates
default_from: Widget Team <team@widgets.example>
providers:
  outbox: {type: maildir, path: $T/outbox}
YAML
pony() { "$PONY" --config "$T/pony.yaml" "$@"; }

fail() { echo "$0: line ${BASH_LINENO[0]}: $*" >&2; exit 1; }

# expect CODE COMMAND…: runs it, its output in $T/out and $T/err.
expect() {
  local code=$1 got=0
  shift
  "$@" >"$T/out" 2>"$T/err" || got=$?
  [[ $got == "$code" ]] || {
    cat "$T/out" "$T/err" >&2
    fail "exit code $got instead of $code: $*"
  }
}
# out_has TEXT, err_has TEXT: the last expect's output holds it.
out_has() { grep -qF -- "$1" "$T/out" || { cat "$T/out" >&2; fail "not in the output: $1"; }; }
err_has() { grep -qF -- "$1" "$T/err" || { cat "$T/err" >&2; fail "not said: $1"; }; }
err_is_empty() { [[ ! -s $T/err ]] || { cat "$T/err" >&2; fail "something was said"; }; }

# How many files of messages are below a folder of the spool.
count_in() { find "$SPOOL/$1" -name '*.jsonl' 2>/dev/null | wc -l; }
# A random free TCP port, for servers that cannot choose one.
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# wait_until COMMAND…: until it succeeds, at most 20 s.
wait_until() {
  local tries=0
  until "$@" 2>/dev/null; do
    ((++tries < 400)) || fail "waited in vain for: $*"
    read -rt 0.05 <> <(:) || true
  done
}
