#!/usr/bin/env bash
# pony enqueue: what a script relies on.
source "$(dirname "$0")/../support/shell.sh"

hello='{"to":"ann@example.com","subject":"Hello","text":"It works."}'

# One message: one id, one file, readable as JSON Lines.
expect 0 pony enqueue <<<"$hello"
err_is_empty
id=$(cat "$T/out")
[[ $id =~ ^[0-9A-HJKMNP-TV-Z]{26}$ ]] || fail "no id: $id"
[[ -f $SPOOL/new/$id.jsonl ]] || fail "no file in new/"
python3 - "$SPOOL/new/$id.jsonl" <<'P'
import json, sys
lines = open(sys.argv[1]).read().split("\n")
message, queued = json.loads(lines[0]), json.loads(lines[1])
assert message["subject"] == "Hello" and message["to"] == ["ann@example.com"], message
assert queued["event"] == "queued" and lines[2] == "", lines
P
[[ $(stat -c %a "$SPOOL") == 700 && $(stat -c %a "$SPOOL/new/$id.jsonl") == 600 ]] ||
  fail "the spool is open to others"
[[ -z $(ls "$SPOOL/tmp") ]] || fail "leftovers in tmp/"

# --json keeps the two fields of the service it replaces.
expect 0 pony enqueue --json <<<"$hello"
jq -e '.result == true and (.id | length) == 26' "$T/out" >/dev/null || fail "$(cat "$T/out")"

