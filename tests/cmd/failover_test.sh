#!/usr/bin/env bash
# Failover as an operator sees it: a provider is down, revoked, suspended or
# cannot carry a message, and the mail leaves by another one, each once.
source "$(dirname "$0")/../support/shell.sh"
source "$PONY_SOURCE/tests/support/stand_in.sh"

start_stand_in main second third
# with PROVIDERS [MORE]: a fresh spool, and a configuration with these lines
# of providers and these others.
with() {
  SPOOL=$T/spool-$((++spools))
  forget main second third
  config <<YAML
spool: $SPOOL
default_from: Widget Team <team@widgets.example>
retry: {first: 1h, jitter: 0%}
providers:
$1
${2:-}
YAML
}
spools=0
outbox="  outbox: {type: maildir, path: $T/outbox}"
in_outbox() { find "$T/outbox/new" -type f 2>/dev/null | wc -l; }

# --- 10,000 messages while the first provider is down: all leave by the
# second, at the price of the requests that were under way when the breaker
# opened, and one a cool-down.
with "$(provider main sendgrid "connections: 4")
$outbox" "breaker: {failures: 5, cool_down: 1h, max_cool_down: 4h}"
behave main 503
queue 10000 >/dev/null
expect 0 pony run --jobs 100
out_has "(10000 sent, 0 deferred, 0 failed)"
err_has "provider 'main' rests: breaker open after"
err_has "pool 'default' lives on its last provider, 'outbox'"
is_so 10000 "$(in_outbox)"
burst=$(requests main)
((burst >= 5 && burst <= 5 + 4)) || fail "$burst requests opened the breaker"
is_so "$burst" "$(cat "$SPOOL"/log/*.jsonl | jq -c 'select(.event == "attempted" and .provider == "main")' | wc -l)"
# The next runs of cron know; each cool-down costs one request, and doubles.
for minute in 1 50 62 63 175 185 186; do
  queue 20 >/dev/null
  expect 0 at "+${minute}m" run
  out_has "(20 sent"
  echo "$minute $(($(requests main) - burst))"
done >"$T/probes"
is_so "1 0,50 0,62 1,63 1,175 1,185 2,186 2" "$(paste -sd, "$T/probes")"
# When it works again, the probe closes the breaker and the mail comes back.
behave main
queue 20 >/dev/null
expect 0 at +8h run --jobs 10
(($(requests main '.answered == 202') > 1)) || fail "it did not come back"
is_so '["ok",0]' "$(of_at +8h main '[.state, .failures]')"

# A connection that is refused costs no message either.
with "  down: {type: sendgrid, api_key: k, base_url: \"http://127.0.0.1:$(free_port)\", allow_insecure: true}
$(provider second mailgun)"
id=$(queue 1)
expect 0 pony run
is_so "queued, attempted down unavailable, attempted second accepted, sent" "$(story "$id")"

# --- Credentials are revoked in the middle of a run: the rest leaves by the
# second, nothing is lost, nothing goes twice.
with "$(provider main sendgrid)
$(provider second postmark)"
behave main 'success*100' 401-key
queue 300 >"$T/ids"
expect 0 pony run
out_has "(300 sent, 0 deferred, 0 failed)"
is_so 100 "$(requests main '.answered == 202')"
is_so 200 "$(requests second '.answered == 200')"
jq -r 'select(.answered < 300).mail.to[].email' "$T"/{main,second}.log | sort >"$T/got"
[[ $(sort -u "$T/got" | wc -l) == 300 && $(wc -l <"$T/got") == 300 ]] || fail "lost or twice"
is_so "open" "$(of main .state)"
of main .why | grep -q 'invalid, expired, or revoked' || fail "the list does not say why: $(of main .why)"
! grep -rq "$STAND_IN_KEY" "$SPOOL" "$T/out" "$T/err" || fail "a key was told"

# --- Suspended: SES says so with a 400, and the message did nothing wrong.
with "$(provider main ses)
$(provider second brevo)"
behave main AccountSuspendedException
id=$(queue 1)
expect 0 pony run
is_so "queued, attempted main unavailable, attempted second accepted, sent" "$(story "$id")"

# --- Mandrill takes two of three: sent, and the third is named with why.
with "$(provider main mandrill)
$(provider second sendgrid)"
behave main partial
id=$(queue 1 '{"to":["ann@example.com","bob@example.com","bad@example.com"]}')
expect 0 pony run
is_so "queued, attempted main accepted, sent" "$(story "$id")"
is_so '[["bad@example.com","rejected",true]]' \
  "$(events_of "$id" '.[-1].recipients | map([.email, .outcome, (.error | contains("hard-bounce"))])')"
