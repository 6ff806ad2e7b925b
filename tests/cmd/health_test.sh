#!/usr/bin/env bash
# What one process learns of a provider, the others know: cron's runs against
# a dead provider, Retry-After, pauses, rates, and state/ that cannot be used.
source "$(dirname "$0")/../support/shell.sh"
source "$PONY_SOURCE/tests/support/stand_in.sh"

start_stand_in main second
spools=0
# with PROVIDERS [MORE]: a fresh spool, and a configuration with these lines
# of providers and these others.
with() {
  SPOOL=$T/spool-$((++spools))
  forget main second
  config <<YAML
spool: $SPOOL
default_from: Widget Team <team@widgets.example>
retry: {first: 1m, factor: 1, max: 1m, jitter: 0%}
providers:
$1
${2:-}
YAML
}
# What lies in the queue: names and contents.
queue_now() { (cd "$SPOOL" && find new deferred held -type f -print0 | sort -z | xargs -0r sha256sum); }
silent="timeout: 500ms, connect_timeout: 500ms, connections: 2"

# --- cron: a run each minute against a provider that swallows what it gets.
# The first run finds out; those within the cool-down do not ask it again.
with "$(provider main sendgrid "$silent")
$(provider second mailgun)" "breaker: {failures: 2, cool_down: 5m}"
behave main silent
queue 6 '{"on_unknown":"retry"}' >/dev/null
expect 0 pony run --jobs 4
# Those in doubt wait for a minute (they may have been taken); the rest left.
first=$(requests main)
((first >= 2 && first <= 4)) || fail "$first requests opened the breaker"
is_so "$first" "$(count_in deferred)"
for minute in 1.5 2.5 3.5; do
  queue 5 >/dev/null
  expect 0 at "+${minute}m" run --quiet
  err_is_empty
  asked main "$first"
done
is_so 0 $(($(count_in new) + $(count_in deferred)))
is_so 21 "$(requests second '.answered == 200')"

# Without a second provider: 75, one line, the queue untouched; and again in
# the next minute, without a request.
with "$(provider main sendgrid "$silent")" "breaker: {failures: 2, cool_down: 5m}"
behave main silent
queue 6 >/dev/null
expect 75 pony run --jobs 2
first=$(requests main)
for minute in 1.5 2.5; do
  before=$(queue_now)
  expect 75 at "+${minute}m" run --quiet
  [[ $(wc -l <"$T/err") == 1 ]] || fail "not one line: $(cat "$T/err")"
  err_has "mail is due, but every provider rests: 'main' (breaker open after "
  err_has "the queue was left alone"
  is_so "$before" "$(queue_now)"
  [[ -z $(ls -A "$SPOOL/cur") ]] || fail "a folder was left in cur/"
  asked main "$first"
done
expect 0 at +3m run --dry-run
[[ $(wc -l <"$T/out") == 6 ]] || fail "$(cat "$T/out")"
# With nothing due a provider that rests is no news.
with "$(provider main sendgrid)"
pony provider pause main 2>/dev/null
expect 0 pony run --quiet
err_is_empty

