# pony report counts the event log.
source "$(dirname "$0")/../support/shell.sh"

# Nothing yet.
expect 0 pony report --json
[[ $(python3 -c 'import json,sys; print(json.load(sys.stdin))' <"$T/out") == "[]" ]] ||
  fail "rows of nothing"

pony enqueue --to ann@example.com --subject One --text x --tag signup >"$T/ids"
pony enqueue --to bob@example.org --subject Two --text x --tag signup --tag eu >>"$T/ids"
expect 0 pony run
pony enqueue --to cy@example.com --template welcome --lang en --set name=Cy \
  --set team=T --set action_url=https://widgets.example/ >>"$T/ids"

# By tag, unless asked otherwise.
expect 0 pony report
out_has "tag"
out_has "signup"
out_has "total"
err_is_empty

expect 0 pony report --json
python3 - "$T/out" <<'PY'
import json, sys
rows = {row["tag"]: row for row in json.load(open(sys.argv[1]))}
assert rows["signup"]["queued"] == 2 and rows["signup"]["sent"] == 2, rows
assert rows["eu"]["sent"] == 1 and rows[""]["queued"] == 1, rows
assert rows["signup"]["queue_ms"]["p50"] >= 0, rows
PY

# Other rows, other formats.
expect 0 pony report --by provider --format json
out_has '"provider":"outbox","attempts":2,"accepted":2'
expect 0 pony report --by template,lang --format csv
[[ $(head -n1 "$T/out") == template,lang,queued,* ]] || fail "no CSV header"
out_has "welcome,en,1,"
expect 0 pony report --by event
out_has "queued"

# Filters.
expect 0 pony report --by event --tag eu --json
out_has '"event":"queued","events":1'
expect 0 pony report --by event --template welcome --json
out_has '"event":"queued","events":1'
expect 0 pony report --by event --provider outbox --pool default --json
out_has '"event":"sent","events":2'
expect 0 pony report --by event --since +1h --json
[[ $(tr -d '\n' <"$T/out") == "[]" ]] || fail "--since"
expect 0 pony report --by event --until 1h --json
[[ $(tr -d '\n' <"$T/out") == "[]" ]] || fail "--until"

# Lines that are no event are said and not counted.
printf 'torn {\n\n{"event":1}\n' >>"$(echo "$SPOOL"/log/events-*.jsonl)"
expect 0 pony report --json
err_has "3 lines of the event log could not be read and are not counted"
expect 0 pony report --json --quiet
err_is_empty

# Wrong words.
expect 64 pony report --by tags
err_has "did you mean 'tag'?"
expect 64 pony report --format xml
expect 64 pony report --since soon
