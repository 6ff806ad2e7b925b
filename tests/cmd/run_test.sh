#!/usr/bin/env bash
# pony run: cron, failover, retries, dropped files, the loop and its signals.
source "$(dirname "$0")/../support/shell.sh"

queue_one() { pony enqueue --to "${1:-ann@example.com}" --subject Hello --text 'It works.' "${@:2}"; }

# A pass delivers what is due and says so; an empty one too.
id=$(queue_one)
expect 0 pony run
out_has "Finished processing 1 messages (1 sent, 0 deferred, 0 failed)"
err_is_empty
[[ -f $SPOOL/sent/$(date -u +%F)/$id.jsonl ]] || fail "not in sent/"
[[ $(ls "$T/outbox/new" | wc -l) == 1 ]] || fail "not delivered"
expect 0 pony run --quiet
[[ ! -s $T/out ]] && err_is_empty
tail -1 "$SPOOL/sent/$(date -u +%F)/$id.jsonl" |
  jq -e '.event == "sent" and .provider == "outbox" and .attempt == 1 and .queue_ms >= 0' >/dev/null ||
  fail "its file does not tell"
[[ -z $(ls -A "$SPOOL/cur") ]] || fail "the runner left its folder"

# Failover by outcome: the first is down, the second has it; all of it is told.
config <<YAML
spool: $SPOOL
default_from: team@widgets.example
retry: {first: 1h, jitter: 0%}
providers:
  down: {type: sendmail, command: [/bin/sh, -c, 'exit 75', sh]}
  outbox: {type: maildir, path: $T/outbox}
YAML
id=$(queue_one)
expect 0 pony run --verbose
err_has "$id: to=<ann@example.com>, provider=outbox, attempt=2, sent"
jq -es '[.[] | select(.event == "attempted") | .outcome] == ["unavailable", "accepted"]' \
  "$SPOOL/sent/$(date -u +%F)/$id.jsonl" >/dev/null || fail "the attempts are not told"

# All down: deferred with the reason; the next pass leaves it alone; retry
# brings it back at once.
config <<YAML
spool: $SPOOL
default_from: team@widgets.example
retry: {first: 1h, jitter: 0%}
providers:
  down: {type: sendmail, command: [/bin/sh, -c, 'echo no luck >&2; exit 75', sh]}
YAML
id=$(queue_one)
expect 0 pony run
out_has "(0 sent, 1 deferred, 0 failed)"
find "$SPOOL/deferred" -name "$id.jsonl" | grep -q . || fail "not deferred"
expect 0 pony run
out_has "processing 0 messages"
expect 0 pony queue
out_has "no luck"

# Refused for good: failed, told once also with --quiet; retry sends it again.
config <<YAML
spool: $SPOOL
default_from: team@widgets.example
providers:
  no: {type: sendmail, command: [/bin/sh, -c, 'echo 550 go away >&2; exit 65', sh]}
YAML
expect 0 pony retry "$id"
expect 0 pony run --quiet
err_has "$id"
err_has "go away"
[[ -f $SPOOL/failed/$(date -u +%F)/$id.jsonl ]] || fail "not in failed/"
config <<YAML
spool: $SPOOL
templates: $PONY_SOURCE/templates
default_from: team@widgets.example
providers:
  outbox: {type: maildir, path: $T/outbox}
YAML
expect 0 pony retry "$id"
expect 0 pony run
[[ -f $SPOOL/sent/$(date -u +%F)/$id.jsonl ]] || fail "retry did not send it"

# Past expires_at: never tried.
id=$(queue_one ann@example.com --expires 2020-01-01T00:00:00Z)
expect 0 pony run
jq -es '[.[].event] | index("expired") and (index("attempted") | not)' \
  "$SPOOL/failed/$(date -u +%F)/$id.jsonl" >/dev/null || fail "not expired"

# Dropped files of other programs: a valid one is sent under a fresh id; what
# is no message goes to failed/ byte for byte with its reason; the queue goes on.
drop() { cat >"$SPOOL/tmp/$1" && mv "$SPOOL/tmp/$1" "$SPOOL/new/$1"; }
drop good.json <<<'{"to":"drop@example.com","subject":"Dropped","text":"in"}'
drop 'bad name.json' <<<'{"to":"drop@example.com","subjct":"x"}'
drop torn.json <<<'{"to":"drop@exa'
: | drop empty.json
ln -s /etc/shadow "$SPOOL/new/link.json"
mkdir "$SPOOL/new/folder.json"
id=$(queue_one)
expect 0 pony run
out_has "Finished processing 7 messages (2 sent, 0 deferred, 5 failed)"
err_has "unknown key 'subjct'"
grep -rq '"to":"drop@exa$' "$SPOOL/failed" || fail "not byte for byte"
[[ $(find "$SPOOL/failed" -name '*.error' | wc -l) == 5 ]] || fail "no reasons"
grep -rlq 'Dropped' "$T/outbox/new" || fail "the dropped message was not sent"

