# pony show tells one message and every event of its life.
source "$(dirname "$0")/../support/shell.sh"

printf 'hello' >"$T/note.txt"
id=$(pony enqueue --to "Ann <ann@example.com>" --template welcome \
  --set name=Ann --set "team=Widget Team" \
  --set action_url=https://widgets.example/start \
  --tag signup --attach "$T/note.txt")

# For people.
expect 0 pony show "$id"
out_has "state       new"
out_has "Ann <ann@example.com>"
out_has "team@widgets.example"
out_has "subject     Welcome, Ann"
out_has "template    welcome"
out_has "note.txt (text/plain, 5 bytes)"
out_has "queued"

# The mail, as it will be sent: the same bytes that are delivered.
expect 0 pony show --eml "$id"
cp "$T/out" "$T/before.eml"
grep -q $'^Subject: Welcome, Ann\r$' "$T/before.eml" || fail "no CRLF subject"
expect 0 pony run
expect 0 pony show --eml "$id"
cmp "$T/before.eml" "$T/out" || fail "the mail changed by being sent"

expect 0 pony show "$id"
out_has "state       sent after 1 try"
out_has "outbox, try 1: accepted"

# For programs: the file's content, and the names of uber-mail's API.
expect 0 pony show --json "$id"
[[ $(wc -l <"$T/out") == 1 ]] || fail "not one document"
python3 - "$T/out" "$id" <<'PY'
import json, sys
doc = json.load(open(sys.argv[1]))
assert doc["id"] == sys.argv[2] and doc["state"] == "sent", doc
assert doc["folder"].startswith("sent/"), doc
assert doc["status"] == "sent" and doc["subject"] == "Welcome, Ann", doc
assert doc["from_address"] == "team@widgets.example", doc
assert doc["to_address"] == "ann@example.com", doc
assert doc["created_at"] <= doc["updated_at"], doc
assert doc["result"]["outcome"] == "accepted", doc
assert [e["event"] for e in doc["events"]] == ["queued", "attempted", "sent"]
attachment = doc["message"]["attachments"][0]
assert attachment["size"] == 5 and "content" not in attachment, attachment
assert "from" not in doc["message"], "the message did not say who it is from"
PY
expect 0 pony show --json --verbose "$id"
out_has '"content":"aGVsbG8="'

# Several, one of which is not there.
other=$(pony enqueue --to bob@example.org --subject Two --text x)
nobody=01KAQ4Z7N8Q2M3V5X6Y7Z8A9BC
expect 66 pony show "$nobody"
err_has "there is no message '$nobody'"
expect 66 pony show "$id" "$nobody" "$other"
out_has "$id"
out_has "$other"
err_has "$nobody"
expect 66 pony show ../../etc/passwd
expect 64 pony show
expect 64 pony show --eml "$id" "$other"

# What was no message.
echo 'no JSON' >"$SPOOL/tmp/bad" && mv "$SPOOL/tmp/bad" "$SPOOL/new/bad.json"
expect 0 pony run --quiet
bad=$(pony queue --state failed --ids)
expect 0 pony show "$bad"
out_has "state       failed: 'bad.json' is not a valid message"
expect 0 pony show --json "$bad"
out_has '"message":null'
expect 65 pony show --eml "$bad"

# A message that cannot be rendered any more is shown all the same.
lost=$(pony enqueue --to ann@example.com --template welcome --set name=Ann \
  --set team=T --set action_url=https://widgets.example/)
config <<YAML
spool: $SPOOL
templates: $T/none
default_from: team@widgets.example
YAML
expect 0 pony show "$lost"
out_has "template    welcome"
expect 66 pony show --eml "$lost"
