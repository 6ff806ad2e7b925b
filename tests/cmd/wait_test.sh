# pony wait returns when the outcome is known: at once, later, or not in time.
source "$(dirname "$0")/../support/shell.sh"
config <<YAML
spool: $SPOOL
default_from: Widget Team <team@widgets.example>
retry: {first: 1h, jitter: 0%}
providers:
  script: {type: exec, command: [$T/provider]}
YAML
behave() {
  printf '#!/bin/sh\n[ "$1" = name ] && echo script && exit\ncat >/dev/null\necho %s\n' "'$1'" >"$T/provider.new"
  chmod +x "$T/provider.new" && mv "$T/provider.new" "$T/provider"
}
behave '{"outcome":"accepted"}'
queue() { pony enqueue --to "${1:-ann@example.com}" --subject Hello --text x "${@:2}"; }
# watches PID: it has its watches.
watches() { grep -q inotify "/proc/$1/fdinfo/"* 2>/dev/null; }

# --- not yet
id=$(queue)
expect 75 pony wait "$id" --timeout 50ms
out_has "$id: not yet known, it is in new/"
expect 75 pony --json wait "$id" --timeout 0s
jq -e --arg id "$id" '.id == $id and .state == "new" and .event == null' "$T/out" >/dev/null || fail "$(cat "$T/out")"

# --- it is told as soon as it is sent, without a timeout
"$PONY" --config "$T/pony.yaml" wait --timeout 40s "$id" >"$T/waited" &
waiter=$!
wait_until watches "$waiter"
expect 0 pony run --quiet
wait "$waiter" || fail "exit code $? of a message that was sent"
grep -qx "$id: sent via script" "$T/waited" || fail "$(cat "$T/waited")"
# and at once when it is known already
expect 0 pony wait "$id"
expect 0 pony --quiet wait "$id"
[[ ! -s $T/out ]] || fail "--quiet says something"

# --- failed, with the reason; the days of failed/ begin while we wait
behave '{"outcome":"rejected","error":"550 no such user"}'
bad=$(queue bad@example.com)
"$PONY" --config "$T/pony.yaml" --json wait --timeout 40s "$bad" >"$T/waited" &
waiter=$!
wait_until watches "$waiter"
expect 0 pony run --quiet
code=0
wait "$waiter" || code=$?
[[ $code == 69 ]] || fail "exit code $code of a message that failed"
jq -e --arg id "$bad" '.id == $id and .state == "failed" and .event == "failed" and .provider == "script"
  and (.reason | contains("550 no such user"))' "$T/waited" >/dev/null || fail "$(cat "$T/waited")"
cancelled=$(queue)
expect 0 pony cancel "$cancelled"
expect 69 pony wait "$cancelled"
out_has "$cancelled: cancelled"

held=$(queue)
expect 0 pony hold "$held"
expect 75 pony wait "$held" --timeout 10ms
err_has "$held is held until a person releases it"
expect 0 pony cancel --quiet "$held"

# --- many: a line each as they end, the exit code is the worst's
behave '{"outcome":"accepted"}'
for ((i = 0; i < 300; ++i)); do printf '{"to":"u%d@example.com","subject":"s","text":"t"}\n' $i; done |
  pony enqueue --quiet >"$T/ids"
"$PONY" --config "$T/pony.yaml" wait --timeout 40s - <"$T/ids" >"$T/waited" &
waiter=$!
wait_until watches "$waiter"
expect 0 pony run --quiet
wait "$waiter" || fail "exit code $?"
[[ $(grep -c ': sent via script$' "$T/waited") == 300 ]] || fail "not one line each: $(wc -l <"$T/waited")"
late=$(queue late@example.com --at +1h)
expect 69 pony wait "$id" "$bad" "$late" --timeout 10ms
expect 75 pony wait "$id" "$late" --timeout 10ms

# --- unknown ids: 66, and the others are waited for
expect 66 pony wait 01ARZ3NDEKTSV4RRFFQ69G5FAV "$id" ../../etc/passwd
err_has "there is no message '01ARZ3NDEKTSV4RRFFQ69G5FAV'"
err_has "'../../etc/passwd' is no message id"
out_has "$id: sent"

# --- a day that begins meanwhile
if command -v faketime >/dev/null; then
  tomorrow=$(queue)
  "$PONY" --config "$T/pony.yaml" wait --timeout 40s "$tomorrow" >"$T/waited" &
  waiter=$!
  wait_until watches "$waiter"
  ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}verify_asan_link_order=0 FAKETIME_DONT_FAKE_MONOTONIC=1 \
    faketime -f +1d "$PONY" --config "$T/pony.yaml" run --quiet
  wait "$waiter" || fail "exit code $? of a message that was sent on another day"
  grep -q "$tomorrow: sent" "$T/waited" || fail "$(cat "$T/waited")"
fi

# --- a file that is no message: its id is known once a runner gave it one
echo '{"to":"nobody"}' >"$SPOOL/tmp/x" && mv "$SPOOL/tmp/x" "$SPOOL/new/x.json"
pony run --quiet 2>/dev/null || true
buried=$(pony queue --state failed --reason 'valid message' --ids)
expect 69 pony wait "$buried"
out_has "is not a valid message"

# --- it sleeps while nothing happens: no polling
if command -v strace >/dev/null; then
  code=0
  late=$(queue late@example.com --at +72h)
  strace -f -qq -o "$T/calls" -e trace=openat,newfstatat,poll "$PONY" --config "$T/pony.yaml" \
    wait "$late" --timeout 1s >/dev/null 2>&1 || code=$?
  [[ $code == 75 ]] || fail "exit code $code"
  after=$(sed '1,/poll(/d' "$T/calls" | grep -c 'poll(' || true)
  ((after <= 2)) || fail "it asked $after times in a second"
fi

# --- enqueue --wait is the same
"$PONY" --config "$T/pony.yaml" run --loop --quiet &
background+=($!)
expect 0 queue ann@example.com --wait 20s
err_has ": sent via script"
behave '{"outcome":"rejected","error":"no"}'
expect 69 queue ann@example.com --wait 20s
expect 64 pony wait
expect 64 pony wait "$id" --timeout soon
echo ok
