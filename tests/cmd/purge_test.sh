#!/usr/bin/env bash
# pony purge: what is kept, and for how long.
source "$(dirname "$0")/../support/shell.sh"

day_ago() { date -u -d "$1 days ago" +%F; }
# ended STATE DAYS [TAG]: a message that ended so many days ago.
ended() {
  local id folder=$SPOOL/$1/$(day_ago "$2")
  id=$(pony enqueue --quiet --to ann@example.com --subject Hi --text Hi ${3:+--tag "$3"})
  mkdir -p -m 700 "$folder"
  mv "$SPOOL/new/$id.jsonl" "$folder/"
  echo "$id"
}

# --- the defaults: 30 days of sent, 90 of failed, 400 of the log
old=$(ended sent 32) young=$(ended sent 29) failed=$(ended failed 32) older=$(ended failed 92)
waiting=$(pony enqueue --quiet --to bob@example.com --subject Hi --text Hi)
for days in 402 20; do
  printf '{"ts":"%sT10:00:00.000Z","event":"sent","id":"%s"}\n' "$(day_ago $days)" "$old" \
    >"$SPOOL/log/events-$(day_ago $days).jsonl"
done
expect 0 pony purge --dry-run
out_has "sent/$(day_ago 32): 1 message would be removed"
out_has "log/events-$(day_ago 20).jsonl: would be compressed"
err_has "would be: 2 messages and 1 log removed, 1 log compressed"
[[ -e $SPOOL/sent/$(day_ago 32)/$old.jsonl ]] || fail "--dry-run removed something"

expect 0 pony purge
err_has "2 messages and 1 log removed, 1 log compressed"
for id in "$old" "$older"; do expect 66 pony show "$id"; done
for id in "$young" "$failed" "$waiting"; do expect 0 pony show "$id"; done
[[ -e $SPOOL/log/events-$(day_ago 20).jsonl.gz ]] || fail "the log is not compressed"
[[ $(zcat "$SPOOL/log/events-$(day_ago 20).jsonl.gz" | wc -l) == 1 ]] || fail "its line is gone"
expect 0 pony events --since 30d --until 10d --json
[[ $(jq -r .id "$T/out") == "$old" ]] || fail "the compressed log is not read"
expect 0 pony --quiet purge
err_is_empty
[[ ! -s $T/out ]] || fail "--quiet said something"

# --- as the configuration and the command line say
echo "retention: {sent: 10d, failed: 60d, log: 300d, compress_log: 2d}" >>"$T/pony.yaml"
expect 0 pony --json purge
[[ $(jq -r 'select(.why == "age").path' "$T/out") == "sent/$(day_ago 29)" ]] || fail "$(cat "$T/out")"
expect 0 pony purge --failed 30d
expect 66 pony show "$failed"
expect 64 pony purge --sent soon
expect 64 pony purge --sent 3d --tag test
expect 64 pony purge --limit 5
expect 64 pony purge --yes

# --- by selector: only what is done, and never unasked
a=$(ended sent 1 test) b=$(ended failed 1 test) c=$(ended sent 1 other)
d=$(pony enqueue --quiet --to ann@example.com --subject Hi --text Hi --tag test)
expect 64 pony purge --tag test </dev/null
err_has "give --yes"
expect 64 pony purge --state new --yes
err_has "pony cancel"
expect 0 pony purge --tag test --dry-run
err_has "2 messages would be removed"
expect 0 pony --json purge --tag none --yes
[[ $(cat "$T/out") == '{"messages":0,"dry_run":false}' ]] || fail "$(cat "$T/out")"
expect 0 pony purge --tag test --yes
err_has "2 messages removed"
for id in "$a" "$b"; do expect 66 pony show "$id"; done
for id in "$c" "$d"; do expect 0 pony show "$id"; done

# --- a full disk: the oldest of sent/ goes
if ((EUID == 0)) && mkdir "$T/small" && mount -t tmpfs -o size=2m none "$T/small" 2>/dev/null; then
  trap 'umount "$T/small"; cleanup' EXIT
  SPOOL=$T/small/spool
  echo "retention: {keep_free: 50%}" >"$T/more"
  sed -i -e "s|^spool: .*|spool: $SPOOL|" -e '/^retention/d' "$T/pony.yaml"
  cat "$T/more" >>"$T/pony.yaml"
  old=$(ended sent 5) young=$(ended sent 2) today=$(ended sent 0)
  head -c 800000 /dev/zero >>"$SPOOL/sent/$(day_ago 5)/$old.jsonl"
  head -c 500000 /dev/zero >>"$SPOOL/sent/$(day_ago 2)/$young.jsonl"
  expect 0 pony purge
  out_has "sent/$(day_ago 5): 1 message removed"
  out_has "the disk is nearly full"
  [[ -e $SPOOL/sent/$(day_ago 2)/$young.jsonl ]] || fail "more went than was needed"
  head -c 1200000 /dev/zero >>"$SPOOL/sent/$(day_ago 0)/$today.jsonl"
  expect 1 pony purge
  err_has "nothing is left that may go"
  [[ -e $SPOOL/sent/$(day_ago 0)/$today.jsonl ]] || fail "today's went"
fi
