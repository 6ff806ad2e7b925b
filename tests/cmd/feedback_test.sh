#!/usr/bin/env bash
# Webhooks as seven providers send them, signed with keys made here: handed to
# `pony feedback` by a shell and by a web server, told twice, forged, stale.
source "$(dirname "$0")/../support/shell.sh"

# --- Keys and configuration
openssl ecparam -name prime256v1 -genkey -noout -out "$T/ec.pem" 2>/dev/null
public_key=$(openssl ec -in "$T/ec.pem" -pubout -outform DER 2>/dev/null | base64 -w0)
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=sns.amazonaws.com \
  -keyout "$T/rsa.pem" -out "$T/sns.pem" 2>/dev/null
secret=canary-signing-key
svix_key=$(printf 'canary-svix-key' | base64)
url=https://widgets.example/hooks/mandrill
topic=arn:aws:sns:eu-west-1:123456789012:mail
printf '%s\n' "$secret" >"$T/hook.key"
printf 'whsec_%s\n' "$svix_key" >"$T/svix.key"
chmod 600 "$T"/*.key
providers="providers:
  outbox: {type: maildir, path: $T/outbox}
  sg: {type: sendgrid, api_key: k, webhook: {public_key: $public_key}}
  mg: {type: mailgun, domain: a.example, api_key: k, webhook: {secret_file: hook.key}}
  md: {type: mandrill, api_key: k, webhook: {secret_file: hook.key, url: '$url'}}
  ses: {type: ses, region: eu-west-1, access_key_id: k, secret_access_key: k,
        webhook: {topic: '$topic', certificate_file: sns.pem}}
  pm: {type: postmark, api_key: k, webhook: {username: u, password_file: hook.key}}
  rs: {type: resend, api_key: k, webhook: {secret_file: svix.key}}
  br: {type: brevo, api_key: k, webhook: {username: u, password_file: hook.key}}
  bare: {type: mailgun, domain: a.example, api_key: k}
  nocert: {type: ses, region: eu-west-1, access_key_id: k, secret_access_key: k,
           webhook: {topic: '$topic'}}
pools:
  default: {providers: [outbox]}"
with() { config <<<"spool: $SPOOL
default_from: Widget Team <team@widgets.example>
$providers
$1"; }
with ''

# --- Signing: each leaves the body in $T/body and the headers in $headers
now=$(date +%s)
headers=()
sign_sg() { # EVENTS [TIME]
  local ts=${2:-$now}
  printf '%s' "$1" >"$T/body"
  headers=(-H "X-Twilio-Email-Event-Webhook-Timestamp: $ts"
    -H "X-Twilio-Email-Event-Webhook-Signature: $({ printf %s "$ts"; cat "$T/body"; } |
      openssl dgst -sha256 -sign "$T/ec.pem" | base64 -w0)")
}
sign_mg() { # EVENT [TOKEN] [TIME]
  local token=${2:-$RANDOM$RANDOM} ts=${3:-$now}
  jq -nc --arg ts "$ts" --arg token "$token" --argjson event "$1" --arg signature \
    "$(printf '%s%s' "$ts" "$token" | openssl dgst -sha256 -hmac "$secret" | sed 's/.* //')" \
    '{signature: {timestamp: $ts, token: $token, signature: $signature}, "event-data": $event}' >"$T/body"
  headers=()
}
sign_md() { # EVENTS
  printf 'mandrill_events=%s' "$(jq -rn --arg e "$1" '$e | @uri')" >"$T/body"
  headers=(-H "X-Mandrill-Signature: $(printf '%smandrill_events%s' "$url" "$1" |
    openssl dgst -sha1 -hmac "$secret" -binary | base64 -w0)")
}
sign_ses() { # MESSAGE [TYPE] [VERSION] [TOPIC] [SUBSCRIBE_URL]
  local type=${2:-Notification} version=${3:-2} arn=${4:-$topic} time hash=sha256 text
  time=$(date -u -d "@$now" +%FT%T.000Z)
  [[ $version == 2 ]] || hash=sha1
  if [[ $type == Notification ]]; then
    text=$(printf 'Message\n%s\nMessageId\nm1\nTimestamp\n%s\nTopicArn\n%s\nType\n%s\nX' "$1" "$time" "$arn" "$type")
  else
    text=$(printf 'Message\n%s\nMessageId\nm1\nSubscribeURL\n%s\nTimestamp\n%s\nToken\nt1\nTopicArn\n%s\nType\n%s\nX' \
      "$1" "$5" "$time" "$arn" "$type")
  fi
  jq -nc --arg m "$1" --arg t "$type" --arg v "$version" --arg arn "$arn" --arg time "$time" --arg url "${5:-}" \
    --arg s "$(printf '%s' "${text%X}" | openssl dgst "-$hash" -sign "$T/rsa.pem" | base64 -w0)" \
    '{Type: $t, MessageId: "m1", TopicArn: $arn, Message: $m, Timestamp: $time, SignatureVersion: $v, Signature: $s,
      SigningCertURL: "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b2c.pem"}
     + (if $url == "" then {} else {SubscribeURL: $url, Token: "t1"} end)' >"$T/body"
  headers=()
}
sign_rs() { # EVENT [ID]
  printf '%s' "$1" >"$T/body"
  local id=${2:-msg_$RANDOM$RANDOM} code
  code=$({ printf '%s.%s.' "$id" "$now"; cat "$T/body"; } | openssl dgst -sha256 -hmac canary-svix-key -binary | base64 -w0)
  headers=(-H "svix-id: $id" -H "svix-timestamp: $now" -H "svix-signature: v1,AAAA v1,$code")
}
sign_basic() { # EVENT
  printf '%s' "$1" >"$T/body"
  headers=(-H "Authorization: Basic $(printf 'u:%s' "$secret" | base64 -w0)")
}
# feed PROVIDER [OPTION…]: what was signed last
feed() { pony feedback "$@" "${headers[@]}" <"$T/body"; }

# --- A message that was sent; and what its file, the log and the list say
send() {
  printf '{"to":"%s","subject":"Hi","text":"Hi","tags":["signup"]}' "${1:-ann@example.com}" |
    pony send --quiet >/dev/null
  pony queue --state sent --ids | sort | tail -1
}
kinds_of() { pony show "$1" --json | jq -r '.events[].event' | tail -n +4 | paste -sd' '; }
logged() { cat "$SPOOL"/log/*.jsonl | grep -c "\"event\":\"$1\"" || true; }
is_suppressed() { grep -qF "\"$1\"" "$SPOOL/state/suppressions.jsonl"; }
reason_of() { pony show "$1" --json | jq -r '.events[-1].reason'; }

# --- Each provider's bounce reaches its message, and its recipient gets no
# more mail
n=0
bounced() { # PROVIDER SIGN JSON-with-ID-and-TO
  local id to body
  to=user$((++n))@example.com
  id=$(send "$to")
  body=${3//ID/$id}
  "$2" "${body//TO/$to}"
  expect 0 feed "$1" --dry-run
  err_has "would be: 1 event taken; 1 address suppressed"
  expect 0 feed "$1"
  err_has "1 event taken; 1 address suppressed"
  [[ $(kinds_of "$id") == bounced ]] || fail "$1: the file has $(kinds_of "$id")"
  [[ $(reason_of "$id") == "hard bounce" ]] || fail "$1: $(reason_of "$id")"
  is_suppressed "$to" || fail "$1: $to is not suppressed"
  pony show "$id" | grep -q "bounced.*$to.*hard bounce" || fail "$1: pony show does not tell"
  pony events "$id" --event bounced | grep -q "recipient=$to" || fail "$1: pony events does not tell"
  [[ $(pony queue --state sent --ids | grep -c "$id") == 1 ]] || fail "$1: the message has moved"
  # Honestly told twice: taken, and nothing is there twice.
  expect 0 feed "$1"
  err_has "already taken"
  [[ $(kinds_of "$id") == bounced ]] || fail "$1: twice in the file"
  # Changed on the way, or not signed at all.
  sed -i "s/$to/evil$n@example.com/; s/${to/@/%40}/evil$n%40example.com/" "$T/body"
  case $1 in
    # Their password says who sends it; what is sent is theirs to say.
    pm | br) headers=(-H "Authorization: Basic $(printf 'u:wrong' | base64)") ;;
  esac
  expect 77 feed "$1"
  headers=()
  [[ $1 == mg || $1 == ses ]] || expect 77 feed "$1"
  ! is_suppressed "evil$n@example.com" || fail "$1: a forger put somebody on the list"
}
bounced sg sign_sg '[{"event":"bounce","type":"bounce","email":"TO","timestamp":'"$now"',"reason":"550 5.1.1 no","pony_id":"ID"}]'
bounced mg sign_mg '{"event":"failed","severity":"permanent","reason":"bounce","timestamp":'"$now"'.5,"recipient":"TO","user-variables":{"pony_id":"ID"}}'
bounced md sign_md '[{"event":"hard_bounce","ts":'"$now"',"msg":{"email":"TO","metadata":{"pony_id":"ID"}}}]'
bounced ses sign_ses '{"eventType":"Bounce","mail":{"tags":{"pony_id":["ID"]}},"bounce":{"bounceType":"Permanent","bouncedRecipients":[{"emailAddress":"TO"}]}}'
bounced pm sign_basic '{"RecordType":"Bounce","Type":"HardBounce","Email":"TO","Metadata":{"pony_id":"ID"}}'
bounced rs sign_rs '{"type":"email.bounced","created_at":"2026-01-01T00:00:00Z","data":{"to":["TO"],"tags":{"pony_id":"ID"},"bounce":{"type":"Permanent"}}}'
bounced br sign_basic '{"event":"hard_bounce","email":"TO","ts_event":'"$now"',"X-Mailin-custom":"{\"pony_id\":\"ID\"}"}'
[[ $(logged bounced) == 7 ]] || fail "$(logged bounced) bounces are logged"

# --- A mail's life after it was sent, in one body; found by our own id, by its
# Message-ID and by what the provider calls it
id=$(send)
printf '{"ts":"%s","event":"attempted","id":"%s","attempt":1,"provider":"sg","outcome":"accepted","provider_id":"abc.def"}\n' \
  "$(date -u -d "@$now" +%FT%T.000Z)" "$id" >>"$SPOOL/log/events-$(date -u -d "@$now" +%F).jsonl"
sign_sg "[{\"event\":\"processed\",\"email\":\"ann@example.com\",\"timestamp\":$now,\"pony_id\":\"$id\"},
 {\"event\":\"delivered\",\"email\":\"ann@example.com\",\"timestamp\":$now,\"pony_id\":\"$id\"},
 {\"event\":\"open\",\"email\":\"ann@example.com\",\"timestamp\":$((now + 1)),\"smtp-id\":\"<$id@widgets.example>\"},
 {\"event\":\"click\",\"url\":\"https://w.example/reset?token=canary\",\"email\":\"ann@example.com\",
  \"timestamp\":$((now + 2)),\"sg_message_id\":\"abc.def.filter0001.1\"},
 {\"event\":\"open\",\"email\":\"x@example.com\",\"timestamp\":$now,\"pony_id\":\"01JD7Z3N8QW2E4R6T8Y0A1B2C3\"}]"
expect 0 feed sg --dry-run --json
[[ $(jq -rs 'map(.event) | join(" ")' "$T/out") == "delivered opened clicked opened" ]] || fail "dry run: $(cat "$T/out")"
[[ -z $(kinds_of "$id") ]] || fail "a dry run wrote"
expect 0 feed sg --json
[[ $(jq -c '[.added, .no_message, .suppressed, .ignored.processed]' "$T/out") == '[3,1,0,1]' ]] || fail "$(cat "$T/out")"
[[ $(kinds_of "$id") == "delivered opened clicked" ]] || fail "the file has: $(kinds_of "$id")"
expect 0 pony show "$id"
out_has "https://w.example/reset"
! grep -q canary "$T/out" || fail "a link's token is shown"
[[ $(pony show "$id" --json | jq -r '.events[-1].tags[0]') == signup ]] || fail "the event lost its message's tags"
# The same events grouped otherwise: nothing is there twice.
sign_sg "[{\"event\":\"open\",\"email\":\"ann@example.com\",\"timestamp\":$((now + 1)),\"pony_id\":\"$id\"}]"
expect 0 feed sg
err_has "0 events taken; 1 already known"
[[ $(kinds_of "$id") == "delivered opened clicked" ]] || fail "twice: $(kinds_of "$id")"

# --- A complaint suppresses, of whatever message; a soft bounce does not
sign_basic '{"RecordType":"SpamComplaint","Email":"Eve@Example.com","Metadata":{"pony_id":"01JD7Z3N8QW2E4R6T8Y0A1B2C3"}}'
expect 0 feed pm
err_has "1 of no message here; 1 address suppressed"
is_suppressed eve@example.com || fail "a complaint suppressed nobody"
id=$(send soft@example.com)
sign_sg "[{\"event\":\"bounce\",\"type\":\"blocked\",\"email\":\"soft@example.com\",\"pony_id\":\"$id\"},
  {\"event\":\"unsubscribe\",\"email\":\"soft@example.com\",\"pony_id\":\"$id\"}]"
expect 0 feed sg
! is_suppressed soft@example.com || fail "a soft bounce suppressed"
[[ $(pony show "$id" --json | jq -r '.events[-2].reason') == blocked ]] || fail "not blocked"

# --- Mailgun signs a token, not the event: it is good for one body
id=$(send)
sign_mg "{\"event\":\"opened\",\"timestamp\":$now,\"recipient\":\"ann@example.com\",\"user-variables\":{\"pony_id\":\"$id\"}}" token1
expect 0 feed mg
sign_mg "{\"event\":\"failed\",\"severity\":\"permanent\",\"reason\":\"bounce\",\"recipient\":\"ceo@example.com\"}" token1
expect 77 feed mg
err_has "was used for another body"
! is_suppressed ceo@example.com || fail "an overheard signature put somebody on the list"

sign_mg '{}'
sed -i 's/"signature":"./"signature":"x/' "$T/body"
expect 77 feed mg
err_has "signature is not the provider's"

# --- Too old, of a time to come, and as old as the configuration allows
sign_sg "[]" $((now - 25 * 3600))
expect 77 feed sg
err_has "ago"
sign_sg "[]" $((now + 3600))
expect 77 feed sg
sign_mg '{}' old $((now - 7 * 3600))
expect 0 feed mg
sign_mg '{}' older $((now - 9 * 3600))
expect 77 feed mg
providers=${providers/secret_file: hook.key/secret_file: hook.key, max_age: 1h} with ''
sign_mg '{}' older $((now - 2 * 3600))
expect 77 feed mg
with ''

# --- SNS: both signatures, another's topic, a subscription told and not made
sign_ses 'Successfully validated SNS topic' Notification 1
expect 0 feed ses
sign_ses '{}' Notification 2 "$topic-of-another"
expect 77 feed ses
subscribe='https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=t1'
sign_ses 'You have chosen to subscribe' SubscriptionConfirmation 1 "$topic" "$subscribe"
expect 0 feed ses
err_has "open $subscribe"
sign_ses 'You have chosen to subscribe' SubscriptionConfirmation 1 "$topic" 'https://evil.example/?Token=t1'
expect 77 feed ses
sign_ses '{}'
expect 78 feed nocert
err_has 'curl -fo sns.pem https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b2c.pem'
sed -i 's,sns.eu-west-1.amazonaws.com,sns.evil.example,' "$T/body"
expect 77 feed nocert
! grep -q evil "$T/err" || fail "a stranger's URL was shown as one to fetch"

# --- Not configured, not there, not a webhook
sign_mg '{}'
expect 78 feed bare
err_has "'webhook.secret' is not set"
expect 78 feed outbox
expect 64 feed mgg
err_has "mg"
expect 65 pony feedback mg <<<'{"signature":'
expect 65 pony feedback mg </dev/null
sign_basic '[1]'
expect 65 feed pm
expect 64 pony feedback pm -H 'no header' <"$T/body"
expect 64 pony feedback
head -c 12000000 /dev/zero >"$T/body"
expect 65 feed pm
# No secret in anything that was said, or kept.
for text in "$secret" canary-svix-key "$svix_key"; do
  ! grep -rqF "$text" "$SPOOL" "$T/err" || fail "a secret is in the spool"
done

# --- A web server runs it
cgi() { # PROVIDER [NAME=VALUE…]: what was signed last, as CGI
  local -a environment=(GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST "CONTENT_LENGTH=$(stat -c %s "$T/body")") text
  local header
  for header in "${headers[@]}"; do
    [[ $header != -H ]] || continue
    text=${header%%:*}
    text=${text//-/_}
    environment+=("HTTP_${text^^}=${header#*: }")
  done
  # Its end stays open: a server need not close it.
  env -i "${environment[@]}" "${@:2}" "$PONY" --config "$T/pony.yaml" feedback "$1" < <(cat "$T/body"; sleep 3)
}
id=$(send)
sign_rs "{\"type\":\"email.opened\",\"created_at\":\"2026-01-01T00:00:00Z\",\"data\":{\"tags\":{\"pony_id\":\"$id\"}}}"
expect 0 cgi rs
[[ $(head -1 "$T/out") == $'Status: 200 OK\r' ]] || fail "$(cat "$T/out")"
err_is_empty
[[ $(kinds_of "$id") == opened ]] || fail "CGI: $(kinds_of "$id")"
headers=()
expect 77 cgi rs
out_has 'Status: 403'
! grep -qi 'svix\|sign' "$T/out" || fail "a stranger is told what is looked at"
expect 77 cgi pm
out_has 'Status: 401'
out_has 'WWW-Authenticate: Basic'
sign_basic '[1]'
expect 65 cgi pm
out_has 'Status: 400'
expect 78 cgi bare
out_has 'Status: 500'
expect 0 cgi md REQUEST_METHOD=HEAD
out_has 'Status: 200'
expect 0 cgi md REQUEST_METHOD=GET
out_has 'Status: 405'
expect 65 cgi pm CONTENT_LENGTH=99999999999
out_has 'Status: 400'
expect 65 cgi pm CONTENT_LENGTH=-1
printf 'mandrill_events=%%5B%%5D' >"$T/body"
headers=()
expect 0 cgi md
out_has 'Status: 200'

# --- Many at once: each event is there once
id=$(send)
for i in {1..8}; do
  sign_sg "[{\"event\":\"open\",\"email\":\"ann@example.com\",\"timestamp\":$((now - i % 4)),\"pony_id\":\"$id\"}]"
  cp "$T/body" "$T/body$i"
  pony feedback sg "${headers[@]}" <"$T/body$i" 2>/dev/null &
  pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || fail "one of many was not taken"; done
[[ $(kinds_of "$id") == "opened opened opened opened" ]] || fail "of 4 events: $(kinds_of "$id")"

# --- What was taken off the list stays off it, however often it is told
to=back@example.com
id=$(send "$to")
sign_sg "[{\"event\":\"spamreport\",\"email\":\"$to\",\"timestamp\":$now,\"pony_id\":\"$id\"}]"
expect 0 feed sg
is_suppressed "$to" || fail "not suppressed"
sed -i "/$to/d" "$SPOOL/state/suppressions.jsonl"
expect 0 feed sg
! is_suppressed "$to" || fail "an old complaint came back"
sign_sg "[{\"event\":\"spamreport\",\"email\":\"$to\",\"timestamp\":$now,\"pony_id\":\"$id\"} ]"
expect 0 feed sg
! is_suppressed "$to" || fail "an old complaint came back in another body"

# --- Killed at each call that writes: told again, it is there once, and whole
if command -v strace >/dev/null && strace -qq true 2>/dev/null; then
  kills=0
  for call in write pwrite64 fdatasync fsync ftruncate fallocate renameat renameat2; do
    got=1
    for ((k = 1; got != 0; ++k)); do
      to=$call$k@example.com
      id=$(send "$to")
      sign_sg "[{\"event\":\"spamreport\",\"email\":\"$to\",\"timestamp\":$now,\"pony_id\":\"$id\"}]"
      got=0
      { strace -qq -o /dev/null -e inject="$call:signal=KILL:when=$k" \
        "$PONY" --config "$T/pony.yaml" feedback sg "${headers[@]}" <"$T/body" || got=$?; } 2>/dev/null
      ((got == 0)) || ((++kills))
      expect 0 feed sg
      [[ $(kinds_of "$id") == complained ]] || fail "killed at $call $k: $(kinds_of "$id")"
      grep -q "complained.*$id" "$SPOOL"/log/*.jsonl || fail "killed at $call $k: not in the log"
      is_suppressed "$to" || fail "killed at $call $k: not suppressed"
    done
  done
  ((kills >= 8)) || fail "only $kills kills"
  expect 0 pony fsck
fi

# --- A full disk: nothing is said to be taken, and the next try takes it
if mount -t tmpfs -o size=1m tmpfs "$(mktemp -d "$T/full.XXXX")" 2>/dev/null; then
  full=$(echo "$T"/full.*)
  SPOOL=$full/spool with ''
  SPOOL=$full/spool
  id=$(send)
  sign_sg "[{\"event\":\"open\",\"email\":\"ann@example.com\",\"timestamp\":$now,\"pony_id\":\"$id\"}]"
  dd if=/dev/zero of="$full/fill" bs=4k 2>/dev/null || true
  expect 74 feed sg
  rm "$full/fill"
  expect 0 feed sg
  [[ $(kinds_of "$id") == opened ]] || fail "after a full disk: $(kinds_of "$id")"
  expect 0 pony fsck
  umount "$full"
fi
