# retry, cancel, hold and release by selector: a batch of mail that went wrong,
# seen and put right with one command.
source "$(dirname "$0")/../support/shell.sh"
config <<YAML
spool: $SPOOL
templates: $PONY_SOURCE/templates
default_from: Widget Team <team@widgets.example>
retry: {first: 1h, jitter: 0%}
providers:
  script: {type: exec, command: [$T/provider]}
YAML
# behave JSON: the provider answers so from now on.
behave() {
  printf '#!/bin/sh\n[ "$1" = name ] && echo script && exit\ncat >/dev/null\necho %s\n' "'$1'" >"$T/provider.new"
  chmod +x "$T/provider.new" && mv "$T/provider.new" "$T/provider"
}
# queue N [FLAGS…]: so many messages.
queue() {
  local i n=$1
  shift
  for ((i = 0; i < n; ++i)); do printf '{"to":"u%d@example.com","subject":"s","text":"t"}\n' "$i"; done |
    pony enqueue --quiet "$@"
}
ids() { pony queue --ids "$@" | sort; }

# --- what failed of one tag comes back, and is sent
behave '{"outcome":"rejected","error":"550 no such user"}'
queue 700 --tag signup >"$T/signup"
queue 5 --tag other >/dev/null
expect 0 pony run --quiet
[[ $(ids --state failed | wc -l) == 705 ]] || fail "not all failed"

# --dry-run says which, and does nothing.
expect 0 pony retry --state failed --tag signup --dry-run
[[ $(grep -c ': would be retried' "$T/err") == 700 ]] || fail "not all are named"
err_has "pony retry: would retry 700, leave 0"
[[ $(ids --state failed | wc -l) == 705 && $(count_in new) == 0 ]] || fail "a dry run moved something"
expect 0 pony retry --state failed --tag signup --older 1h
err_has "retried 0, left 0"

expect 0 pony retry --state failed --tag signup --limit 10
err_has "pony retry: retried 10, left 0"
[[ $(wc -l <"$T/err") == 1 ]] || fail "more than the count was said"
[[ $(count_in new) == 10 ]] || fail "--limit is not kept"
expect 0 pony --json retry --tag signup
[[ $(jq -r 'select(.result).id' "$T/out" | wc -l) == 690 ]] || fail "not an object a message"
err_has "retried 690, left 0"
cmp <(ids --state new) <(sort "$T/signup") || fail "not those of the tag are back"
[[ $(ids --state failed --tag other | wc -l) == 5 ]] || fail "others moved too"
behave '{"outcome":"accepted"}'
expect 0 pony run --quiet
[[ $(count_in sent) == 700 ]] || fail "not all were sent"

# --- what is retried while a runner fails it again is not retried for ever
behave '{"outcome":"rejected","error":"no"}'
queue 300 --tag loop >/dev/null
expect 0 pony run --quiet
"$PONY" --config "$T/pony.yaml" run --loop --quiet 2>/dev/null &
runner=$!
background+=("$runner")
expect 0 timeout 60 "$PONY" --config "$T/pony.yaml" retry --state failed --tag loop
wait_until bash -c "[[ \$(cat '$SPOOL'/failed/*/*.jsonl | grep -c '\"event\":\"failed\"') == 605 ]]" || true
kill "$runner" && wait "$runner" || true
retried=$(find "$SPOOL" -name '*.jsonl' -path '*failed*' -exec grep -l '"tags":\["loop"\]' {} + |
  xargs grep -c '"event":"retried"' | cut -d: -f2 | sort -u | tr '\n' ' ')
[[ $retried == "1 " ]] || fail "not each was retried once: $retried"

