#!/usr/bin/env bash
# pony send: now, with an exit code that a caller can trust.
source "$(dirname "$0")/../support/shell.sh"
hello=(--to ann@example.com --subject Hello --text 'It works.')

expect 0 pony send "${hello[@]}"
id=$(cat "$T/out")
[[ -f $SPOOL/sent/$(date -u +%F)/$id.jsonl && $(ls "$T/outbox/new" | wc -l) == 1 ]] || fail "not sent"
expect 0 pony send --json <<<'{"to":"ann@example.com","subject":"Hi","text":"x"}'
jq -e '.result and .status == "sent" and (.attempts | length) == 1' "$T/out" >/dev/null || fail "$(cat "$T/out")"

# A dry run prints the mail and leaves nothing behind.
before=$(find "$SPOOL" -name '*.jsonl' | wc -l)
expect 0 pony send --dry-run "${hello[@]}"
out_has "Subject: Hello"
expect 0 pony send --dry-run --as outbox "${hello[@]}"
out_has "It works."
expect 64 pony send --dry-run --as outbux "${hello[@]}"
err_has "did you mean 'outbox'?"
[[ $(find "$SPOOL" -name '*.jsonl' | wc -l) == "$before" ]] || fail "a dry run left something"

# Who stands in two roles is asked for once, as in a real attempt.
config <<YAML
spool: $SPOOL
default_from: team@widgets.example
providers: {mine: {type: exec, command: [/bin/true]}}
YAML
expect 0 pony send --dry-run --as mine "${hello[@]}" --cc ann@example.com
[[ $(jq -c .recipients "$T/out") == '["ann@example.com"]' ]] || fail "$(cat "$T/out")"

expect 65 pony send <<<'{"to":"ann@example.com"}'
expect 65 pony send <<<'{"to":"a@example.com","subject":"1","text":"x"}{"to":"a@example.com","subject":"2","text":"x"}'
err_has "more than one"

# Not delivered: in failed/ with the reason; temporary is 75, permanent 69.
provider() {
  config <<YAML
spool: $SPOOL
default_from: team@widgets.example
providers: {mta: {type: sendmail, command: [/bin/sh, -c, '$1', sh]}}
YAML
}
provider 'exit 75'
expect 75 pony send "${hello[@]}"
id=$(cat "$T/out")
[[ -f $SPOOL/failed/$(date -u +%F)/$id.jsonl ]] || fail "not in failed/"
expect 0 pony send --or-queue "${hello[@]}"
find "$SPOOL/deferred" -name "$(cat "$T/out").jsonl" | grep -q . || fail "not queued"
provider 'echo nobody here >&2; exit 67'
expect 69 pony send "${hello[@]}"
err_has "nobody here"

# pony retry sends what rests in failed/.
provider 'cat >/dev/null; exit 0'
expect 0 pony retry "$id"
expect 0 pony run
[[ -f $SPOOL/sent/$(date -u +%F)/$id.jsonl ]] || fail "retry did not send it"
[[ -z $(ls -A "$SPOOL/cur") ]] || fail "a folder was left in cur/"
