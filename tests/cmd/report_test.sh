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

# What is kept in state/ changes nothing but the time, nor does its loss.
log=$(echo "$SPOOL"/log/events-*.jsonl)
for i in $(seq 1000); do
  printf '{"ts":"2026-11-21T10:00:%02d.%03dZ","event":"opened","id":"x%d","domain":"%s"}\n' \
    $((i % 60)) $((i % 1000)) "$i" "d$((i % 7)).example"
done >>"$log"
same_report() {
  rm -rf "$SPOOL/state/report"
  pony report --by event,domain --json >"$T/cold" 2>"$T/cold.err"
  pony report --by event,domain --json >"$T/warm" 2>"$T/warm.err"
  cmp "$T/cold" "$T/warm" && cmp "$T/cold.err" "$T/warm.err" || fail "$1"
}
same_report "a second report differs"
[[ -s $SPOOL/state/report/$(basename "$log").digest ]] || fail "nothing is kept"
grep -q '"event":"opened","domain":"d3.example","events":143' "$T/warm" || fail "figures"
err=$(cat "$T/warm.err")
[[ $err == *"3 lines of the event log could not be read"* ]] || fail "warm: $err"
cp "$T/warm" "$T/before"
cp "$log" "$log.1" && : >"$log"
same_report "a rotated log"
cmp "$T/warm" "$T/before" || fail "rotation changed the figures"
gzip "$log.1"
same_report "a compressed log"
cmp "$T/warm" "$T/before" || fail "compression changed the figures"
[[ ! -e $SPOOL/state/report/$(basename "$log").1.digest ]] || fail "an old digest stays"
pony report --by event --json >/dev/null 2>&1 &
pony report --by event --json >/dev/null 2>&1 &
wait

# Told twice, counted once; of a day's file that ends too early what there is.
zcat "$log.1.gz" | tail -n 10 >>"$log"
expect 0 pony report --by event,domain --json --verbose
cmp "$T/out" "$T/before" || fail "events were counted twice"
err_has "10 events that the log has twice counted once"
cp "$log.1.gz" "$T/whole.gz"
head -c 2000 "$T/whole.gz" >"$log.1.gz"
expect 0 pony report
err_has ".1.gz' is cut off"
mv "$T/whole.gz" "$log.1.gz"

# Where nothing can be kept, it is counted all the same.
rm -rf "$SPOOL/state/report"
: >"$SPOOL/state/report"
expect 0 pony report --by event,domain --json
cmp "$T/out" "$T/before" || fail "without state/report"
rm "$SPOOL/state/report"

# More filters.
expect 0 pony report --by event --domain d3.example --domain d4.example --json
out_has '"event":"opened","events":286'
id=01KB0000000000000000000000
printf '{"ts":"2026-11-21T11:00:00.000Z","event":"%s","id":"%s","reason":"%s"}\n' \
  failed "$id" "550 No such user" retried "$id" "" sent "$id" "" >"$T/lines"
sed -i '2s/11:00/11:01/; 3s/11:00/11:02/' "$T/lines"
cat "$T/lines" >>"$log"
expect 0 pony report --by reason --reason "no SUCH" --json
out_has '"reason":"550 No such user","events":1,"failed":1'

# What is said of several recipients is one row: with digests and without.
for who in ann bob; do
  printf '{"ts":"2026-11-21T13:00:00.000Z","event":"failed","id":"%s-%s","reason":"%s@example.com: 552 mailbox is full"}\n' \
    "$id" "$who" "$who" >>"$log"
done
for _ in 1 2; do
  expect 0 pony report --by reason --reason "552 mailbox" --json
  out_has '"reason":"552 mailbox is full","events":2,"failed":2'
done

# A message that failed, was retried and sent counts as sent alone.
expect 0 pony report --by day --since 2026-11-21T11:00:00Z --until 2026-11-21T12:00:00Z --json
out_has '"sent":1,"failed":0'
expect 0 pony report --by day --since 2026-11-21T11:00:00Z --until 2026-11-21T11:01:00Z --json
out_has '"sent":0,"failed":1'
# A day is its first moment.
expect 0 pony report --by event --since 2026-11-21 --until 2026-11-21 --json
[[ $(tr -d '\n' <"$T/out") == "[]" ]] || fail "--until a day"

# Wrong words.
expect 64 pony report --by tags
err_has "did you mean 'tag'?"
expect 64 pony report --format xml
expect 64 pony report --json --format csv
err_has "--json cannot be combined with --format csv"
expect 0 pony report --json --format json
expect 64 pony report --since soon
expect 64 pony report --top -1
err_has "'-1' is no number of rows"
