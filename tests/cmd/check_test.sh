#!/usr/bin/env bash
# pony check, as a monitoring system calls it.
source "$(dirname "$0")/../support/shell.sh"
source "$(dirname "$0")/../support/stand_in.sh"

# check CODE ARGUMENT…: its exit code; the line is in $T/out.
check() { expect "$1" pony check "${@:2}"; }
check_at() { expect "$2" at "$1" check "${@:3}"; }
# perf LABEL: a value of the performance data.
perf() { sed 's/.*|//' "$T/out" | tr ' ' '\n' | sed -n "s/^$1=\([0-9.]*\).*/\1/p"; }

# No spool is no good news, and none is made: the one to watch is elsewhere.
check 3
out_has "PONY UNKNOWN - there is no spool '$SPOOL'"
[[ ! -e $SPOOL ]] || fail "check made a spool"
err_is_empty

# An empty one is fine. One line, and the form of perfdata.
expect 0 pony queue
check 0
out_has "PONY OK - 0 waiting |"
is_so 1 "$(wc -l <"$T/out")"
grep -qE '^PONY [A-Z]+ - [^|]+\|( [a-z_]+=[0-9.]+[a-z%]*;[0-9.:]*;[0-9.:]*;[0-9]*(;[0-9]*)?)+$' "$T/out" ||
  fail "$(cat "$T/out")"

# Whatever is wrong with the call is UNKNOWN, on stdout, where it is looked for.
for wrong in "--oldest 15" "--queue x" "--disk 200%" "--oldest 1h:15m" "--nonsense" "--since x --failed 1"; do
  # shellcheck disable=SC2086
  check 3 $wrong
  out_has "PONY UNKNOWN - "
  err_is_empty
done
expect 3 "$PONY" --config "$T/none.yaml" check
out_has "PONY UNKNOWN - "
mkdir "$T/bad" && printf 'spool: %s\nretires: 1\n' "$SPOOL" >"$T/bad/pony.yaml" && chmod 600 "$T/bad/pony.yaml"
expect 3 "$PONY" --config "$T/bad/pony.yaml" check
out_has "retires"

# By age: a message waits since it came, and a warning comes before it is
# critical.
queue 3 >/dev/null
check 0 --oldest 15m
out_has "3 waiting, oldest"
check_at +20m 2 --oldest 15m
out_has "PONY CRITICAL - the oldest message has waited 20m (critical above 15m) | queue=3;;;0 oldest="
check_at +20m 1 --oldest 15m:1h
out_has "PONY WARNING - the oldest message has waited 20m (warning above 15m)"
[[ $(perf oldest) -ge 1200 && $(perf oldest) -lt 1300 ]] || fail "oldest=$(perf oldest)"
# Without options that is looked at, among others.
check_at +20m 1
check_at +70m 2

# One that is scheduled is not old before its time has come.
expect 0 pony run --quiet
pony enqueue --to ann@example.com --subject Later --text x --at +24h >/dev/null
check_at +23h 0 --oldest 15m
out_has "1 waiting |"
check_at +25h 2 --oldest 15m
# A deferred one has waited since it came, not since its last try.
pony queue --ids | pony cancel - >/dev/null 2>&1
start_stand_in main second
behave main 503
config <<YAML
spool: $SPOOL
default_from: team@widgets.example
retry: {first: 10m, jitter: 0%}
breaker: {failures: 3, cool_down: 1h, max_cool_down: 1h}
providers:
$(provider main sendgrid)
YAML
queue 1 >/dev/null
expect 0 pony run --quiet
is_so 1 "$(count_in deferred)"
check_at +9m 2 --oldest 8m
check 0 --oldest 8m

# How many wait, and how many failed of late.
check 2 --queue 0
out_has "1 message waits (critical above 0)"
check 1 --queue 0:5
check 0 --queue 1
pony queue --ids | pony cancel - >/dev/null 2>&1
behave main 400-recipient
queue 2 >/dev/null
pony provider resume main 2>/dev/null
pony run --quiet >/dev/null 2>&1 || true
is_so 2 "$(ls "$SPOOL"/failed/*/*.jsonl | xargs grep -l '"event":"failed"' | wc -l)"
check 2 --failed 1
out_has "2 messages failed within 1h (critical above 1)"
check 0 --failed 2
check_at +2h 0 --failed 0
check_at +2h 2 --failed 0 --since 3h

