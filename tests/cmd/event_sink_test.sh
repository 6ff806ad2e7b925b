#!/usr/bin/env bash
# event_sink: one program that is told every event, whoever logged it.
source "$(dirname "$0")/../support/shell.sh"

cat >"$T/collect" <<SH
#!/bin/sh
echo started >>$T/starts
exec cat >>$T/told
SH
chmod +x "$T/collect"
# with SINK
with() {
  config <<YAML
spool: $SPOOL
default_from: team@widgets.example
providers: {outbox: {type: maildir, path: $T/outbox}}
event_sink: $1
YAML
}
queue() { for ((i = 0; i < $1; ++i)); do echo '{"to":"ann@example.com","subject":"Hi","text":"x"}'; done | pony enqueue; }
# told: is what was told what is in the log from line $1 on?
told_from() { set -o pipefail; diff <(tail -qn "+$1" "$SPOOL"/log/*.jsonl) "$T/told" | head -3 >&2 || fail "told something else"; }
log_lines() { cat "$SPOOL"/log/*.jsonl | wc -l; }
starts() { wc -l <"$T/starts"; }

# A run tells everything that is logged from its beginning on, by one program
# that it starts once, and ends when that is told.
with "[$T/collect]"
queue 20 >/dev/null
before=$(log_lines)
expect 0 pony run
out_has "20 sent"
err_is_empty
told_from "$((before + 1))"
[[ $(starts) == 1 ]] || fail "started $(starts) times"
[[ $(jq -r .event "$T/told" | sort | uniq -c | tr -s ' \n' ' ') == " 20 attempted 20 sent " ]] || fail "$(cat "$T/told")"

# What others did is told by the next run, once: enqueue, cancel, a send.
queue 2 >"$T/ids"
pony cancel "$(head -1 "$T/ids")" 2>/dev/null >&2
expect 0 pony run
told_from "$((before + 1))"
for event in queued cancelled; do
  grep -q "\"event\":\"$event\"" "$T/told" || fail "not told of $event"
done
expect 0 pony send --to ann@example.com --subject Hi --text x
told_from "$((before + 1))"
# With nothing to tell it is not started.
count=$(starts)
expect 0 pony run
[[ $(starts) == "$count" ]] || fail "started for nothing"

# It may be gone for a while: the log waits for it, and mail does not.
with "[$T/no/such/program]"
queue 3 >/dev/null
expect 0 pony run
out_has "3 sent"
err_has "event_sink '$T/no/such/program': cannot start '$T/no/such/program'"
with "[$T/collect]"
expect 0 pony run
told_from "$((before + 1))"

# One that dies in the middle is told again what it has not read: a whole line
# at a time, each at least once. (A shell reads byte by byte.)
cat >"$T/dies" <<SH
#!/bin/sh
for i in 1 2 3; do read -r line && echo "\$line" >>$T/told; done
exit 3
SH
chmod +x "$T/dies"
with "[$T/dies]"
queue 5 >/dev/null
expect 0 pony run --quiet
err_has "event_sink '$T/dies': exited with 3"
with "[$T/collect]"
expect 0 pony run
told_from "$((before + 1))"

# One that does not read keeps a run for no longer than its grace time, and
# delivery not at all.
cat >"$T/hangs" <<SH
#!/bin/sh
echo \$\$ >>$T/hanging
exec sleep 600
SH
chmod +x "$T/hangs"
with "[$T/hangs]"
queue 50 >/dev/null
began=$SECONDS
expect 0 pony run
out_has "50 sent"
err_has "event_sink '$T/hangs': killed, as the run ended"
((SECONDS - began < 60)) || fail "it kept the run"
! kill -0 "$(cat "$T/hanging")" 2>/dev/null || fail "it was left behind"
with "[$T/collect]"
expect 0 pony run
told_from "$((before + 1))"

# A loop tells while it stays, one of two runs at a time, and what it was told
# once is not told again after a restart.
"$PONY" --config "$T/pony.yaml" run --loop >"$T/loop1" 2>&1 &
background+=($!)
first=$!
"$PONY" --config "$T/pony.yaml" run --loop >"$T/loop2" 2>&1 &
background+=($!)
second=$!
queue 100 >/dev/null
all_told() { [[ $(wc -l <"$T/told") == $(($(log_lines) - before)) && $(count_in sent) -ge 180 ]]; }
wait_until all_told
kill -TERM "$first" "$second"
wait "$first" && wait "$second" || fail "a loop failed"
told_from "$((before + 1))"
[[ ! -s $T/loop1.err ]] || cat "$T/loop1" >&2

# A run that is killed tells twice rather than never.
"$PONY" --config "$T/pony.yaml" run --loop >"$T/loop1" 2>&1 &
first=$!
background+=("$first")
queue 200 >/dev/null
some_told() { (($(wc -l <"$T/told") > $1)); }
wait_until some_told "$(wc -l <"$T/told")"
kill -KILL "$first"
wait "$first" 2>/dev/null || true
expect 0 pony run
diff <(tail -qn "+$((before + 1))" "$SPOOL"/log/*.jsonl | sort -u) <(sort -u "$T/told") >&2 || fail "not all was told"

# Nobody is told without one, and nothing is kept.
config <<YAML
spool: $T/other
default_from: team@widgets.example
providers: {outbox: {type: maildir, path: $T/outbox}}
YAML
queue 1 >/dev/null
expect 0 pony run
[[ ! -e $T/other/state/event_sink ]] || fail "kept a place for nobody"
