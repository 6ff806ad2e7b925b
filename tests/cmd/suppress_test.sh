#!/usr/bin/env bash
# pony suppress list, add, remove and import, and what a run makes of it.
source "$(dirname "$0")/../support/shell.sh"
LIST=$SPOOL/state/suppressions.jsonl
# mail TO…: enqueues a message; its id.
mail() {
  local flags=()
  for to in "$@"; do flags+=(--to "$to"); done
  pony enqueue "${flags[@]}" --subject Hi --text Hi
}
# of ID FILTER: what `show` says of it.
of() { pony show --json "$1" | jq -rc "$2"; }

# --- nobody is suppressed, and nothing is made of it
expect 0 pony suppress list
out_has ADDRESS
[[ $(wc -l <"$T/out") == 1 ]] || fail "somebody is suppressed"
[[ ! -e $LIST ]] || fail "to list made something"

# --- add
expect 0 pony suppress add Ann@Example.com --note 'rang us up'
err_has "'Ann@Example.com' gets no mail any more"
expect 0 pony suppress add ann@EXAMPLE.com --reason bounced
err_has "gets no mail already: suppressed by hand on 20"
expect 0 pony --json suppress add 'Bob <bob@bücher.example>' ann@example.com --reason unsubscribed
[[ $(jq -c '[.address, .result]' "$T/out" | paste -sd ' ') == \
  '["bob@xn--bcher-kva.example","added"] ["ann@example.com","known"]' ]] || fail "$(cat "$T/out")"
expect 65 pony suppress add good@example.com nonsense
err_has "nonsense"
expect 65 pony suppress add 'two@example.com, three@example.com'
expect 64 pony suppress add ann@example.com --reason because
err_has "bounced, complained, unsubscribed or manual"
expect 64 pony suppress add
[[ $(wc -l <"$LIST") == 2 ]] || fail "what was refused was added"
[[ $(stat -c %a "$LIST") == 600 ]] || fail "its mode"

# --- list, and its filters
expect 0 pony suppress list
out_has "rang us up"
out_has "bob@xn--bcher-kva.example"
listed() { pony suppress list --json "$@" | jq -r .address | paste -sd ' '; }
[[ $(listed) == "ann@example.com bob@xn--bcher-kva.example" ]] || fail "$(listed)"
[[ $(listed '*@EXAMPLE.com') == ann@example.com ]] || fail "by address"
[[ $(listed 'bob@bücher.example') == bob@* ]] || fail "by a domain of another spelling"
[[ $(listed --reason unsubscribed,bounced) == bob@* ]] || fail "by reason"
[[ $(listed --since yesterday) == *" "* ]] || fail "since yesterday"
[[ -z $(listed --since +1h) ]] || fail "since a moment to come"
expect 64 pony suppress list --since soon
expect 64 pony suppress list --reason because

# --- at delivery: the others get it, and it is told
one=$(mail ann@example.com)
two=$(mail ANN@example.com cid@example.com)
expect 0 pony run --quiet
[[ $(of "$one" .state) == failed && $(of "$two" .state) == sent ]] || fail "their states"
[[ $(find "$T/outbox/new" -type f | wc -l) == 1 ]] || fail "not one mail"
grep -rq '^Delivered-To: ann' -i "$T/outbox/new" && fail "ann got it"
expect 0 pony events --json "$two"
[[ $(jq -c 'select(.event == "suppressed") | .recipient' "$T/out") == '"ANN@example.com"' ]] || fail "$(cat "$T/out")"
[[ $(jq -r 'select(.event == "sent") | .recipients[0] | .email + " " + .error' "$T/out") == \
  "ANN@example.com suppressed by hand on "* ]] || fail "$(cat "$T/out")"
[[ $(jq -c 'select(.event == "suppressed").id' "$SPOOL"/log/*.jsonl | wc -l) == 2 ]] || fail "not in the log"
expect 0 pony explain "$one"
out_has "to lift it, first: pony suppress remove ann@example.com"
[[ $(of "$one" '.events[-1].reason') != *"pony suppress"* ]] || fail "advice in a reason"
[[ $(of "$one" '.events[-1].event') == failed ]] || fail "its last event"

# --- send
expect 69 pony send --to ann@example.com --subject Hi --text Hi
err_has "suppressed by hand"

# --- remove, and a retry reaches them
expect 66 pony suppress remove Ann@example.com nobody@example.com
err_has "'Ann@example.com' gets mail again"
err_has "'nobody@example.com' is not suppressed"
expect 66 pony suppress remove ann@example.com
expect 65 pony suppress remove nonsense
[[ $(listed) == bob@xn--bcher-kva.example ]] || fail "$(listed)"
expect 0 pony retry "$one"
expect 0 pony run --quiet
[[ $(of "$one" .state) == sent ]] || fail "it was not sent again"
expect 69 pony retry "$two" # the others have it

# --- import: plain lines, CSV, our own list
printf 'x1@example.com\n# old\nnonsense\nx2@example.com\nx1@example.com\n' >"$T/plain"
expect 65 pony suppress import --dry-run "$T/plain"
err_has "line 3: "
err_has "would add 2, 1 were there already, 1 could not be read"
[[ $(listed) == bob@* && $(listed) != *" "* ]] || fail "a dry run added"
expect 65 pony suppress import "$T/plain"
err_has "added 2, 1 were there already, 1 could not be read"
printf 'email;created;reason\ny1@example.com;1449953655;"550 5.1.1 no\nsuch user"\n' >"$T/csv"
expect 0 pony --json suppress import "$T/csv"
[[ $(cat "$T/out") == '{"added":1,"known":0,"bad":0}' ]] || fail "$(cat "$T/out")"
[[ $(pony suppress list --json 'y1@*' | jq -c '[.reason, .since]') == \
  '["bounced","2015-12-12T20:54:15.000Z"]' ]] || fail "$(listed)"
pony suppress list --json >"$T/saved"
rm "$LIST"
expect 0 pony suppress import --reason bounced <"$T/saved"
cmp "$LIST" "$T/saved" || fail "the list did not come back as it was"
expect 66 pony suppress import "$T/none"
expect 0 pony suppress import </dev/null
err_has "added 0"

# --- a list that a crash cut short
truncate -s -5 "$LIST"
[[ $(listed 'y1@*') == "" ]] || fail "half a line is listed"
expect 0 pony suppress add z@example.com
[[ $(listed 'z@*') == z@example.com ]] || fail "the torn line swallowed the next"
expect 0 pony fsck --dry-run
[[ -z $(ls "$SPOOL/tmp") ]] || fail "something was left in tmp/"
echo ok
