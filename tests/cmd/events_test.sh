# pony events prints the log, filtered, and follows it.
source "$(dirname "$0")/../support/shell.sh"

one=$(pony enqueue --to ann@example.com --subject One --text x --tag signup)
two=$(pony enqueue --to bob@example.org --subject Two --text x --tag eu)
expect 0 pony run

# For people: a line an event, time and event first.
expect 0 pony events
[[ $(wc -l <"$T/out") == 6 ]] || fail "not six events"
out_has "queued      $one"
out_has "provider=outbox attempt=1"
out_has "outcome=accepted"

# For programs: the log's own lines.
expect 0 pony events --json
cmp "$T/out" "$SPOOL"/log/events-*.jsonl || fail "not the lines as they are"

# Filters.
count() { pony events "$@" | wc -l; }
[[ $(count --event sent) == 2 ]] || fail "--event"
[[ $(count --event sent --event queued) == 4 ]] || fail "two events"
expect 64 pony events --event bounce
err_has "there are no events 'bounce' (did you mean 'bounced'?)"
expect 64 pony report --event Sent
expect 64 pony events --event nonsense
err_has "there are: queued, "
expect 0 pony events --event unsubscribed
[[ $(count --tag signup) == 3 ]] || fail "--tag"
[[ $(count --provider outbox) == 4 ]] || fail "--provider"
[[ $(count --template welcome) == 0 ]] || fail "--template"
[[ $(count --domain example.org) == 3 ]] || fail "--domain"
[[ $(count --reason nothing) == 0 ]] || fail "--reason"
[[ $(count --since 1h) == 6 ]] || fail "--since"
[[ $(count --until 1h) == 0 ]] || fail "--until"
[[ $(count --since +1h) == 0 ]] || fail "--since in the future"
expect 64 pony events --since nowish
err_has "is no moment"

# A message's own, also when the log is gone.
[[ $(count "$two") == 3 ]] || fail "of one message"
expect 66 pony events 01KAQ4Z7N8Q2M3V5X6Y7Z8A9BC
mv "$SPOOL"/log/events-*.jsonl "$T/"
[[ $(count "$two") == 3 ]] || fail "without the log"
mv "$T"/events-*.jsonl "$SPOOL/log/"

# A line that is no event is said, not printed.
echo 'torn {' >>"$(echo "$SPOOL"/log/events-*.jsonl)"
expect 0 pony events
[[ $(wc -l <"$T/out") == 6 ]] || fail "a torn line was printed"
err_has "1 line of the event log could not be read"

# --follow: what is there, then what comes, also in a new day's file.
"$PONY" --config "$T/pony.yaml" events --follow --json >"$T/followed" &
background+=($!)
lines_are() { [[ $(wc -l <"$T/followed") == "$1" ]]; }
wait_until lines_are 6
three=$(pony enqueue --to cy@example.com --subject Three --text x)
wait_until lines_are 7
grep -q "$three" "$T/followed" || fail "the new event was not followed"
# What has no line end yet is not yet a line, and comes when it has.
printf '{"ts":"2999-01-01T00:00:00.000Z","event":"%s","id":"%s"}\n%s' \
  opened "$three" '{"ts":"2999-01-01T00:00:00.001Z","event":"clicked",' \
  >"$SPOOL/log/events-2999-01-01.jsonl"
wait_until lines_are 8
printf '"id":"%s"}\n' "$three" >>"$SPOOL/log/events-2999-01-01.jsonl"
wait_until lines_are 9
tail -n1 "$T/followed" | grep -q clicked || fail "a line was torn"

# Rotation is followed: renamed, compressed, copied and truncated. The runner of
# one turn and the next day's logrotate are played here.
log=$(echo "$SPOOL"/log/events-2[0-8]*.jsonl)
mv "$log" "$log.1"
four=$(pony enqueue --to di@example.com --subject Four --text x)
wait_until lines_are 10
gzip -k "$log.1"
rm "$log.1"
cp "$log" "$log-20261122"
: >"$log"
five=$(pony enqueue --to ed@example.com --subject Five --text x)
wait_until lines_are 11
zstd -q --rm "$log-20261122"
pony enqueue --to flo@example.com --subject Six --text x >/dev/null
wait_until lines_are 12
[[ -z $(sort "$T/followed" | uniq -d) ]] || fail "an event was followed twice"
[[ $(grep -cE "$four|$five" "$T/followed") == 2 ]] || fail "rotation was not followed"

# What is compressed is read like the rest, and what is cut off as far as it goes.
pony events --json >"$T/all"
[[ $(wc -l <"$T/all") == 12 ]] || fail "not all files were read"
head -c 100 "$log.1.gz" >"$T/cut" && mv "$T/cut" "$log.1.gz"
expect 0 pony events --json
err_has "'log/$(basename "$log").1.gz' is cut off"

# It ends by itself when its reader goes, though nothing is written.
mkfifo "$T/pipe"
"$PONY" --config "$T/pony.yaml" events --follow >"$T/pipe" &
follower=$!
background+=("$follower")
head -n1 "$T/pipe" >/dev/null
gone() { ! kill -0 "$follower"; }
wait_until gone
wait "$follower" || fail "the reader's leaving was an error"
