#!/usr/bin/env bash
# safe_mode: on a staging machine nothing leaves but what is allowed, and what
# is redirected says whom it was meant for.
source "$(dirname "$0")/../support/shell.sh"
source "$PONY_SOURCE/tests/support/stand_in.sh"

start_stand_in main
spools=0
# with SAFE_MODE [PROVIDER]: a fresh spool; the provider is the stand-in's
# unless a line is given.
with() {
  SPOOL=$T/spool-$((++spools))
  forget main
  config <<YAML
spool: $SPOOL
default_from: Widget Team <team@widgets.example>
retry: {first: 1h, jitter: 0%}
safe_mode: $1
providers:
${2:-$(provider main sendgrid)}
YAML
}
# Whom the provider was asked to reach, sorted, and the last one's subject.
reached() { jq -r '.mail | (.to, .cc, .bcc)[].email' "$T/main.log" | sort | paste -sd' '; }
subject() { tail -1 "$T/main.log" | jq -r .mail.subject; }
meant_for() { tail -1 "$T/main.log" | jq -r '.mail.headers["x-pony-original-to"] // "nobody else"'; }

# --- who is not allowed is redirected, once; who is allowed gets the mail.
both='{redirect_to: qa@widgets.example, allow: ["*@widgets.example", "friend@example.com"]}'
with "$both"
id=$(queue 1 '{"to":["dev@widgets.example","Ann <ann@example.com>"],"cc":["FRIEND@Example.COM"],"bcc":["bob@example.com"]}')
expect 0 pony run
err_has "safe_mode is on"
is_so "FRIEND@example.com dev@widgets.example qa@widgets.example" "$(reached)"
is_so "[safe mode] Hello 0" "$(subject)"
is_so "ann@example.com and 1 more" "$(meant_for)"   # a bcc is only counted
# The spool and its events tell of those whom the application meant.
is_so "queued, attempted main accepted, sent" "$(story "$id")"
file=$(find "$SPOOL/sent" -name "$id.jsonl")
head -1 "$file" | jq -e '[.to[], .bcc[]] | tostring | contains("ann@example.com") and contains("bob@example.com")' >/dev/null ||
  fail "$(head -1 "$file")"
! grep -q 'qa@widgets.example' "$file" || fail "the file tells of qa"
! grep -rq 'qa@widgets.example' "$SPOOL/log" || fail "the log tells of qa"

# --- everybody is allowed: the mail is as it was.
with "$both"
queue 1 '{"to":["dev@widgets.example","friend@example.com"]}' >/dev/null
expect 0 pony run
is_so "Hello 0" "$(subject)"
is_so "nobody else" "$(meant_for)"
is_so "dev@widgets.example friend@example.com" "$(reached)"

# --- patterns are of whole addresses: what only looks like one stays inside.
with '{redirect_to: qa@widgets.example, allow: ["*@widgets.example", "qa-?@b.example", "*@münchen.example"]}'
for to in ann@sub.widgets.example ann@widgets.example.com ann@xwidgets.example \
  x-widgets.example@evil.example qa-@b.example qa-12@b.example; do
  jq -nc --arg to "$to" '{to: $to, subject: "S", text: "x"}' | pony enqueue >/dev/null
done
expect 0 pony run
is_so "qa@widgets.example" "$(jq -r '.mail | (.to, .cc, .bcc)[].email' "$T/main.log" | sort -u)"
asked main 6
with '{redirect_to: qa@widgets.example, allow: ["*@widgets.example", "qa-?@b.example", "*@münchen.example"]}'
queue 1 '{"to":["qa-1@b.example","ann@WIDGETS.example","x@xn--mnchen-3ya.example"]}' >/dev/null
expect 0 pony run
is_so "nobody else" "$(meant_for)"

# --- without redirect_to the others are kept back, and it is said of them.
with '{allow: ["*@widgets.example"]}'
id=$(queue 1 '{"to":["dev@widgets.example","ann@example.com"]}')
expect 0 pony run
is_so "dev@widgets.example" "$(reached)"
is_so '[["ann@example.com","rejected","kept back by safe_mode"]]' \
  "$(events_of "$id" '.[-1].recipients | map([.email, .outcome, .error])')"
id=$(queue 1 '{"to":["ann@example.com","bob@example.com"]}')
expect 0 pony run
out_has "1 failed"
is_so "queued, failed" "$(story "$id")"
events_of "$id" '.[-1].reason' | grep -q 'ann@example.com: kept back by safe_mode' || fail "no reason"
asked main 1
expect 69 pony send --to ann@example.com --subject Hi --text x
asked main 1

# --- {} allows nobody: nothing leaves.
with '{}'
queue 5 '{"cc":["root@localhost.example","team@widgets.example"]}' >/dev/null
expect 0 pony run
out_has "(0 sent, 0 deferred, 5 failed)"
asked main 0
# A section without a value is a mistake, not a switch that is off.
with ''
expect 78 pony run

# --- a dry run shows what would leave.
with "$both"
expect 0 pony send --dry-run --to ann@example.com --subject Hello --text x
out_has "Subject: [safe mode] Hello"
out_has "X-Pony-Original-To: ann@example.com"
! grep -q '^To:.*ann@example.com' "$T/out" || fail "$(cat "$T/out")"
expect 0 pony send --dry-run --as main --to ann@example.com --cc dev@widgets.example --subject Hello --text x
out_has "qa@widgets.example"
out_has "[safe mode] Hello"
out_has "***"
! grep -q "$STAND_IN_KEY" "$T/out" || fail "the key was shown"
asked main 0
with '{}'
expect 69 pony send --dry-run --to ann@example.com --subject Hello --text x
err_has "safe_mode keeps every recipient of this message back"

# --- a provider that takes some: the events name those who were meant, and a
# retry reaches those who are left, even when safe mode is off by then.
with "$both" "$(provider main mandrill)"
behave main 503
id=$(queue 1 '{"to":["ann@example.com","bob@example.com"]}')
expect 0 pony run
is_so "queued, attempted main unavailable, deferred" "$(story "$id")"
sed -i '/^safe_mode/d' "$T/pony.yaml"
behave main partial
expect 0 at +2h run
is_so "ann@example.com bob@example.com" "$(tail -1 "$T/main.log" | jq -r '.mail.to[].email' | sort | paste -sd' ')"
with "$both" "$(provider main mandrill)"
behave main partial
id=$(queue 1 '{"to":["dev@widgets.example","bad@widgets.example","ann@example.com","bob@example.com"]}')
expect 0 pony run
is_so '[["bad@widgets.example","rejected"]]' "$(events_of "$id" '.[-1].recipients | map([.email, .outcome])')"
is_so '["ann@example.com","bad@widgets.example","bob@example.com","dev@widgets.example"]' \
  "$(events_of "$id" '.[1].recipients | map(.email) | sort')"
