#!/usr/bin/env bash
# pony provider list, pause and resume.
source "$(dirname "$0")/../support/shell.sh"

config <<YAML
spool: $SPOOL
templates: $PONY_SOURCE/templates
providers:
  main: {type: smtp, host: mail.widgets.example, username: u, password: "\${PONY_TEST_NO_SUCH_SECRET}", rate: [50/s, 1000/day]}
  outbox: {type: maildir, path: $T/outbox}
pools:
  default: {providers: [main, outbox]}
  widgets.example: {providers: [outbox]}
breaker: {failures: 5, cool_down: 30s, max_cool_down: 15m}
YAML
STATE=$SPOOL/state/providers
# of NAME FILTER: what --json says of a provider.
of() { pony provider list --json | jq -rc "select(.name == \"$1\") | $2"; }
# is EXPECTED NAME FILTER
is() {
  local got
  got=$(of "$2" "$3")
  [[ $got == "$1" ]] || fail "$3 of $2 is '$got', not '$1'"
}

# --- with no spool yet, no secret and nothing known everybody is fine
expect 0 pony provider list
out_has "NAME"
out_has "50/50 1s,1000/1000 1d"
err_is_empty
[[ $(wc -l <"$T/out") == 3 ]] || fail "not a heading and two providers"
[[ ! -e $STATE ]] || fail "to list made something"
is '{"name":"main","type":"smtp","state":"ok","why":null,"until":null,"failures":0,"failure_rate":0,"p50_ms":null,"p95_ms":null,"rates":[{"per":"1s","limit":50,"left":50},{"per":"1d","limit":1000,"left":1000}],"pools":["default"]}' main .
is '["default","widgets.example"]' outbox .pools

# --- a pause until resumed
expect 0 pony provider pause main
err_has "'main' is paused until resumed"
is 'paused paused until resumed null' main '"\(.state) \(.why) \(.until)"'
is ok outbox .state
expect 0 pony provider list
out_has "    (paused until resumed)"
expect 0 pony provider resume main
err_has "may be tried again (it was: paused until resumed)"
is ok main .state
expect 0 pony provider resume main
err_has "may be tried already"
expect 0 pony --quiet provider pause main
err_is_empty

# --- a pause for some time takes the place of the first
expect 0 pony provider pause main --for 2h
until=$(of main .until)
seconds=$(($(date -d "$until" +%s) - $(date +%s)))
((seconds > 7100 && seconds <= 7200)) || fail "paused until $until"
expect 0 pony provider list
grep -Eq '^main +smtp +paused +(1h|2h) ' "$T/out" || fail "$(cat "$T/out")"
expect 0 pony --json provider resume main
[[ $(jq -c '[.name, .state]' "$T/out") == '["main","ok"]' ]] || fail "$(cat "$T/out")"
expect 0 pony --json provider pause main --for 1ms
is ok main .state
for duration in 2 -1h 0s x ''; do
  expect 64 pony provider pause main --for="$duration"
done

[[ $(stat -c %a "$STATE/main.json") == 600 ]] || fail "its mode"
[[ -z $(ls "$SPOOL/tmp") ]] || fail "something was left in tmp/"

# --- a state file that is none is a fresh start, whatever it is
for kind in empty garbage truncated edited fifo link folder huge; do
  rm -rf "$STATE/main.json"
  pony --quiet provider pause main
  is paused main .state
  case $kind in
    empty) : >"$STATE/main.json" ;;
    garbage) head -c 3000 /dev/urandom >"$STATE/main.json" ;;
    truncated) truncate -s -3 "$STATE/main.json" ;;
    edited) sed -i 's/"failures":0/"failures":9/' "$STATE/main.json" ;;
    fifo) rm "$STATE/main.json" && mkfifo "$STATE/main.json" ;;
    link) rm "$STATE/main.json" && ln -s "$T/pony.yaml" "$STATE/main.json" ;;
    folder) rm "$STATE/main.json" && mkdir "$STATE/main.json" ;;
    huge) truncate -s 1T "$STATE/main.json" ;;
  esac
  expect 0 timeout 10 "$PONY" --config "$T/pony.yaml" provider list
  err_is_empty
  grep -Eq '^main +smtp +ok ' "$T/out" || fail "$kind: $(cat "$T/out")"
  expect 0 timeout 10 "$PONY" --config "$T/pony.yaml" provider pause main
  is paused main .state
  [[ -f $STATE/main.json && ! -L $STATE/main.json ]] || fail "$kind was not replaced"
done
grep -q '^spool:' "$T/pony.yaml" || fail "it wrote through a link"

# --- who removes state/ while it is used makes a fresh start
rm -r "$SPOOL/state"
is ok main .state
expect 0 pony provider pause main
is paused main .state
pony --quiet provider resume main

# --- a name that there is not
expect 64 pony provider pause mian
err_has "there is no provider 'mian'"
err_has "did you mean 'main'?"
expect 64 pony provider resume xyzzyxyzzy
err_has "there are: main, outbox"
expect 64 pony provider pause
expect 64 pony provider
expect 64 pony provider lsit
err_has "provider list"

# --- the built-in configuration has a provider too
expect 0 "$PONY" --config /dev/null --spool "$T/other" provider list
out_has "outbox"
echo ok