# Templates that cannot be rendered any more: the message waits.
cp -r "$PONY_SOURCE/templates" "$T/templates"
sed -i "s|$PONY_SOURCE/templates|$T/templates|" "$T/pony.yaml"
id=$(pony enqueue --to a@example.com --template welcome --set name=A --set team=T --set action_url=https://x.example/)
rm -r "$T/templates/welcome"
expect 0 pony run
out_has "(0 sent, 1 deferred, 0 failed)"

# A configuration error: 78, the queue untouched.
before=$(count_in new)
echo 'retires: {}' >>"$T/pony.yaml"
expect 78 pony run
err_has "did you mean 'retry'?"
err_has "pony.yaml:"
[[ $(count_in new) == "$before" ]] || fail "the queue changed"

# The loop wakes at once when something is queued, sends what becomes due,
# reads its configuration again on SIGHUP, ends cleanly on SIGTERM.
config <<YAML
spool: $T/loop
default_from: team@widgets.example
providers:
  outbox: {type: maildir, path: $T/loop-outbox}
YAML
"$PONY" --config "$T/pony.yaml" run --loop >"$T/loop.out" 2>"$T/loop.err" &
loop=$!
background+=("$loop")
at_work() { [[ -n $(ls "$T/loop/cur") ]]; }
wait_until at_work
delivered() { [[ $(ls "$T/$1/new" 2>/dev/null | wc -l) == "$2" ]]; }
expect 0 pony enqueue --to a@example.com --subject Hi --text x --wait 20s
wait_until delivered loop-outbox 1
expect 0 pony enqueue --to a@example.com --subject Hi --text x --at +1s --wait 20s
wait_until delivered loop-outbox 2
sed -i "s|loop-outbox|other-outbox|" "$T/pony.yaml"
kill -HUP "$loop"
expect 0 pony enqueue --to a@example.com --subject Hi --text x --wait 20s
expect 0 pony enqueue --to a@example.com --subject Hi --text x --wait 20s
reloaded() { [[ -n $(ls "$T/other-outbox/new") ]]; }
wait_until reloaded
kill -TERM "$loop"
wait "$loop" || fail "the loop ended with $?"
grep -q "Finished processing 4 messages (4 sent" "$T/loop.out" || fail "$(cat "$T/loop.out" "$T/loop.err")"
[[ -z $(ls -A "$T/loop/cur") ]] || fail "the loop left its folder"

# --limit and --dry-run.
for i in 1 2 3; do pony enqueue --to "a$i@example.com" --subject Hi --text x >/dev/null; done
expect 0 pony run --dry-run
[[ $(wc -l <"$T/out") == 3 ]] || fail "dry run"
expect 0 pony run --limit 2
out_has "Finished processing 2 messages"
expect 0 pony run
out_has "Finished processing 1 messages"

# Every provider rests: the rest of the queue is left alone, 75, one line.
config <<YAML
spool: $T/rest
default_from: team@widgets.example
breaker: {failures: 2, cool_down: 1h, max_cool_down: 1h}
providers:
  down: {type: sendmail, connections: 1, command: [/bin/sh, -c, 'exit 75', sh]}
YAML
for i in 1 2 3 4 5 6; do echo "{\"to\":\"a$i@example.com\",\"subject\":\"Hi\",\"text\":\"x\"}"; done | pony enqueue >/dev/null
expect 75 pony run --jobs 1
err_has "every provider rests"
[[ $(find "$T/rest/new" -name '*.jsonl' | wc -l) == 4 ]] || fail "the queue was not left alone"

# A dropped file with an idempotency key that was used is not sent again.
config <<YAML
spool: $T/keys
default_from: team@widgets.example
providers: {outbox: {type: maildir, path: $T/keys-outbox}}
YAML
message='{"to":"a@example.com","subject":"Once","text":"x","idempotency_key":"once"}'
pony enqueue <<<"$message" >/dev/null
for i in 1 2; do
  cat >"$T/keys/tmp/$i.json" <<<"$message"
  mv "$T/keys/tmp/$i.json" "$T/keys/new/$i.json"
done
expect 0 pony run
[[ $(ls "$T/keys-outbox/new" | wc -l) == 1 ]] || fail "a key was sent twice"
