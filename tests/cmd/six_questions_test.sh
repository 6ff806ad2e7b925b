#!/usr/bin/env bash
# The six questions that an operator must be able to answer, after a day with a
# failover, a dead provider, a bounce and a bad recipient:
#   1 when did this mail enter, and how long did it take?
#   2 why was it not delivered?
#   3 which providers were chosen for it?
#   4 how long do mails wait?
#   5 which provider is the fastest?
#   6 how often does each fail?
# And the totals of the answers are the files in sent/ and failed/.
source "$(dirname "$0")/../support/shell.sh"
source "$PONY_SOURCE/tests/support/stand_in.sh"

# --- the day
start_stand_in main second
config <<YAML
spool: $SPOOL
default_from: Widget Team <team@widgets.example>
retry: {first: 1h, factor: 1, max: 1h, jitter: 0%}
breaker: {failures: 3, cool_down: 30m, max_cool_down: 30m}
providers:
$(provider main sendgrid)
$(provider second postmark "webhook: {username: hook, password: secret}")
  dead: {type: mailgun, api_key: k, domain: mg.widgets.example, base_url: "http://127.0.0.1:$(free_port)", allow_insecure: true}
pools:
  default: {strategy: priority, providers: [main, second]}
  eu: {strategy: priority, providers: [dead, second]}
YAML
# In the morning all is well.
behave main
behave second
well=$(queue 30 '{"tags": ["receipt"]}' | tail -n 1)
expect 0 pony run
out_has "(30 sent, 0 deferred, 0 failed)"
# Then the first provider breaks: its mail leaves by the second one.
behave main 503
failed_over=$(queue 20 '{"tags": ["reset"]}' | head -n 1)
expect 0 at +1m run --jobs 1
out_has "(20 sent"
# The eu pool's first provider has been dead all the time.
dead=$(queue 10 '{"tags": ["receipt"], "pool": "eu"}' | head -n 1)
expect 0 at +2m run --jobs 1
out_has "(10 sent"
# One recipient does not exist, and the second provider knows it at once.
behave second 300-request
bad=$(queue 1 '{"tags": ["reset"]}')
expect 0 at +3m run
out_has "(0 sent, 0 deferred, 1 failed)"
# One message waits until both are well again.
behave second 503
late=$(queue 1 '{"tags": ["reset"]}')
expect 0 at +4m run
out_has "1 deferred"
behave main
behave second
expect 0 at +65m run
out_has "(1 sent"
# And one that was taken bounces in the afternoon.
body=$(jq -nc --arg id "$failed_over" --arg at "$(date -u +%FT%TZ)" \
  '{RecordType: "Bounce", Type: "HardBounce", ID: 4323372036854775807, Email: "a0@example.com", BouncedAt: $at,
    Description: "The server was unable to deliver your message", Details: "550 5.1.1 no such user", Metadata: {pony_id: $id}}')
feedback() { pony feedback second --header "Authorization: Basic $(printf hook:secret | base64)" <<<"$body"; }
expect 0 feedback

# --- 1, 2, 3: of one message
expect 0 pony explain "$well"
out_has "It came from team@widgets.example"
out_has "Try 1"
out_has "main took it"
out_has "It was sent"
expect 0 pony explain "$failed_over"
out_has "main could not take it"
out_has "503"
out_has "so the next provider was asked"
out_has "second took it"
out_has "bounced for a0@example.com"
out_has "no such user"
expect 0 pony explain "$dead"
out_has "dead could not take it"
out_has "second took it"
expect 0 pony explain "$bad"
out_has "refused it for good"
out_has "Invalid 'To' address"
expect 0 pony explain "$late"
out_has "It was put off until"
out_has "It was sent"
# For programs: when it entered, each try with its provider, answer and time.
expect 0 pony explain --json "$failed_over"
is_so '[["main","unavailable"],["second","accepted"]]' "$(jq -c '[.attempts[] | [.provider, .outcome]]' "$T/out")"
is_so true "$(jq '[.attempts[].ms] | all(. >= 0)' "$T/out")"

# --- 4: how long do mails wait
all=(--until +1d --json)
expect 0 pony report --by tag "${all[@]}"
is_so '[["receipt",40,40,0],["reset",22,21,1]]' \
  "$(jq -c '[.[] | [.tag, .queued, .sent, .failed]] | sort' "$T/out")"
is_so true "$(jq 'map(select(.tag == "reset"))[0].queue_ms | .p99 >= 3600000 and .p99 < 4000000' "$T/out")"
is_so true "$(jq 'map(select(.tag == "receipt"))[0].queue_ms | .p50 < 1000000' "$T/out")"

# --- 5 and 6: which provider is the fastest, how often does each fail
expect 0 pony report --by provider "${all[@]}"
row() { jq -c "map(select(.provider == \"$1\"))[0] | $2" "$T/out"; }
is_so 31 "$(row main .accepted)"
is_so true "$(row main '.unavailable >= 3 and .failure_rate > 0 and .failure_rate < 0.5')"
is_so '[30,1,1]' "$(row second '[.accepted, .rejected, .unavailable]')"
is_so '[0,1]' "$(row dead '[.accepted, .failure_rate]')"
is_so true "$(row second '.provider_ms | .p50 <= .p95 and .p95 <= .p99')"
expect 0 pony report --by provider --until +1d
[[ $(grep -n '^dead ' "$T/out" | cut -d: -f1) -lt $(grep -n '^main ' "$T/out" | cut -d: -f1) ]] ||
  fail "the worst provider is not first: $(cat "$T/out")"
expect 0 pony report --by reason "${all[@]}"
is_so true "$(jq 'any(.reason | contains("Invalid '"'To'"' address"))' "$T/out")"
expect 0 pony report --by event "${all[@]}"
is_so 1 "$(jq 'map(select(.event == "bounced"))[0].events' "$T/out")"

# --- the totals are the files
expect 0 pony report --by pool "${all[@]}"
is_so "$(count_in sent)" "$(jq 'map(.sent) | add' "$T/out")"
is_so "$(count_in failed)" "$(jq 'map(.failed + .expired + .cancelled) | add' "$T/out")"
# also after the failed one was mended and sent
expect 0 at +66m retry "$bad" --to ann@example.com
expect 0 at +70m run
expect 0 pony report --by pool "${all[@]}"
is_so "$(count_in sent)" "$(jq 'map(.sent) | add' "$T/out")"
is_so 0 "$(jq 'map(.failed + .expired + .cancelled) | add' "$T/out")"
echo ok
