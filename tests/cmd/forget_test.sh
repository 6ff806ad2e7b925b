#!/usr/bin/env bash
# pony forget: a person goes from the spool, and nobody else.
source "$(dirname "$0")/../support/shell.sh"
mail() {
  local flags=()
  for to in "$@"; do flags+=(--to "$to"); done
  pony enqueue "${flags[@]}" --subject Hi --text "Hi there" --tag news
}
# traces WORD: the files of the spool that have it, compressed ones too.
traces() {
  grep -rlia -- "$1" "$SPOOL" || true
  find "$SPOOL" -name '*.gz' -exec sh -c 'gzip -dc "$2" | grep -qi -- "$1" && echo "$2"' - "$1" {} \;
}

# --- a person with mail that was sent, failed, waits, and is for others too
alone=$(mail ann@example.com)
both=$(mail ann@example.com bob@example.com)
keyed=$(pony enqueue --to Ann@Example.com --subject Hi --text Hi --key order-ann@example.com)
expect 0 pony run --quiet
waiting=$(pony enqueue <<<'{"to":"ann@example.com","subject":"Hi","text":"Hi","send_at":"2126-01-01T00:00:00Z"}')
shared=$(mail bob@example.com ann@example.com)
others=$(mail joann@example.com bob@example.com)
pony --quiet hold "$others"
pony --quiet suppress add ann@example.com --note 'ann rang us up'
refused=$(mail ann@example.com)
pony --quiet hold "$shared"
pony --quiet run
pony --quiet release "$shared" "$others"
day=$(basename "$SPOOL"/log/*.jsonl .jsonl)
gzip -c "$SPOOL/log/$day.jsonl" >"$SPOOL/log/events-2026-01-01.jsonl.gz"
lines=$(wc -l <"$SPOOL/log/$day.jsonl")

# --- what would go; and nobody is there to ask
before=$(find "$SPOOL" -type f -exec cksum {} + | sort)
expect 0 pony forget ann@example.com --dry-run
out_has "Would be forgotten: ann@example.com"
out_has "3 messages"
out_has "lines in 2 files"
[[ $(find "$SPOOL" -type f -exec cksum {} + | sort) == "$before" ]] || fail "a dry run changed something"
expect 64 pony forget ann@example.com </dev/null
err_has "nobody to ask"
expect 65 pony forget nonsense --yes
expect 64 pony forget --yes
[[ $(find "$SPOOL" -type f -exec cksum {} + | sort) == "$before" ]] || fail "it forgot unasked"

# --- forgotten: the receipt
expect 0 pony --json forget ANN@example.com --yes --keep-suppressed
cp "$T/out" "$T/receipt"
of() { jq -rc "$1" "$T/receipt"; }
# ids FILTER: in order. these ID…: the same.
ids() { of "$1 | sort | .[]" | paste -sd ' '; }
these() { printf '%s\n' "$@" | sort | paste -sd ' '; }
[[ "$(ids .removed)" == "$(these "$alone" "$keyed" "$refused")" ]] || fail "$(of .)"
[[ "$(ids .cancelled)" == "$waiting" ]] || fail "$(of .)"
[[ "$(ids .struck)" == "$(these "$both" "$shared")" ]] || fail "$(of .)"
[[ "$(of '[.log_files, .files, .providers]')" == "[2,0,0]" && $(of .log_lines) -ge 4 ]] || fail "$(of .)"
[[ "$(of '[.busy, .mentioned, .keys, .suppressions, .still_suppressed]')" == '[[],[],1,1,true]' ]] || fail "$(of .)"
[[ $(of '.receipt | length') == 26 && $(of .at) == 20*Z ]] || fail "$(of .)"
[[ -z $(traces '[^o]ann@') ]] || fail "left in: $(traces '[^o]ann@')"
[[ -z $(traces 'rang us up') ]] || fail "the note is left"
for id in "$alone" "$keyed" "$refused" "$waiting"; do expect 66 pony show "$id"; done
[[ -z $(find "$SPOOL/tmp" "$SPOOL/cur" -mindepth 1) ]] || fail "something was left in tmp/ or cur/"

# --- everybody else keeps theirs
[[ $(pony show --json "$shared" | jq -rc .message.to) == '["bob@example.com"]' ]] || fail "$(pony show --json "$shared")"
expect 0 pony run --quiet
[[ $(pony show --json "$others" | jq -r .state) == sent ]] || fail "others"
[[ $(pony show --json "$shared" | jq -r .state) == sent ]] || fail "shared"
grep -rq 'joann@example.com' "$SPOOL/sent" || fail "joann has gone, too"

# --- the log has all its lines, the figures stand
[[ $(head -n "$lines" "$SPOOL/log/$day.jsonl" | jq -c .id | wc -l) == "$lines" ]] || fail "a line is broken"
gzip -dc "$SPOOL/log/events-2026-01-01.jsonl.gz" | jq -c . | wc -l | grep -qx "$lines" || fail "lines of the compressed log"
[[ $(pony events --json | jq -r "select(.id == \"$waiting\") | .event" | tail -1) == cancelled ]] || fail "its end is not in the log"
expect 0 pony fsck --dry-run

# --- still suppressed, and it can be lifted
again=$(mail ann@example.com)
expect 0 pony run --quiet
[[ $(pony show --json "$again" | jq -r .state) == failed ]] || fail "it was sent again"
expect 0 pony suppress remove ann@example.com
err_has "gets mail again"
expect 0 pony forget ann@example.com --yes
out_has "Forgotten: ann@example.com"
out_has "Receipt "
expect 0 pony forget ann@example.com --yes
out_has "nothing was known"

# --- what is under way is told
busy=$(mail cid@example.com)
mkdir "$SPOOL/cur/host.1.x"
mv "$SPOOL/new/$busy.jsonl" "$SPOOL/cur/host.1.x/"
exec 9>"$SPOOL/cur/host.1.x/.lock"
flock 9
expect 75 pony forget cid@example.com --yes
out_has "$busy"
out_has "forget again"
exec 9>&-
expect 0 pony run --quiet
expect 0 pony forget cid@example.com --yes
expect 66 pony show "$busy"
echo ok
