#!/usr/bin/env bash
# A provider that swallows its answer: the message may have been taken. What
# follows is as configured, and no second copy is sent where a key prevents it.
source "$(dirname "$0")/../support/shell.sh"
source "$PONY_SOURCE/tests/support/stand_in.sh"

start_stand_in main second
spools=0
# with PROVIDERS [MORE]: a fresh spool, and a configuration with these lines
# of providers and these others.
with() {
  SPOOL=$T/spool-$((++spools))
  forget main second
  config <<YAML
spool: $SPOOL
default_from: Widget Team <team@widgets.example>
retry: {first: 10m, jitter: 0%}
providers:
$1
${2:-}
YAML
}
# Whatever way an answer is lost, another provider is not asked in that round.
with "$(provider main sendgrid "timeout: 1s")
$(provider second mailgun)" "breaker: {failures: 1000}"
for way in silent close-after-body reset-after-body cut-status-line cut-headers 504; do
  behave main "$way"
  id=$(queue 1)
  expect 0 pony run
  out_has "1 deferred"
  is_so "queued, attempted main unknown, deferred" "$(story "$id")"
done
asked main 6
asked second 0
expect 0 pony report --by provider --format json
jq -e 'map(.unknown) | add == 6' "$T/out" >/dev/null || fail "the report does not count them: $(cat "$T/out")"

# --- retry: a provider that knows a message by its key is asked first, with
# the same key and the same message; it keeps one.
with "$(provider second sendgrid)
$(provider main resend "timeout: 1s")" "pools: {default: {strategy: priority, providers: [second, main]}}"
behave second 503
behave main 'silent*1' success
id=$(queue 1)
expect 0 pony run
is_so "queued, attempted second unavailable, attempted main unknown, deferred" "$(story "$id")"
asked second 1
behave second
expect 0 at +11m run
is_so "queued, attempted second unavailable, attempted main unknown, deferred, attempted main accepted, sent" "$(story "$id")"
asked second 1
asked main 2
is_so 1 "$(jq -c '[.mail.idempotency_key, .mail]' "$T/main.log" | sort -u | wc -l)"
[[ $(jq -r '.mail.idempotency_key' "$T/main.log" | sort -u) == "$id"* ]] || fail "the key is none of the message's"

# --- retry: one that honours no key is asked last: the other has it, and
# nobody gets it twice from the first.
with "$(provider main sendgrid "timeout: 1s")
$(provider second postmark)"
behave main 'silent*1' success
id=$(queue 1)
expect 0 pony run
expect 0 at +11m run
is_so "queued, attempted main unknown, deferred, attempted second accepted, sent" "$(story "$id")"
asked main 1
asked second 1
# The copies, should there be two, are one mail to whoever sorts them.
is_so 1 "$(jq -r '.mail.own_id // .mail.headers["message-id"]' "$T"/{main,second}.log | sort -u | wc -l)"
# Alone it is asked again: better twice than never is what retry means.
with "$(provider main sendgrid "timeout: 1s")"
behave main 'silent*1' success
id=$(queue 1)
expect 0 pony run
expect 0 at +11m run
is_so "queued, attempted main unknown, deferred, attempted main accepted, sent" "$(story "$id")"

# --- hold: for a person to look at; release sends it.
with "$(provider main sendgrid "timeout: 1s")" "on_unknown: hold"
behave main 'silent*1' success
id=$(queue 1)
expect 0 pony run
is_so 1 "$(count_in held)"
is_so "queued, attempted main unknown, held" "$(story "$id")"
err_has "it may have been delivered: main: no answer"
expect 0 at +1d run
asked main 1
expect 0 pony release "$id"
expect 0 pony run
is_so 1 "$(count_in sent)"

# --- fail: never twice. A message's own wish comes before the configuration's.
with "$(provider main sendgrid "timeout: 1s")
$(provider second mailgun)" "on_unknown: retry"
behave main silent
id=$(queue 1 '{"on_unknown":"fail"}')
expect 0 pony run
is_so "queued, attempted main unknown, failed" "$(story "$id")"
is_so 1 "$(count_in failed)"
expect 0 at +1d run
asked main 1
asked second 0

# --- send: the caller hears that it is not known.
expect 75 pony send --to a@example.com --subject Hi --text x
err_has "not delivered: main: no answer"
expect 69 pony send <<<'{"to":"a@example.com","subject":"Hi","text":"x","on_unknown":"fail"}'
err_has "it may have been delivered"