# What may have been delivered, or not.
check 0 --uncertain 0
behave main reset-after-body
pony provider resume main 2>/dev/null
pony enqueue --to ann@example.com --subject Lost --text x >/dev/null
expect 0 pony run --quiet
check 2 --uncertain 0
out_has "1 message may have been delivered or not (critical above 0)"
pony queue --ids | pony cancel - >/dev/null 2>&1
check 0 --uncertain 0

# A provider that is down while others carry its mail.
SPOOL=$T/spool2
config <<YAML
spool: $SPOOL
default_from: team@widgets.example
breaker: {failures: 3, cool_down: 1h, max_cool_down: 1h}
providers:
$(provider main sendgrid)
$(provider second postmark)
pools: {default: {providers: [main, second]}}
YAML
behave main
behave second
expect 0 pony queue
check 0 --degraded
behave main 503
queue 12 >/dev/null
expect 0 pony run --quiet --jobs 1
is_so 0 "$(count_in deferred)"
check 1 --degraded
out_has "PONY WARNING - pool 'default' is on its last provider, 'second'; provider 'main': breaker open after 3 failures"
# Its breaker closes by and by, but of what it was asked it did nothing.
for hour in 2 3 4 5; do
  at "+${hour}h" enqueue --to ann@example.com --subject x --text x >/dev/null
  at "+${hour}h" run --quiet 2>/dev/null || true
done
for ((i = 0; i < 4; ++i)); do
  pony provider resume main 2>/dev/null
  queue 3 >/dev/null
  pony run --quiet 2>/dev/null || true
done
pony provider resume main 2>/dev/null
check 1 --degraded
grep -qE "provider 'main' failed 100% of [0-9]+ attempts in 6h; [0-9]+ messages left by 'second'" "$T/out" ||
  fail "$(cat "$T/out")"
pony provider pause main 2>/dev/null
check 1 --degraded
out_has "paused"
pony provider pause second 2>/dev/null
check 2 --degraded
out_has "PONY CRITICAL - no provider of pool 'default' takes mail"
pony provider resume main 2>/dev/null
pony provider resume second 2>/dev/null

# When a run was last alive.
check 0 --last-run 10m
check_at +20m 2 --last-run 10m
out_has "the last run was 20m ago (critical above 10m)"
rm "$SPOOL/state/last_run"
check 2 --last-run 10m
out_has "nothing is known of any run"

# The disk.
check 0 --disk 0%
check 2 --disk 100%
out_has "(critical below 100%)"
out_has "inodes="

# For programs.
check 0 --json --queue 1000000
jq -e '.status == "OK" and .code == 0 and .waiting == 0 and .findings[0].kind == "queue"' "$T/out" >/dev/null ||
  fail "$(cat "$T/out")"
expect 3 pony check --json --queue x
jq -e '.status == "UNKNOWN" and .code == 3' "$T/out" >/dev/null || fail "$(cat "$T/out")"
# Quiet says only what is wrong.
check 0 --quiet --queue 1000000
[[ ! -s $T/out ]] || fail "said something"
check 2 --quiet --disk 100%
out_has "PONY CRITICAL"

# For Prometheus: a file that everybody may read, put in place whole.
pony provider pause main 2>/dev/null
queue 2 '{"priority": "bulk"}' >/dev/null
check 0 --prometheus "$T/pony.prom" --queue 100
is_so 644 "$(stat -c %a "$T/pony.prom")"
has() { grep -qE "^$1\$" "$T/pony.prom" || { cat "$T/pony.prom" >&2 && fail "no metric $1"; }; }
has 'pony_queue_messages\{state="new",priority="bulk"\} 2'
has 'pony_queue_messages\{state="held"\} 0'
has 'pony_oldest_message_age_seconds [0-9.]+'
has 'pony_provider_breaker\{provider="second",state="closed"\} 1'
has 'pony_provider_paused\{provider="main"\} 1'
has 'pony_spool_free_ratio 0\.[0-9]+'
has 'pony_check_status\{kind="queue"\} 0'
if command -v promtool >/dev/null; then
  promtool check metrics <"$T/pony.prom" >"$T/promtool" 2>&1 || fail "$(cat "$T/promtool")"
  [[ ! -s $T/promtool ]] || fail "$(cat "$T/promtool")"
fi
check 3 --prometheus "$T/no/such/folder/pony.prom"
[[ -z $(find "$T" -name '.pony.prom*') ]] || fail "something was left behind"
