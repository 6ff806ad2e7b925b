#!/usr/bin/env bash
# pony fsck: what it finds, what it mends, and what it leaves alone.
source "$(dirname "$0")/../support/shell.sh"

queue() { pony enqueue --quiet --to ann@example.com --subject Hi --text Hi "$@"; }
problems() { err_has "pony fsck: $1, $2 mended"; }

# --- a sound spool has no findings
a=$(queue) b=$(queue) c=$(queue) d=$(queue)
pony hold --quiet "$d"
expect 0 pony fsck
problems "0 problems found" 0
[[ ! -s $T/out ]] || fail "findings: $(cat "$T/out")"
expect 0 pony --quiet fsck
err_is_empty

# --- everything that an unclean stop leaves is found, and only said at first
day=$SPOOL/sent/2026-11-21
mkdir -m 700 "$day" "$SPOOL/cur/dead.1.x" "$SPOOL/deferred/2026-11-21T10:00Z"
mv "$SPOOL/new/$a.jsonl" "$day/"                    # its tail says new
mv "$SPOOL/new/$b.jsonl" "$SPOOL/cur/dead.1.x/"     # its runner is dead
cp "$SPOOL/new/$c.jsonl" "$SPOOL/held/$c.jsonl"     # twice
printf '{"ts":"2026-' >>"$SPOOL/held/$d.jsonl"      # a torn line
broken=01ARZ3NDEKTSV4RRFFQ69G5FAV
echo 'no message' >"$SPOOL/new/$broken.jsonl"
echo left >"$SPOOL/tmp/old"
touch -d '3 days ago' "$SPOOL/tmp/old"
echo being written >"$SPOOL/tmp/young"
chmod 755 "$SPOOL/new"
echo nonsense >>"$(echo "$SPOOL"/log/*.jsonl)"
before=$(cd "$SPOOL" && find . | sort)
expect 1 pony fsck --dry-run
problems "8 problems found" 0
[[ $(cd "$SPOOL" && find . | sort) == "$before" ]] || fail "--dry-run changed something"
out_has "new: its mode is 0755 instead of 0700"
out_has "'cur/dead.1.x/$b.jsonl' is held by a dead runner"
out_has "held/$c.jsonl: the message is also in new/, with all that is here"
out_has "sent/2026-11-21/$a.jsonl: its last event is 'queued': it belongs in new/"
out_has "held/$d.jsonl: its last line was cut short"
out_has "new/$broken.jsonl: it is no valid message"
out_has "tmp/old: it is older than 36 h"
out_has "deferred/2026-11-21T10:00Z: the bucket is empty"
out_has "log: 1 lines are no events"

# --- then it is mended
expect 0 pony --json fsck
[[ $(jq -r 'select(.mended == true).problem' "$T/out" | sort | tr '\n' ' ') == \
  "dead_runner empty_bucket folder leftover misplaced no_message torn_line twice " ]] || fail "$(cat "$T/out")"
for id in "$a" "$b" "$c"; do
  [[ -e $SPOOL/new/$id.jsonl ]] || fail "$id is not in new/"
done
[[ ! -e $SPOOL/held/$c.jsonl && -e $SPOOL/held/$d.jsonl ]] || fail "held/"
[[ -e $(echo "$SPOOL"/failed/*/$broken.jsonl) && -e $(echo "$SPOOL"/failed/*/$broken.error) ]] || fail "not buried"
[[ $(cat "$SPOOL"/failed/*/$broken.jsonl) == 'no message' ]] || fail "not as it came"
[[ ! -e $SPOOL/tmp/old && -e $SPOOL/tmp/young ]] || fail "tmp/"
[[ $(stat -c %a "$SPOOL/new") == 700 && -z $(ls "$SPOOL/cur") ]] || fail "modes or claims"
expect 0 pony fsck
problems "0 problems found" 0
expect 0 pony run --quiet
[[ $(count_in sent) == 3 ]] || fail "not all were sent"

# --- two histories of one message: both stay, and it is said
cp "$SPOOL/held/$d.jsonl" "$SPOOL/new/"
echo '{"ts":"2026-11-21T10:00:00.000Z","event":"released","id":"'"$d"'"}' >>"$SPOOL/new/$d.jsonl"
echo '{"ts":"2026-11-21T11:00:00.000Z","event":"held","id":"'"$d"'"}' >>"$SPOOL/held/$d.jsonl"
expect 1 pony fsck
out_has "with another history"
problems "1 problem found" 0
[[ -e $SPOOL/held/$d.jsonl && -e $SPOOL/new/$d.jsonl ]] || fail "one is gone"
rm "$SPOOL/new/$d.jsonl"

# --- a file that is none of ours is left alone
touch "$SPOOL/held/notes.txt"
expect 1 pony fsck
out_has "held/notes.txt: no message is called so"
rm "$SPOOL/held/notes.txt"

# --- while runners and enqueuers are at work nothing is lost
for ((i = 0; i < 300; ++i)); do printf '{"to":"u%d@example.com","subject":"s","text":"t"}\n' $i; done >"$T/many"
sent=$(count_in sent)
(for _ in 1 2 3; do pony enqueue --quiet <"$T/many" >/dev/null; done) & enqueuer=$!
(for _ in 1 2 3 4 5 6; do pony run --quiet; done) & runner=$!
for _ in 1 2 3 4 5 6 7 8; do expect 0 pony --quiet fsck; done
wait $enqueuer $runner
expect 0 pony run --quiet
[[ $(count_in sent) == $((sent + 900)) ]] || fail "$(($(count_in sent) - sent)) of 900 were sent"
[[ $(grep -c '"event":"sent"' <(cat "$SPOOL"/log/*.jsonl)) == $((sent + 900)) ]] || fail "not each was sent once"
echo ok