# JSON Lines: the valid lines before and after a bad one are accepted.
expect 65 pony enqueue <<EOF
$hello
{"to":"bob@example.com","subjet":"Hi","text":"x"}
{"to":"not an address","subject":"Hi"
$hello
EOF
[[ $(wc -l <"$T/out") == 2 ]] || fail "not two ids"
err_has "line 2"
err_has "unknown key 'subjet'"
err_has "did you mean 'subject'?"
err_has "line 3"

# An array, pretty-printed.
expect 0 pony enqueue <<EOF
[
  $hello,
  {"to": ["ann@example.com", {"name": "Bob", "email": "bob@example.com"}],
   "subject": "Both", "text": "of you"}
]
EOF
[[ $(wc -l <"$T/out") == 2 ]] || fail "not two ids"

# Every problem of a message at once, with its place; nothing is queued.
before=$(count_in new)
expect 65 pony enqueue <<<'{"to":["a@example.com","b@"],"subject":"x\ny","text":1,"priority":"hihg","headers":{"Bcc":"x@example.com"}}'
err_has "to[1]"
err_has "subject"
err_has "did you mean 'high'?"
err_has "headers.Bcc"
expect 65 pony enqueue <<<'{"subject":"Hi"}'
err_has "to"
expect 65 pony enqueue </dev/null
expect 65 pony enqueue <<<'{"to":'
err_has "line 1, column"
[[ $(count_in new) == "$before" ]] || fail "something was queued"

# Templates are checked now: they exist, and every name has a value.
expect 66 pony enqueue <<<'{"to":"a@example.com","template":"welcom"}'
err_has "did you mean 'welcome'?"
expect 65 pony enqueue <<<'{"to":"a@example.com","template":"welcome","replacements":{"nmae":"Ann","team":"T","action_url":"https://x.example/"}}'
err_has "did you mean"
err_has "nmae"

# Flags make a message, or fill in what the JSON leaves out.
expect 0 pony enqueue --to ann@example.com --subject Hi --text Hello \
  --tag a --tag b --header 'X-Campaign: spring' --priority high --key k1 </dev/null
id=$(cat "$T/out")
[[ -f $SPOOL/new/high/$id.jsonl ]] || fail "high priority has its own folder"
jq -es '.[0].tags == ["a","b"] and .[0].headers["X-Campaign"] == "spring"' "$SPOOL/new/high/$id.jsonl" >/dev/null || fail "flags"
expect 0 pony enqueue --template welcome --set team=Widgets --set action_url=https://w.example/ - \
  <<<'{"to":"ann@example.com","lang":"de","replacements":{"name":"Ann"}}'

# The same key and content: the first id, nothing queued. Other content: 65.
before=$(find "$SPOOL/new" -name '*.jsonl' | wc -l)
expect 0 pony enqueue --to ann@example.com --subject Hi --text Hello \
  --tag a --tag b --header 'X-Campaign: spring' --priority high --key k1
[[ $(cat "$T/out") == "$id" ]] || fail "not the first id"
expect 65 pony enqueue --to ann@example.com --subject Hi --text Other --key k1
err_has "used for another message"
[[ $(find "$SPOOL/new" -name '*.jsonl' | wc -l) == "$before" ]] || fail "a second one was queued"

# Later: it waits in the bucket of its minute.
# A duration is from now on.
id=$(pony enqueue --to ann@example.com --subject Code --text 1 --at 1h --expires +2h)
[[ $(pony show --json "$id" | jq '(.message.expires_at | fromdateiso8601? // (sub("[.][0-9]+"; "") | fromdateiso8601)) > now and .state == "deferred"') == true ]] ||
  fail "--at or --expires is not from now on: $(pony show --json "$id")"
expect 0 pony enqueue --to ann@example.com --subject Hi --text Later --at 2030-12-01T09:00:30Z
[[ -f $SPOOL/deferred/2030-12-01T09:00Z/$(cat "$T/out").jsonl ]] || fail "not deferred"

# The replaced services' payloads, as they stand.
expect 0 pony enqueue <<'EOF'
{"id":"welcome","replacements":{"name":"Ann","team":"T","action_url":"https://x.example/"},"tags":["signup"],"recipient_name":"Ann","recipient_address":"ann@example.com","sender_name":"Team","sender_address":"team@widgets.example","lang":"en"}
{"doc_type":"PonyExpressMessage","status":"queued","template":"welcome","replacements":{"name":"Ann","team":"T","action_url":"https://x.example/"},"recipient_address":"ann@example.com","sender_address":"team@widgets.example"}
{"to":"ann@example.com","from_email":"team@widgets.example","subject":"Hi","text":"Hello"}
{"sender":"team@widgets.example","recipient":"ann@example.com","subject":"Hi","content":"Hello"}
EOF
[[ $(wc -l <"$T/out") == 4 ]] || fail "not all payloads were taken"

# An attachment is read with the caller's rights, before the spool.
printf 'bytes\0of a file' >"$T/a.pdf"
expect 0 pony enqueue --to ann@example.com --subject Hi --text x --attach "$T/a.pdf"
expect 66 pony enqueue --to ann@example.com --subject Hi --text x --attach "$T/none.pdf"

# What the spool refuses.
chmod o+w "$SPOOL"
expect 77 pony enqueue <<<"$hello"
err_has "others can write"
chmod o-w "$SPOOL"
expect 64 pony enqueue --nonsense
expect 78 "$PONY" --config "$PONY_SOURCE/tests/cmd/enqueue_test.sh" enqueue <<<"$hello"
expect 66 pony enqueue "$T/no-such-file.json"

# An answer that cannot be given is an error: the message is queued, and said.
if [[ -e /dev/full ]]; then
  code=0
  pony enqueue <<<"$hello" >/dev/full 2>"$T/err" || code=$?
  [[ $code == 74 ]] || fail "exit code $code on a full stdout"
  err_has "queued"
fi

# A disk that is full or read-only: 74 (or 77), nothing in new/, nothing torn.
if ((EUID == 0)) && mkdir "$T/small" && mount -t tmpfs -o size=200k none "$T/small" 2>/dev/null; then
  config <<YAML
spool: $T/small/spool
default_from: team@widgets.example
YAML
  pony queue >/dev/null
  fill=0
  while ((fill < 60)) && pony enqueue --to a@example.com --subject x --text "$(head -c 6000 /dev/zero | tr '\0' x)" >>"$T/ids" 2>"$T/err"; do
    ((++fill))
  done
  code=0
  pony enqueue --to a@example.com --subject x --text "$(head -c 9000 /dev/zero | tr '\0' x)" >"$T/out" 2>"$T/err" || code=$?
  [[ $code == 74 && ! -s $T/out ]] || { umount "$T/small"; fail "exit code $code on a full disk"; }
  [[ $(find "$T/small/spool/new" -name '*.jsonl' | wc -l) == $(wc -l <"$T/ids") ]] ||
    { umount "$T/small"; fail "what is queued is not what was acknowledged"; }
  [[ -z $(ls "$T/small/spool/tmp") ]] || { umount "$T/small"; fail "leftovers in tmp/"; }
  mount -o remount,ro "$T/small"
  code=0
  pony enqueue --to a@example.com --subject x --text y >"$T/out" 2>"$T/err" || code=$?
  umount "$T/small"
  [[ $code == 77 && ! -s $T/out ]] || fail "exit code $code on a read-only disk"
fi
