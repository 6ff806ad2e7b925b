# Sourced after shell.sh: stand-ins for the HTTP providers, each with a name, a
# log of what was asked and a script of how it behaves; and a clock to set.
# Skips the test where what they need is not installed.
/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || exit 77
command -v faketime >/dev/null || exit 77

STAND_IN_KEY=test-key-0123456789
declare -A stand_in_port
marks=0

# start_stand_in NAME…: each on a port of its own; how they behave is said
# by behave.
start_stand_in() {
  local name
  for name; do
    /usr/bin/python3 -B "$PONY_SOURCE/tests/stand_in/stand_in.py" \
      --key "$STAND_IN_KEY" --no-clock --log "$T/$name.log" \
      --script "$T/$name.script" >"$T/$name.port" &
    background+=($!)
  done
  for name; do
    wait_until grep -q '^port=' "$T/$name.port"
    stand_in_port[$name]=$(sed 's/^port=//' "$T/$name.port")
  done
}

# behave NAME [BEHAVIOUR[*TIMES]…]: from now on so, one after the other (the
# last for ever); without a behaviour each request succeeds.
behave() {
  local name=$1 one
  shift
  for one; do
    printf '{"behaviour":"%s","times":%s,"mark":%s}\n' "${one%\**}" \
      "$([[ $one == *\** ]] && echo "${one##*\*}" || echo 1000000000)" "$((++marks))"
  done >"$T/$name.script.new"
  mv "$T/$name.script.new" "$T/$name.script"
}

# provider NAME TYPE [KEYS]: a line of the configuration, indented for
# `providers:`; the stand-in NAME plays it.
provider() {
  local key="api_key: $STAND_IN_KEY"
  case $2 in
    ses) key="region: eu-west-1, access_key_id: AKIDEXAMPLE, secret_access_key: $STAND_IN_KEY" ;;
    mailgun) key+=", domain: mg.widgets.example" ;;
  esac
  echo "  $1: {type: $2, $key, base_url: \"http://127.0.0.1:${stand_in_port[$1]}\", allow_insecure: true${3:+, $3}}"
}

# requests NAME [FILTER]: how many requests the stand-in had for which jq's
# FILTER is true.
requests() {
  [[ -e $T/$1.log ]] || { echo 0 && return; }
  jq -c "select(${2:-true})" "$T/$1.log" | wc -l
}
# asked NAME COUNT [FILTER]
asked() {
  local got
  got=$(requests "$1" "${3:-true}")
  [[ $got == "$2" ]] || { echo "$0: line ${BASH_LINENO[0]}: '$1' was asked $got times, not $2${3:+ ($3)}" >&2 && exit 1; }
}

# at OFFSET ARGUMENT…: pony, with a wall clock that is OFFSET ("+90s") off. The
# monotonic clock, by which it waits, is left alone. A build with sanitizers
# minds that something is loaded before it.
at() {
  ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0 FAKETIME_DONT_FAKE_MONOTONIC=1 \
    faketime -f "$1" "$PONY" --config "$T/pony.yaml" "${@:2}"
}

# of NAME FILTER: what jq's FILTER makes of a provider as `provider list`
# tells of it; of_at OFFSET NAME FILTER: at another time.
of_at() { at "$1" provider list --json | jq -rc "select(.name == \"$2\") | $3"; }
of() { of_at +0s "$@"; }

# queue COUNT [JSON]: so many messages, to a0@example.com and so on; JSON is
# laid over each. Prints the ids.
queue() {
  jq -nc --argjson n "$1" --argjson more "${2:-"{}"}" \
    'range($n) | {to: "a\(.)@example.com", subject: "Hello \(.)", text: "x"} + $more' | pony enqueue
}
# events_of ID FILTER: what jq's FILTER makes of all events of a message (as
# one array).
events_of() { find "$SPOOL" -name "$1.jsonl" -exec tail -n +2 {} + | jq -src "$2"; }
# story ID: its events in short: "attempted main unavailable, sent".
story() {
  events_of "$1" '[.[] | [.event, (select(.event == "attempted" or .event == "skipped") | .provider, .outcome) // empty]
    | join(" ")] | join(", ")'
}
# forget NAME…: what was asked of them so far.
forget() { for name; do : >"$T/$name.log" && behave "$name"; done; }
# is_so EXPECTED GOT: two texts are the same.
is_so() { [[ $1 == "$2" ]] || { echo "$0: line ${BASH_LINENO[0]}: '$2' instead of '$1'" >&2 && exit 1; }; }
