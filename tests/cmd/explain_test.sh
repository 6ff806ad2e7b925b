# pony explain answers the questions of somebody who was woken up: when did it
# come and how long did it take, why was it not delivered, which providers were
# asked, and what happens next.
source "$(dirname "$0")/../support/shell.sh"
cat >"$T/provider" <<'SH'
#!/bin/sh
[ "$2" = name ] && echo "$1" && exit
case $1:$(cat) in
  *bad@*) printf '%s\n' '{"outcome":"rejected","error":"550 5.1.1 no such user"}' ;;
  main:*lost@*) kill -9 $$ ;;
  *both@*) printf '%s\n' '{"recipients":[{"email":"both@example.com","outcome":"accepted"},{"email":"ann@example.com","outcome":"rejected","error":"550 gone"}]}' ;;
  main:*) printf '%s\n' '{"outcome":"unavailable","error":"503 we are down\nsorry"}' ;;
  *later@*) printf '%s\n' '{"outcome":"unavailable","error":"451 come back"}' ;;
  *) printf '%s\n' '{"outcome":"accepted","provider_id":"x-1"}' ;;
esac
SH
chmod +x "$T/provider"
configure() {
  config <<YAML
spool: $SPOOL
templates: $PONY_SOURCE/templates
default_from: Widget Team <team@widgets.example>
retry: {first: 1h, jitter: 0%, give_up_after: 2d}
breaker: {failures: $1, cool_down: 1h, max_cool_down: 2h}
providers:
  main: {type: exec, command: [$T/provider, main]}
  second: {type: exec, command: [$T/provider, second]}
YAML
}
configure 100
send() { pony enqueue --to "$1" --subject Hello --text x "${@:2}"; }
explain() { expect 0 pony explain "$@"; }
facts() { pony explain --json "$1" | jq -c "$2"; }
is() { [[ $1 == "$2" ]] || fail "'$1' instead of '$2'"; }
head_has() { head -1 "$T/out" | grep -qF -- "$1" || { cat "$T/out" >&2; fail "the first line does not say: $1"; }; }

# --- before anything happens
id=$(send ann@example.com --tag signup)
explain "$id"
head_has "$id \"Hello\" is due, and has not been tried yet."
out_has "It came from team@widgets.example for ann@example.com, accepted by $(hostname)"
out_has "tag signup."
out_has "to deliver what is due: pony run"
is "$(facts "$id" '[.state, .next.action, .attempts]')" '["new","run",[]]'

# --- failover: when, how long, who was asked
expect 0 pony run --quiet
explain "$id"
head_has "was sent by second, "
head_has " after it came."
out_has "main could not take it after"
out_has '"503 we are down\x0asorry", so the next provider was asked.'
out_has "Try 2: second took it after"
out_has "and knows it as x-1."
out_has "Nothing: it is done."
is "$(facts "$id" '.pool')" '"default"'
is "$(facts "$id" '[.providers, (.attempts | map(.outcome)), (.attempts | all(.ms >= 0)), (.took_ms > 0), .next.action]')" \
  '[["main","second"],["unavailable","accepted"],true,true,"none"]'

# --- a bad recipient: why it was not delivered, and how to mend it
bad=$(send bad@example.com)
expect 0 pony run --quiet
explain "$bad"
head_has 'failed: bad@example.com: 550 5.1.1 no such user.'
out_has "pony retry $bad --to ADDRESS"
expect 0 pony retry "$bad" --to good@example.com
expect 0 pony run --quiet
explain "$bad"
head_has "was sent"
out_has "It was brought back by"
out_has "now for good@example.com instead of bad@example.com."
grep -q 'It came .*for bad@example.com, accepted' "$T/out" || fail "whom it was for: $(cat "$T/out")"

# --- deferred: until when, and why
later=$(send later@example.com)
expect 0 pony run --quiet
explain "$later"
head_has "waits for another try: second: 451 come back."
out_has "It was put off until"
out_has "to try it now: pony retry $later"
out_has "If nobody takes it, it expires at"
is "$(facts "$later" '[.state, .next.action, (.next.at | length > 0)]')" '["deferred","wait",true]'

# --- nobody knows
lost=$(send lost@example.com)
expect 0 pony run --quiet
explain "$lost"
out_has "main gave no clear answer"
out_has "the message may have been delivered"
out_has "main may have it already; it gets the same Message-ID again."

# --- some have it
both=$(send both@example.com --to ann@example.com)
expect 0 pony run --quiet
explain "$both"
head_has "was sent"
head_has "to 1 of 2 recipients"
out_has "  both@example.com: main has it"
out_has "  ann@example.com: refused by main: \"550 gone\""

# --- what people do
held=$(send ann@example.com)
pony hold --quiet "$held"
explain "$held"
head_has "is held."
out_has "to let it go: pony release $held"
pony release --quiet "$held"
explain "$held"
out_has "It was released by"
pony cancel --quiet "$held"
explain "$held"
head_has "was cancelled."
out_has "to undo the cancelling: pony retry $held"

# --- feedback in its file shows
printf '{"ts":"2026-11-21T12:00:00.000Z","event":"bounced","id":"%s","by":"x:1","provider":"second","recipient":"ann@example.com","reason":"550 mailbox full"}\n' \
  "$id" >>"$(echo "$SPOOL"/sent/*/"$id.jsonl")"
explain "$id"
head_has ", and bounced."
out_has "second says that it bounced for ann@example.com: 550 mailbox full."

# --- a file that is no message
echo '{"to":"ann@example.com","subjet":"x"}' >"$SPOOL/tmp/x" && mv "$SPOOL/tmp/x" "$SPOOL/new/x.json"
pony run --quiet 2>/dev/null || true
buried=$(pony queue --state failed --reason "subjet" --ids)
explain "$buried"
head_has "is no message"

out_has "pony retry $buried"
is "$(facts "$buried" '.next.action')" '"mend"'

# --- a provider that rests is named, with what wakes it
configure 1
rests=$(send later@example.com)
pony run --quiet 2>/dev/null || true
explain "$rests"
out_has "Provider 'main' rests until"
out_has "No provider of pool 'default' may be asked now."
out_has "pony provider resume main"
is "$(facts "$rests" '[.resting[].provider]')" '["main","second"]'

# --- several, from standard input; one that is not there stops no other
pony queue --state sent --ids | expect 0 pony explain --json -
[[ $(wc -l <"$T/out") == "$(count_in sent)" ]] || fail "not a document a message"
expect 66 pony explain 01ARZ3NDEKTSV4RRFFQ69G5FAV "$id"
err_has "there is no message '01ARZ3NDEKTSV4RRFFQ69G5FAV'"
head_has "$id"
expect 64 pony explain
echo ok