# A port on which nobody accepts is as dead, and costs one time-out a
# connection.
/usr/bin/python3 -c '
import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(0)
full = [socket.socket() for _ in range(4)]
for one in full: one.setblocking(False); one.connect_ex(s.getsockname())
print(s.getsockname()[1], flush=True); time.sleep(600)' >"$T/full.port" &
background+=($!)
wait_until test -s "$T/full.port"
with "  main: {type: sendgrid, api_key: k, base_url: \"http://127.0.0.1:$(cat "$T/full.port")\", allow_insecure: true, $silent}
$(provider second mailgun)" "breaker: {failures: 2, cool_down: 5m}"
queue 10 >/dev/null
expect 0 pony run --jobs 4
out_has "(10 sent"
attempts() { cat "$SPOOL"/log/*.jsonl | jq -c 'select(.event == "attempted" and .provider == "main" and .outcome == "unavailable")' | wc -l; }
first=$(attempts)
((first >= 2 && first <= 4)) || fail "$first attempts"
queue 10 >/dev/null
expect 0 at +2m run
is_so "$first" "$(attempts)"

# --- 429 with Retry-After 30: the traffic moves to the second at once, for
# 30 s, in every process; then it comes back.
with "$(provider main sendgrid "connections: 1")
$(provider second mailgun)"
behave main '429-after-30*1' success
id=$(queue 1)
expect 0 pony run
is_so "queued, attempted main throttled, attempted second accepted, sent" "$(story "$id")"
is_so '["resting","asked to be left alone"]' "$(of main '[.state, .why]')"
queue 3 >/dev/null
expect 0 at +15s run
asked main 1
asked second 4
queue 3 >/dev/null
expect 0 at +40s run
asked main 4
asked second 4
is_so ok "$(of_at +40s main .state)"

# --- A person pauses a provider for some time, or until it is resumed.
with "$(provider main sendgrid)
$(provider second mailgun)"
pony --quiet provider pause main --for 1h
queue 2 >/dev/null
expect 0 pony run
expect 0 at +50m send --to a@example.com --subject Hi --text x
asked main 0
asked second 3
queue 2 >/dev/null
expect 0 at +61m run
asked main 2
pony --quiet provider pause main
queue 2 >/dev/null
expect 0 at +1d run
asked main 2
pony --quiet provider resume main
queue 2 >/dev/null
expect 0 pony run
asked main 4
asked second 5

# A loop that is at work hears of it, too.
"$PONY" --config "$T/pony.yaml" run --loop >"$T/loop.out" 2>"$T/loop.err" &
loop=$!
background+=("$loop")
expect 0 pony enqueue --to a@example.com --subject Hi --text x --wait 20s
asked main 5
pony --quiet provider pause main
# It looks fifty times a second: until then the first may get some more.
moved() {
  local before
  before=$(requests second)
  pony enqueue --to a@example.com --subject Hi --text x --wait 20s >/dev/null 2>&1
  (($(requests second) > before))
}
wait_until moved
kill -TERM "$loop"
wait "$loop" || fail "the loop ended with $?"

# --- Two runners and a send share one breaker: one opens it, the others do not
# ask that provider.
with "$(provider main sendgrid)
$(provider second mailgun)" "breaker: {failures: 3, cool_down: 1h, max_cool_down: 1h}"
loops=()
for n in 1 2; do
  "$PONY" --config "$T/pony.yaml" run --loop >"$T/loop.$n" 2>&1 &
  loops+=($!)
done
background+=("${loops[@]}")
both_at_work() { [[ $(find "$SPOOL/cur" -mindepth 1 -maxdepth 1 -type d | wc -l) == 2 ]]; }
wait_until both_at_work
behave main 503
opened() {
  pony enqueue --to a@example.com --subject Hi --text x --wait 20s >/dev/null 2>&1
  [[ $(of main .state) == open ]]
}
wait_until opened
before=$(requests main)
expect 0 pony send --to a@example.com --subject Hi --text x
asked main "$before"
# By now both loops have looked (they do so fifty times a second), or ask once
# more and see.
queue 200 >/dev/null
all_sent() { [[ $(count_in new) == 0 && -z $(find "$SPOOL/cur" -name '*.jsonl') ]]; }
wait_until all_sent
kill -TERM "${loops[@]}"
for loop in "${loops[@]}"; do wait "$loop" || fail "a loop ended with $?"; done
asked main "$before"
cat "$T"/loop.? | grep -c "provider 'main' rests" | grep -qx 1 || fail "told more than once: $(cat "$T"/loop.?)"

# --- A rate: no window of a second sees more than 20, whoever sends.
with "$(provider main sendgrid "rate: [20/s]")"
queue 60 >/dev/null
pids=()
for n in 1 2; do
  pony run >"$T/run.$n" 2>&1 &
  pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || fail "a run ended with $?"; done
is_so 60 "$(requests main)"
jq -se 'map(.time) | . as $t | [range(length - 20) | select($t[. + 20] - $t[.] < 0.8)] | length == 0' \
  "$T/main.log" >/dev/null || fail "a window with more than 20: $(jq -sc 'map(.time)' "$T/main.log")"

# A day's budget: what is above it goes to the second, in every process; the
# list tells what is left.
with "$(provider main sendgrid "rate: 5/day")
$(provider second mailgun)"
queue 3 >/dev/null
expect 0 pony run
is_so '[{"per":"1d","limit":5,"left":2}]' "$(of main .rates)"
queue 6 >/dev/null
expect 0 pony run
asked main 5
asked second 4
is_so '[0]' "$(of main '[.rates[].left]')"
expect 0 at +20h send --to a@example.com --subject Hi --text x
asked second 5
queue 2 >/dev/null
expect 0 at +26h run
asked main 7
asked second 5

# --- state/ that is damaged or cannot be written costs the sharing, not mail.
with "$(provider main sendgrid "rate: 1000/h")
$(provider second mailgun)"
queue 1 >/dev/null
expect 0 pony run
for damage in garbage cut folder file; do
  state=$SPOOL/state/providers
  case $damage in
    garbage) head -c 3000 /dev/urandom >"$state/main.json" ;;
    cut) truncate -s 5 "$state/main.json" ;;
    folder) rm "$state/main.json" && mkdir -p "$state/main.json/x" ;;
    file) rm -r "$state" && echo x >"$state" ;;
  esac
  queue 20 >/dev/null
  expect 0 pony run
  out_has "(20 sent, 0 deferred, 0 failed)"
  case $damage in
    garbage | cut) err_is_empty ;;
    *) is_so 1 "$(grep -c "the health of provider 'main' is not kept" "$T/err")" ;;
  esac
done

# A folder that may not be written: the run delivers by what it can read and
# by what it finds out itself, and says so once. To root a folder is read-only
# when it is mounted so.
if ((EUID != 0)) || unshare -m true 2>/dev/null; then
  with "$(provider main sendgrid "rate: 1000/h")
$(provider second mailgun "connections: 1")
  outbox: {type: maildir, path: $T/outbox}" "breaker: {failures: 2, cool_down: 15m}"
  pony --quiet provider pause main
  behave second 503
  queue 2000 >/dev/null
  state=$SPOOL/state
  if ((EUID != 0)); then
    mkdir -p "$state/providers" && chmod 500 "$state" "$state/providers"
    chmod 400 "$state"/providers/*
    expect 0 pony run
    chmod 700 "$state" "$state/providers"
  else
    export -f pony
    export PONY T
    expect 0 unshare -m bash -c "mount --bind '$state' '$state' &&
      mount -o remount,bind,ro '$state' && pony run"
  fi
  out_has "(2000 sent, 0 deferred, 0 failed)"
  is_so 1 "$(grep -c "the health of provider 'second' is not kept" "$T/err")"
  is_so 1 "$(grep -c "provider 'second' rests: breaker open after 2 failures" "$T/err")"
  asked main 0
  asked second 2
fi
