#!/usr/bin/env bash
# pony pool list, pony pool show: whose mail goes where, and who is asked first.
source "$(dirname "$0")/../support/shell.sh"

maildir() { echo "$1: {type: maildir, path: $T/$1}"; }
config <<YAML
spool: $SPOOL
default_from: team@widgets.example
providers:
  $(maildir main)
  $(maildir second)
  $(maildir relay)
pools:
  default: {strategy: priority, providers: [main, second]}
  widgets.example: {strategy: weighted, providers: [{name: main, weight: 3}, second]}
  newsletter: {strategy: round_robin, providers: [main, second, relay]}
YAML

# pool NAME FILTER: what jq's FILTER makes of a pool.
pool() { pony pool list --json | jq -rc "select(.name == \"$1\") | $2"; }
leads() { pool "$1" '[.members[] | "\(.name) \(.leads)"] | join(", ")'; }
is() { [[ $1 == "$2" ]] || fail "'$2' instead of '$1'"; }

expect 0 pony pool list
err_is_empty
grep -qE '^default +priority +all others +main +main, second$' "$T/out" || fail "$(cat "$T/out")"
grep -qE '^widgets.example +weighted +@widgets.example +main 75%, second 25% +main:3, second:1$' "$T/out" || fail "$(cat "$T/out")"
grep -qE '^newsletter +round_robin +- +main 33%, second 33%, relay 33% ' "$T/out" || fail "$(cat "$T/out")"
is "main 1, second 0" "$(leads default)"
is "widgets.example" "$(pool widgets.example .sender_domain)"
is "null true" "$(pool default '"\(.sender_domain) \(.is_default)"')"

# Who rests is not asked, and the others take its part.
pony provider pause main >/dev/null 2>&1
is "main 0, second 1" "$(leads default)"
is "main 0, second 1" "$(leads widgets.example)"
is "main 0, second 0.667, relay 0.333" "$(leads newsletter)"
expect 0 pony pool list
out_has "main (paused), second"
pony provider pause second >/dev/null 2>&1
expect 0 pony pool show default
out_has "first now none"
is "false" "$(pool default 'any(.members[]; .may_be_asked)')"
pony provider resume main >/dev/null 2>&1
pony provider resume second >/dev/null 2>&1

# All about one.
expect 0 pony pool show widgets.example
out_has "senders   those of @widgets.example, and messages that name the pool"
out_has "first now main 75%, second 25%"
out_has "weights   main 3 second 1"
expect 0 pony pool show newsletter
out_has "senders   only messages that name the pool"
expect 0 pony pool show newsletter --json
jq -e '.name == "newsletter" and .members[2].provider.type == "maildir"' "$T/out" >/dev/null || fail "$(cat "$T/out")"

# It is so: the mail goes where it says.
pony send --to ann@example.com --subject x --text x >/dev/null
pony send --from ann@other.example --to ann@example.com --subject x --text x --pool newsletter >/dev/null
[[ $(find "$T/main/new" "$T/second/new" "$T/relay/new" -type f 2>/dev/null | wc -l) == 2 ]] || fail "no mail"

expect 66 pony pool show widget.example
err_has "there is no pool 'widget.example'"
err_has "did you mean 'widgets.example'?"
expect 64 pony pool show
expect 64 pony pool
