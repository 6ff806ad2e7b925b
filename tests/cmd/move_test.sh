#!/usr/bin/env bash
# retry, cancel, hold and release, from the command line.
source "$(dirname "$0")/../support/shell.sh"

queue() { pony enqueue --quiet --to "${1:-ann@example.com}" --subject Hi --text Hi "${@:2}"; }
where() { (cd "$SPOOL" && find . -name "$1.jsonl" | sed 's|^\./||'); }
is_in() { [[ $(where "$1") == $2 ]] || fail "$1 is in '$(where "$1")', not in $2"; }
last_event() { tail -n 1 "$SPOOL/$(where "$1")" | jq -r .event; }
no_claims() { [[ -z $(ls "$SPOOL/cur") ]] || fail "something is left in cur/"; }

# --- a held message waits until it is released, and each step is an event
id=$(queue)
expect 0 pony hold "$id"
err_has "$id: held"
is_in "$id" "held/*"
[[ $(last_event "$id") == held ]] || fail "no held event"
expect 0 pony hold "$id"
err_has "$id: is held already"
expect 0 pony run --quiet
is_in "$id" "held/*"
expect 0 pony release "$id"
err_has "$id: released"
is_in "$id" "new/*"
expect 69 pony release "$id"
err_has "is not held, it is in new/"
for event in queued held released; do
  grep -qF "\"event\":\"$event\",\"id\":\"$id\"" "$SPOOL"/log/* || fail "$event is not in the log"
done
no_claims

# --- a cancelled message ends in failed/, and retry brings it back
expect 0 pony cancel "$id"
err_has "$id: cancelled"
is_in "$id" "failed/*"
expect 69 pony cancel "$id"
err_has "has ended already"
expect 69 pony hold "$id"
expect 0 pony retry "$id"
is_in "$id" "new/*"
expect 0 pony retry "$id"
err_has "is due already"
expect 0 pony run --quiet
is_in "$id" "sent/*"

# --- what was sent is never sent again
for command in retry cancel hold release; do expect 69 pony $command "$id"; done
expect 69 pony retry "$id"
err_has "was sent: it is not sent again"
is_in "$id" "sent/*"

# --- a message that waits for its send_at goes back to wait for it
later=$(queue ann@example.com --at 2099-01-01T00:00:00Z)
is_in "$later" "deferred/2099-01-01T00:00Z/*"
expect 0 pony hold "$later"
expect 0 pony release "$later"
is_in "$later" "deferred/2099-01-01T00:00Z/*"
expect 0 pony cancel "$later"
expect 0 pony retry "$later"
is_in "$later" "deferred/2099-01-01T00:00Z/*"
expect 0 pony run --quiet
is_in "$later" "deferred/*"
# … but retrying what is deferred makes it due now
expect 0 pony retry "$later"
is_in "$later" "new/*"
expect 0 pony run --quiet
is_in "$later" "sent/*"

# --- a message that would expire at once is not retried
old=$(queue ann@example.com --expires 2099-01-01T00:00:00Z)
file=$SPOOL/$(where "$old")
sed -i '1s/2099-01-01/2001-01-01/' "$file"
expect 0 pony cancel "$old"
expect 69 pony retry "$old"
err_has "is past its expires_at"
is_in "$old" "failed/*"

# --- many ids: those that can be moved are, and the exit code is the worst's
a=$(queue) b=$(queue) c=$(queue)
unknown=01ARZ3NDEKTSV4RRFFQ69G5FAV
expect 66 pony cancel "$a" $unknown "$id" ../../etc/passwd "$b"
err_has "$a: cancelled"
err_has "$unknown: there is no such message"
err_has "$id: has ended already"
err_has "../../etc/passwd: is no message id"
is_in "$a" "failed/*"
is_in "$b" "failed/*"
expect 69 pony cancel "$id" "$c"
is_in "$c" "failed/*"
printf '%s: cancelled\n\n  %s\n%s' "$a" "$b" "$a" >"$T/ids"
expect 0 pony retry - <"$T/ids"
is_in "$a" "new/*"
is_in "$b" "new/*"
expect 0 pony --quiet hold "$a"
err_is_empty
expect 66 pony --quiet hold $unknown
err_has "$unknown"
for ((i = 0; i < 600; ++i)); do printf '{"to":"u%d@example.com","subject":"s","text":"t"}\n' $i; done |
  pony enqueue --quiet >"$T/ids"
expect 0 pony hold - <"$T/ids"
[[ $(grep -c ': held$' "$T/err") == 600 ]] || fail "not all 600 were held"
expect 0 pony cancel --quiet - <"$T/ids"
[[ $(grep -c '"event":"cancelled"' "$SPOOL"/log/*.jsonl) -ge 600 ]] || fail "not all are in the log"
no_claims

# --- killed at any step it is moved or not, and the log tells the same
if command -v strace >/dev/null; then
  for step in renameat2:1 renameat2:2 renameat2:3 write:1 write:2 write:3 \
    fdatasync:1 fdatasync:2 fdatasync:3 fsync:4 unlinkat:1; do
    f=$(queue)
    strace -f -qq -o /dev/null -e trace="${step%:*}" \
      -e inject="${step%:*}:signal=SIGKILL:when=${step#*:}" \
      "$PONY" --config "$T/pony.yaml" hold "$f" >/dev/null 2>&1 && fail "$step: not killed"
    expect 0 pony fsck
    state=$(jq -rs '[.[] | .event | select(. == "held")] | length' "$SPOOL/$(where "$f")")
    logged=$(cat "$SPOOL"/log/*.jsonl | grep -c "\"event\":\"held\",\"id\":\"$f\"" || true)
    ((state == logged)) || fail "$step: held $state times, logged $logged times"
    if ((state)); then is_in "$f" "held/*"; else is_in "$f" "new/*"; fi
    pony cancel --quiet "$f"
  done
  rm -rf "$SPOOL"/tmp/*
fi

# --- --dry-run says what would be done, and does nothing
expect 0 pony hold --dry-run "$b"
err_has "$b: would be held"
is_in "$b" "new/*"
expect 69 pony release --dry-run "$b"

# --- --json: an object an id
expect 66 pony --json hold "$b" $unknown
[[ $(jq -c '[.id, .result, .state]' "$T/out" | head -1) == "[\"$b\",true,\"held\"]" ]] || fail "$(cat "$T/out")"
[[ $(jq -c '[.id, .result, .state, .error]' "$T/out" | tail -1) == "[\"$unknown\",false,null,\"there is no such message\"]" ]] ||
  fail "$(cat "$T/out")"
err_is_empty

# --- a claimed message cannot be cancelled, and it is said
d=$(queue)
mkdir -m 700 "$SPOOL/cur/other"
(
  exec 9>"$SPOOL/cur/other/.lock"
  flock 9
  mv "$SPOOL/new/$d.jsonl" "$SPOOL/cur/other/"
  expect 75 pony cancel "$d"
  err_has "$d: is being delivered, it cannot be cancelled"
  expect 75 pony hold "$d"
)
is_in "$d" "cur/other/*"
expect 0 pony run --quiet # its runner is dead now
is_in "$d" "sent/*"

# --- retry --to mends a bad recipient
e=$(queue bad@example.com --cc ok@example.com)
expect 0 pony cancel "$e"
now=2026-11-21T10:00:00.000Z
printf '{"ts":"%s","event":"attempted","id":"%s","attempt":1,"provider":"p","outcome":"rejected","recipients":[{"email":"bad@example.com","outcome":"rejected"},{"email":"ok@example.com","outcome":"unavailable"}]}\n' \
  $now "$e" >>"$SPOOL/$(where "$e")"
lines=$(wc -l <"$SPOOL/$(where "$e")")
expect 0 pony retry --dry-run "$e" --to new@example.com
err_has "$e: would be retried, to: bad@example.com → new@example.com"
expect 0 pony retry --to "New <new@example.com>" "$e"
is_in "$e" "new/*"
[[ $(wc -l <"$SPOOL/$(where "$e")") == $((lines + 1)) ]] || fail "its history was not kept"
[[ $(head -1 "$SPOOL/$(where "$e")" | jq -c '[.id, .to, .cc]') == "[\"$e\",[\"New <new@example.com>\"],[\"ok@example.com\"]]" ]] ||
  fail "$(head -1 "$SPOOL/$(where "$e")")"
[[ $(last_event "$e") == retried ]] || fail "no retried event"
[[ $(grep -c "\"event\":\"retried\",\"id\":\"$e\"" "$SPOOL"/log/*.jsonl) == 1 ]] || fail "not in the log once"
expect 0 pony run --quiet
grep -rqs new@example.com "$T/outbox" || fail "the new recipient got nothing"
grep -rqs bad@example.com "$T/outbox" && fail "the old recipient is still there"
expect 64 pony retry "$a" "$b" --to new@example.com
err_has "--to is for one message"
expect 64 pony retry "$a" --to 'no address'
expect 64 pony hold
no_claims
[[ -z $(ls "$SPOOL/tmp") ]] || fail "something is left in tmp/"

# --- a dropped file that was no message is tried again as it lies there
echo '{"to":"ann@example.com","subjet":"Hi","text":"Hi"}' >"$SPOOL/tmp/x"
mv "$SPOOL/tmp/x" "$SPOOL/new/x.json"
pony run --quiet 2>/dev/null || fail "run: $?"
buried=$(basename "$(echo "$SPOOL"/failed/*/*.error)" .error)
expect 65 pony retry "$buried" --to ann@example.com
sed -i s/subjet/subject/ "$SPOOL"/failed/*/"$buried.json"
before=$(count_in sent)
expect 0 pony retry "$buried"
err_has "put back as a dropped file"
[[ -e $SPOOL/new/$buried.json && ! -e $(echo "$SPOOL"/failed/*/"$buried.error") ]] || fail "it was not put back"
expect 0 pony run --quiet
[[ $(count_in sent) == $((before + 1)) ]] || fail "it was not sent"
echo ok
