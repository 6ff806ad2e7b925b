#!/usr/bin/env bash
# Hooks: programs that are told what became of messages.
source "$(dirname "$0")/../support/shell.sh"

cat >"$T/record" <<SH
#!/bin/sh
cat >>$T/\$1
SH
cat >"$T/fails" <<SH
#!/bin/sh
cat >>$T/\$1
echo 'no pager' >&2
exit 3
SH
chmod +x "$T/record" "$T/fails"
# with PROVIDER HOOKS
with() {
  config <<YAML
spool: $SPOOL
default_from: team@widgets.example
breaker: {failures: 1000}
providers: {mine: $1}
hooks: $2
YAML
}
outbox="{type: maildir, path: $T/outbox}"
refuses="{type: sendmail, command: [/bin/sh, -c, 'cat >/dev/null; echo no such user >&2; exit 67', sh]}"
defers="{type: sendmail, command: [/bin/sh, -c, 'exit 75', sh]}"
recording="{on_sent: [$T/record, sent], on_failed: [$T/record, failed]}"
queue() { for ((i = 0; i < $1; ++i)); do echo '{"to":"ann@example.com","subject":"Hi","text":"x"}'; done | pony enqueue; }
lines() { wc -l <"$T/$1"; }

# A run tells each event once, as it is in the message's file; cron's short
# run does not end before.
with "$outbox" "$recording"
ids=$(queue 20)
expect 0 pony run
err_is_empty
[[ $(lines sent) == 20 && ! -e $T/failed ]] || fail "told $(lines sent) of 20"
diff <(sort <<<"$ids") <(jq -r .id "$T/sent" | sort) >&2 || fail "other messages"
id=$(head -1 <<<"$ids")
diff <(grep -F "$id" "$T/sent") <(tail -qn1 "$SPOOL"/sent/*/"$id.jsonl") >&2 || fail "another event"

with "$refuses" "$recording"
rm "$T/sent"
id=$(queue 1)
expect 0 pony run --quiet
jq -e --arg id "$id" '.event == "failed" and .id == $id and (.reason | contains("no such user"))' \
  "$T/failed" >/dev/null || fail "$(cat "$T/failed")"
id=$(pony enqueue --to ann@example.com --subject Hi --text x --expires 2020-01-01T00:00:00Z)
expect 0 pony run
tail -1 "$T/failed" | jq -e '.event == "expired"' >/dev/null || fail "not told of an expired one"
[[ ! -e $T/sent ]] || fail "a failure was told as sent"

# What is only put off is told nobody.
with "$defers" "$recording"
rm "$T/failed"
queue 1 >/dev/null
expect 0 pony run
out_has "1 deferred"
[[ ! -e $T/sent && ! -e $T/failed ]] || fail "told of a deferred message"

# pony send tells, too.
with "$outbox" "$recording"
expect 0 pony send --to ann@example.com --subject Hi --text x
[[ $(jq -r .id "$T/sent") == "$(cat "$T/out")" ]] || fail "send did not tell"
with "$refuses" "$recording"
expect 69 pony send --to ann@example.com --subject Hi --text x
[[ $(jq -r .id "$T/failed") == "$(cat "$T/out")" ]] || fail "send did not tell of a failure"

# A hook that fails changes nothing about the mail; it is told once, then
# counted, also with --quiet.
with "$outbox" "{on_sent: [$T/fails, tried]}"
queue 18 >/dev/null
expect 0 pony run --quiet
[[ $(cat "$T/err") == "pony run: hook on_sent: '$T/fails': exited with 3: no pager
pony run: hook on_sent failed 17 more times" ]] || fail "$(cat "$T/err")"
[[ $(lines tried) == 18 ]] || fail "a failed hook was not called again"
with "$outbox" "{on_sent: [/no/such/hook]}"
queue 2 >/dev/null
expect 0 pony run
out_has "2 sent"
err_has "hook on_sent: cannot start '/no/such/hook': No such file or directory"
err_has "hook on_sent failed 1 more time"

# One that hangs keeps a stopped run no longer than its grace time, and
# delivery not at all.
cat >"$T/hangs" <<SH
#!/bin/sh
echo \$\$ >>$T/hanging
exec sleep 600
SH
chmod +x "$T/hangs"
with "$outbox" "{on_sent: [$T/hangs]}"
rm -r "$T/outbox"
queue 10 >/dev/null
"$PONY" --config "$T/pony.yaml" run --loop --grace 100ms >"$T/loop.out" 2>"$T/loop.err" &
loop=$!
background+=("$loop")
all_are_out() { [[ $(ls "$T/outbox/new" | wc -l) == 10 ]] && (($(wc -l <"$T/hanging") == 4)); }
wait_until all_are_out
kill -TERM "$loop"
wait "$loop" || fail "the loop ended with $?"
grep -q "10 sent" "$T/loop.out" || fail "$(cat "$T/loop.out")"
grep -q "hook on_sent: '$T/hangs': killed, the run ended" "$T/loop.err" || fail "$(cat "$T/loop.err")"
grep -q "hooks were not told of 6 events" "$T/loop.err" || fail "$(cat "$T/loop.err")"
while read -r pid; do
  ! kill -0 "$pid" 2>/dev/null || fail "a hook was left behind"
done <"$T/hanging"
