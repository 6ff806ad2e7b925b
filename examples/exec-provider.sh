#!/bin/sh
# A provider for pony: posts each message to an HTTP API that speaks JSON.
#   mine: {type: exec, command: [/path/to/exec-provider.sh, URL, FILE]}
# FILE has the header with the key: Authorization: Bearer KEY
url=$1 key_file=$2

case $3 in
name) echo 'an HTTP API' ;;
check)
  curl -fsS -m 10 -o /dev/null -H @"$key_file" "$url" && echo "$url answers"
  ;;
send)
  job=$(cat)
  key=$(printf '%s' "$job" | jq -r .idempotency_key)
  body=$(printf '%s' "$job" | jq -c '{to: .recipients} + (.message |
    {from: .from.email, subject, text, html})') || exit 75
  # The last line of the reply becomes: status, seconds of Retry-After.
  reply=$(printf '%s' "$body" | curl -sS -m 50 --data-binary @- \
    -H @"$key_file" -H "Idempotency-Key: $key" \
    -H 'Content-Type: application/json' \
    -w '\n%{http_code} %header{retry-after}' "$url")
  code=$? last=$(printf '%s' "$reply" | tail -n 1)
  case $code:$last in
  0:2*) outcome=accepted ;;
  0:400* | 0:413* | 0:422*) outcome=rejected ;; # this message, for good
  0:429*) outcome=throttled ;;
  0:504*) outcome=unknown ;; # a gateway's word: it may have been taken
  0:[345]* | [567]:* | 35:* | 60:*) outcome=unavailable ;; # or not connected
  *) outcome=unknown ;;
  esac
  printf '%s' "$reply" | sed '$d' |
    jq -cRs --arg outcome "$outcome" --arg last "$last" '
      ((fromjson? | objects) // {}) as $reply |
      {$outcome, provider_id: $reply.id,
       error: ($reply.message // "HTTP \($last)"),
       retry_after: ($last | split(" ")[1] // "" | tonumber? // null)}'
  ;;
*) exit 64 ;;
esac