# --- what a person cancelled comes back by its id alone, invalid files too
queue 3 --tag news >"$T/news"
one=$(head -1 "$T/news")
expect 0 pony cancel --tag news
err_has "pony cancel: cancelled 3, left 0"
echo '{"to":"nobody"}' >"$SPOOL/tmp/x" && mv "$SPOOL/tmp/x" "$SPOOL/new/x.json"
pony run --quiet 2>/dev/null || true
expect 0 pony retry --tag news
err_has "retried 0, left 3"
before=$(count_in new)
expect 0 pony retry --state failed --newer 1h --reason 'valid message'
err_has "retried 0, left 1"
[[ $(count_in new) == "$before" ]] || fail "something came back"
expect 0 pony retry "$one"
[[ -e $SPOOL/new/$one.jsonl ]] || fail "by its id it does not come back"

# --- hold and release
expect 0 pony hold --tag news
err_has "held 1, left 0"
queue 2 --priority bulk --tag sale >/dev/null
expect 0 pony hold --priority bulk
err_has "held 2, left 0"
# retry does not let go what a person holds, unless it is asked to
expect 0 pony retry --tag sale
err_has "retried 0, left 0"
expect 0 pony --verbose release --tag sale --tag news
err_has ": released"
err_has "released 3, left 0"
expect 0 pony hold --tag sale
expect 0 pony retry --state held --tag sale
err_has "retried 2, left 0"

# --- a selector of a recipient; with an id it is the recipient to be
id=$(pony enqueue --to wrong@example.com --subject s --text t)
expect 0 pony cancel --to wrong@example.com
err_has "cancelled 1, left 0"
expect 0 pony retry "$id" --to right@example.com
[[ $(ids --to right@example.com) == "$id" ]] || fail "--to did not mend it"
expect 0 pony cancel --domain example.com --attempts 0 --size '<1M'
expect 0 pony requeue "$id"

# --- what is being delivered is told so
id=$(pony enqueue --to ann@example.com --subject s --text t --tag busy)
mkdir -m 700 "$SPOOL/cur/other"
(
  exec 9>"$SPOOL/cur/other/.lock"
  flock 9
  mv "$SPOOL/new/$id.jsonl" "$SPOOL/cur/other/"
  expect 75 pony cancel --tag busy
  err_has "$id: is being delivered, it cannot be cancelled"
  err_has "cancelled 0, left 1"
)
expect 0 pony fsck

# --- words that are wrong
expect 64 pony cancel
err_has "which messages?"
expect 64 pony cancel "$id" --tag x
err_has "ids or selectors, not both"
expect 64 pony cancel --limit 5
expect 64 pony cancel --state sent
err_has "there is nothing to cancel in 'sent'"
expect 64 pony retry --attempts 'many'
err_has "is no bound"
expect 64 pony queue --size '>1X'

# --- a person at a terminal is asked before many are cancelled; scripts never
queue 101 --tag many >/dev/null
cat >"$T/ask.py" <<'PY'
import os, pty, sys
answer = sys.argv[1].encode()
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[2], sys.argv[2:])
said = b""
while True:
    try:
        more = os.read(fd, 4096)
    except OSError:
        break
    if not more:
        break
    said += more
    if b"[y/N] " in said and answer:
        os.write(fd, answer + b"\n")
        answer = b""
sys.stdout.buffer.write(said)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PY
ask() { python3 "$T/ask.py" "$1" "$PONY" --config "$T/pony.yaml" "${@:2}"; }
expect 0 ask n cancel --tag many
out_has "cancel 101 messages? [y/N]"
out_has "nothing was cancelled"
[[ $(ids --tag many | wc -l) == 101 ]] || fail "cancelled all the same"
expect 0 ask y cancel --tag many --limit 100
out_has "cancelled 100"
expect 0 ask '' cancel --tag many --yes
out_has "cancelled 1"
queue 101 --tag many >/dev/null
expect 0 pony cancel --tag many </dev/null
err_has "cancelled 101, left 0"
[[ $(find "$SPOOL/cur" -type f | wc -l) == 0 ]] || fail "something is left claimed"
echo ok
