# pony queue lists what waits, selects, counts, and survives what is no message.
source "$(dirname "$0")/../support/shell.sh"

# Nothing: mailq's words, and nothing at all for programs.
expect 0 pony queue
out_has "Mail queue is empty"
expect 0 pony queue --json
[[ ! -s $T/out ]] || fail "an empty queue is no JSON"
expect 0 pony queue --ids
[[ ! -s $T/out ]] || fail "an empty queue has no ids"
expect 0 pony queue --summary
out_has "Mail queue is empty"

one=$(pony enqueue --to ann@example.com --subject One --text x --tag signup)
two=$(pony enqueue --to bob@example.org --from bob@widgets.example \
  --subject Two --text x --tag eu --priority bulk)
later=$(pony enqueue --to cy@example.com --subject Later --text x --at +2h)

# The table.
expect 0 pony queue
out_has "SENDER"
out_has "$one  new"
out_has "$later  deferred"
[[ $(tail -n1 "$T/out") =~ ^--\ [0-9]+\ Kbytes\ in\ 3\ Requests\.$ ]] ||
  fail "the last line is not mailq's"
err_is_empty

# JSON: one object a line, with postqueue's names.
expect 0 pony queue --json
[[ $(wc -l <"$T/out") == 3 ]] || fail "not three lines of JSON"
python3 - "$T/out" "$one" "$later" <<'PY'
import json, sys
lines = {}
for line in open(sys.argv[1]):
    entry = json.loads(line)
    lines[entry["queue_id"]] = entry
one, later = lines[sys.argv[2]], lines[sys.argv[3]]
assert one["queue_name"] == "incoming" and one["state"] == "new", one
assert one["sender"] == "team@widgets.example", one
assert one["recipients"] == [{"address": "ann@example.com"}], one
assert one["tags"] == ["signup"] and one["forced_expire"] is False, one
assert isinstance(one["arrival_time"], int) and one["message_size"] > 0, one
assert later["queue_name"] == "deferred" and later["next_attempt_at"], later
PY

# Selectors.
ids() { pony queue --ids "$@" | sort | tr '\n' ' '; }
[[ $(ids --tag signup) == "$one " ]] || fail "--tag"
[[ $(ids --to '*@example.org') == "$two " ]] || fail "--to"
[[ $(ids --from team@widgets.example --state new) == "$one " ]] || fail "--from"
[[ $(ids --state deferred) == "$later " ]] || fail "--state"
[[ $(ids --priority bulk) == "$two " ]] || fail "--priority"
[[ $(ids --id "$two" --id "$later" | wc -w) == 2 ]] || fail "--id"
[[ $(ids --limit 2 | wc -w) == 2 ]] || fail "--limit"
[[ $(ids --older 1d) == "" ]] || fail "--older"
[[ $(ids --newer 1d | wc -w) == 3 ]] || fail "--newer"

[[ $(ids --domain example.org) == "$two " ]] || fail "--domain"
[[ $(ids --domain '*.org' --domain none) == "$two " ]] || fail "--domain with *"
keyed=$(pony enqueue --to kim@example.net --subject Key --text x --key order-7)
[[ $(ids --key order-7) == "$keyed " ]] || fail "--key"
expect 0 pony cancel --quiet "$keyed"
[[ $(ids --attempts 0 | wc -w) == 3 && $(ids --attempts '>0' | wc -w) == 0 ]] || fail "--attempts"
[[ $(ids --size '<1M' | wc -w) == 3 && $(ids --size '>=1K' | wc -w) == 0 ]] || fail "--size"
pony queue --ids -0 --tag signup | tr '\0' '\n' | grep -qx "$one" || fail "-0"
[[ $(pony queue --ids -0 | tr -dc '\0' | wc -c) == 3 ]] || fail "not a NUL an id"
expect 64 pony queue -0

# Fields: stable, between tabs, a line a message whatever is in it.
expect 0 pony queue --fields id,state,to,from,tags,attempts,next,template --tag signup
[[ $(cat "$T/out") == "$one"$'\tnew\tann@example.com\tteam@widgets.example\tsignup\t0\t\t' ]] || fail "$(cat -A "$T/out")"
expect 0 pony queue --fields next --state deferred
[[ $(cat "$T/out") =~ ^20[0-9-]+T[0-9:.]+Z$ ]] || fail "no time: $(cat "$T/out")"
expect 0 pony queue --fields subject,size,age --to bob@example.org
[[ $(cat "$T/out") =~ ^Two$'\t'[0-9]+$'\t'[0-9]+$ ]] || fail "$(cat "$T/out")"
expect 64 pony queue --fields id,sized
err_has "did you mean 'size'?"
expect 64 pony queue --fields id --json
expect 64 pony queue --fields id --ids

# With --newer no day is looked into that is too old to matter.
mkdir -p "$SPOOL/failed/2001-01-01"
chmod 700 "$SPOOL/failed/2001-01-01"
echo 'no message' >"$SPOOL/failed/2001-01-01/00ZZZZZZZZ0000000000000000.jsonl"
[[ $(pony queue --state failed --newer 1d --ids) == "$keyed" ]] || fail "--newer"
if command -v strace >/dev/null; then
  strace -f -qq -o "$T/calls" -e trace=openat "$PONY" --config "$T/pony.yaml" queue --state failed --newer 1d >/dev/null 2>&1
  ! grep -q 2001-01-01 "$T/calls" || fail "it looked into 2001"
fi
rm -rf "$SPOOL/failed/2001-01-01"

# The summary.
expect 0 pony queue --summary --json
python3 - "$T/out" <<'PY'
import json, sys
summary = json.load(open(sys.argv[1]))
assert summary["total"] == 3, summary
assert summary["states"]["new"]["ages"]["5m"] == 2, summary
assert summary["states"]["deferred"]["total"] == 1, summary
PY
expect 0 pony queue --summary
out_has "OLDEST"

# What is no message is listed with the reason and stops nothing: dropped and
# not taken in yet, then buried.
echo 'no JSON' >"$SPOOL/tmp/bad" && mv "$SPOOL/tmp/bad" "$SPOOL/new/bad.json"
echo '{"to":"dee@example.com","subject":"s","text":"t"}' >"$SPOOL/tmp/good"
mv "$SPOOL/tmp/good" "$SPOOL/new/good.json"
expect 0 pony queue
out_has "dropped as new/bad.json"
out_has "no valid message"
out_has "dee@example.com"
expect 0 pony run --quiet
expect 0 pony queue --state failed
out_has "'bad.json' is not a valid message"
buried=$(pony queue --state failed --reason 'valid message' --ids)
[[ $buried =~ ^[0-9A-Z]{26}$ ]] || fail "a buried file has no id: '$buried'"
expect 0 pony queue --state failed --json
out_has '"queue_name":"failed"'
out_has 'is not a valid message'

# A message's file that was damaged is listed too.
broken=01KAQ4Z7N8Q2M3V5X6Y7Z8A9BC
echo damaged >"$SPOOL/held/$broken.jsonl"
expect 0 pony queue --state held
out_has "$broken  held"
out_has "no valid message: its first line"

# By state.
[[ $(pony queue --state all --ids | wc -l) == 7 ]] || fail "--state all"
[[ $(ids --state sent,deferred | wc -w) == 4 ]] || fail "two states"

# A reader that goes early is no error.
set +o pipefail
pony queue --state all | head -n1 >/dev/null || fail "a closed pipe"
set -o pipefail

# Wrong words.
expect 64 pony queue --state waiting
err_has "there is no state 'waiting'"
expect 64 pony queue --older 5
expect 64 pony queue --ids --summary