asked second 0
# SMTP's 4yz in HTTP's clothes: the third goes on to another provider, alone.
cat >"$T/two-of-three" <<'PY'
#!/usr/bin/python3
import json, sys
if sys.argv[-1] == "name":
    print("two-of-three")
    sys.exit()
asked = json.load(sys.stdin)
with open(__file__ + ".log", "a") as log:
    print(*asked["recipients"], file=log)
print(json.dumps({"recipients": [
    {"email": one, "outcome": "unavailable" if one.startswith("later") else
     "accepted", "error": "mailbox is busy"} for one in asked["recipients"]]}))
PY
chmod +x "$T/two-of-three"
with "  main: {type: exec, command: [$T/two-of-three]}
$(provider second sendgrid)"
behave second 503
id=$(queue 1 '{"to":["ann@example.com","bob@example.com","later@example.com"]}')
expect 0 pony run
is_so "queued, attempted main accepted, attempted second unavailable, deferred" "$(story "$id")"
is_so '["later@example.com"]' "$(jq -c '[.mail | (.to, .cc, .bcc)[].email]' "$T/second.log")"
behave second
expect 0 at +2h run
is_so sent "$(events_of "$id" '.[-1].event')"
is_so '["later@example.com"]' "$(jq -c '[.mail | (.to, .cc, .bcc)[].email]' "$T/second.log" | sort -u)"
is_so 1 "$(grep -c ann@example.com "$T/two-of-three.log")"

# --- A provider that cannot carry the message is skipped, and it is said why.
with "$(provider main postmark)
$(provider second sendgrid)
$outbox"
head -c 11000000 /dev/urandom >"$T/big.bin"
id=$(pony enqueue --to ann@example.com --subject Big --text x --attach "$T/big.bin")
expect 0 pony run
is_so "queued, skipped main, attempted second accepted, sent" "$(story "$id")"
events_of "$id" '.[1].reason' | grep -q 'takes 10000000 bytes' || fail "no reason: $(events_of "$id" '.[1]')"
asked main 0
id=$(pony enqueue --to jürgen@example.com --subject Hi --text x)
expect 0 pony run
is_so "queued, skipped main, skipped second, attempted outbox accepted, sent" "$(story "$id")"
# None can: failed at once, with every reason; the providers were not asked.
with "$(provider main postmark)
$(provider second sendgrid)"
id=$(pony enqueue --to jürgen@example.com --subject Hi --text x)
expect 0 pony run
is_so "queued, skipped main, skipped second, failed" "$(story "$id")"
events_of "$id" '.[-1].reason' | grep -q 'main: .*; second: ' || fail "not every reason"
asked main 0
asked second 0
is_so ok "$(of main .state)"

# --- All are down, then up: nothing is lost, the list tells the story, a
# hook is told of each breaker once that it opened and once that it closed.
cat >"$T/record" <<SHELL
#!/bin/sh
cat >>$T/breakers
SHELL
chmod +x "$T/record"
with "$(provider main sendgrid "connections: 2")
$(provider second mailgun "connections: 2")" "breaker: {failures: 3, cool_down: 30s}
hooks: {on_breaker: [$T/record]}"
behave main 500
behave second 502-html
queue 30 >"$T/ids"
expect 75 pony run
err_has "every provider rests"
deferred=$(count_in deferred)
is_so 30 $((deferred + $(count_in new)))
((deferred >= 3 && deferred <= 12)) || fail "$deferred were deferred"
is_so '["open","open"]' "$(pony provider list --json | jq -sc 'map(.state)')"
expect 0 pony provider list
out_has "500"
behave main
behave second
expect 0 at +2h run
out_has "(30 sent, 0 deferred, 0 failed)"
asked main 30 '.answered == 202'
is_so '["main ok","second half-open"]' "$(at +2h provider list --json | jq -sc 'map("\(.name) \(.state)")')"
expect 0 at +2h provider pause main
queue 5 >/dev/null
expect 0 at +2h run
out_has "(5 sent"
is_so '["main paused","second ok"]' "$(at +2h provider list --json | jq -sc 'map("\(.name) \(.state)")')"
is_so '["main closed","main open","second closed","second open"]' \
  "$(jq -sc 'map("\(.provider) \(.state)") | sort' "$T/breakers")"
