#!/usr/bin/env bash
# pony top: printed for scripts, and live at a terminal.
source "$(dirname "$0")/../support/shell.sh"

# A provider whose words would colour a terminal.
refuses="{type: sendmail, command: [/bin/sh, -c, 'cat >/dev/null; printf \"no \\\\033[31msuch user\" >&2; exit 67', sh]}"
config <<YAML
spool: $SPOOL
default_from: team@widgets.example
breaker: {failures: 1000}
providers:
  outbox: {type: maildir, path: $T/outbox}
  mine: $refuses
pools: {default: {providers: [outbox]}, mine: {providers: [mine]}}
YAML
export LC_ALL=C.UTF-8

# Not a terminal: once, as text, without an escape.
expect 0 pony top
err_is_empty
out_has "queue      new 0  deferred 0  claimed 0  held 0"
grep -qE '^outbox +ok +0 +0 +0 +- +-$' "$T/out" || fail "$(cat "$T/out")"
! grep -q $'\x1b' "$T/out" || fail "escapes"

# What happened: counted by state and provider, with times and failures.
for ((i = 0; i < 3; ++i)); do echo '{"to":"ann@example.com","subject":"Hi","text":"x"}'; done | pony enqueue >/dev/null
expect 0 pony run
pony send --pool mine --to ann@example.com --subject Hi --text x >/dev/null 2>&1 || true
pony enqueue --to ann@example.com --subject Hi --text x --priority high >/dev/null
expect 0 pony top
out_has "new 1 (high 1)"
out_has "oldest"
out_has "LAST FAILURES"
out_has 'such user'
! grep -q $'\x1b' "$T/out" || fail "a provider's escapes reach the terminal"
grep -qE 'times      in queue p50 [0-9.]+m?s p95 [0-9.]+m?s   at providers p50' "$T/out" || fail "$(cat "$T/out")"

# For programs: an object a time.
# (A second counts when it is over.)
is_counted() {
  pony top --json --once >"$T/out"
  jq -e '.arrivals.last_minute >= 5 and .deliveries.last_minute == 3 and .failures.last_minute == 1
    and .new.high == 1 and .queue_ms.count == 3 and .oldest_s >= 0
    and (.providers[] | select(.name == "outbox") | .attempts == 3 and .failed == 0 and .state == "ok")
    and (.last_failures[0].reason | test("such user"))' "$T/out" >/dev/null
}
wait_until is_counted
expect 0 pony top --json --count 3 --interval 100ms
[[ $(wc -l <"$T/out") == 3 ]] || fail "not three objects"
expect 0 pony top --count 2 --interval 100ms
[[ $(grep -c "^pony top" "$T/out") == 2 ]] || fail "not two frames"
# Whoever listens may go.
pony top --json --interval 100ms | head -2 | jq -e .ts >/dev/null || fail "no stream"

expect 64 pony top --interval 1
err_has "--interval"
expect 64 pony top --interval 1ms

# At a terminal.
expect 0 pony run
expect 0 env PYTHONPATH="$PONY_SOURCE/tests/support" PYTHONDONTWRITEBYTECODE=1 \
  python3 "$PONY_SOURCE/tests/support/watch_top.py" "$PONY" "$T/pony.yaml"
out_has "top behaves"
