#!/usr/bin/env bash
# A message is one mail, whoever carries it and however often it is tried: what
# `show --eml` shows is, byte for byte, what was sent. Bcc is in the envelope
# and never in the mail.
source "$(dirname "$0")/../support/shell.sh"
server=$PONY_SOURCE/tests/support/smtp_server.py
/usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || exit 77

# A server that takes the first mail and hangs up before it says so; a sendmail
# that keeps what it gets and is busy the first time.
mkdir "$T/smtp" "$T/sendmail"
/usr/bin/python3 "$server" --port 0 --dump "$T/smtp" --drop-after-dot 1 \
  >"$T/smtp.port" 2>"$T/smtp.log" &
background+=($!)
wait_until grep -q '^port=' "$T/smtp.port"
cat >"$T/sendmail.sh" <<SH
#!/bin/sh
if [ -e "$T/sendmail/1.eml" ]; then
  cat >"$T/sendmail/2.eml"
else
  cat >"$T/sendmail/1.eml"
  exit 75
fi
SH
chmod +x "$T/sendmail.sh"
config <<YAML
spool: $SPOOL
providers:
  relay: {type: smtp, host: 127.0.0.1, port: $(sed 's/^port=//' "$T/smtp.port"), tls: off}
  local: {type: sendmail, command: [$T/sendmail.sh, -i]}
  outbox: {type: maildir, path: $T/outbox}
pools:
  default: {providers: [relay]}
  local: {providers: [local]}
  outbox: {providers: [outbox]}
YAML

cat >"$T/message.json" <<'EOF'
{"from":{"name":"Bücher, Mehr","email":"laden@bücher.example"},"to":["Ann <ann@example.com>"],"bcc":["Spy <spy@hidden.example>"],"reply_to":{"name":"Help, please","email":"help@example.com"},"subject":"Grüße aus dem Laden","text":"Hi\n.\nFrom here\n","html":"<p>Grüße</p>","headers":{"X-Order":"4711","List-Unsubscribe":"<https://example.com/u?t=1>"},"attachments":[{"filename":"März.txt","content_type":"text/plain","content":"SGk="}]}
EOF
# queue POOL: the message, its id in $id, its mail in $T/shown.eml.
queue() {
  id=$(pony enqueue --pool "$1" "$T/message.json")
  expect 0 pony show --eml "$id"
  cp "$T/out" "$T/shown.eml"
}
is_the_mail() { cmp "$1" "$2" >&2 || fail "$1 is not what was shown"; }
has_no_bcc() { ! grep -rlq 'hidden.example' "$@" || fail "Bcc is in the mail"; }
# settle: the first try goes wrong, the second does not; the mail is the same.
settle() {
  expect 0 pony run
  out_has "(0 sent, 1 deferred, 0 failed)"
  expect 0 pony show --eml "$id"
  is_the_mail "$T/out" "$T/shown.eml"
  expect 0 pony retry "$id"
  expect 0 pony run
  out_has "(1 sent, 0 deferred, 0 failed)"
  expect 0 pony show --eml "$id"
  is_the_mail "$T/out" "$T/shown.eml"
}

# By SMTP: the copy whose receipt got lost, and the second one.
queue default
settle
is_the_mail "$T/smtp/000001.eml" "$T/shown.eml"
is_the_mail "$T/smtp/000002.eml" "$T/shown.eml"
grep -q 'spy@hidden.example' "$T/smtp/000002.json" || fail "the blind copy was not addressed"
has_no_bcc "$T/smtp/"*.eml

# It has what the message asked for, and the hour at which it was accepted.
for line in "Message-ID: <$id@xn--bcher-kva.example>" \
  'Reply-To: "Help, please" <help@example.com>' 'X-Order: 4711' \
  'List-Unsubscribe: <https://example.com/u?t=1>'; do
  grep -qxF "$line"$'\r' "$T/shown.eml" || fail "not in the mail: $line"
done
accepted=$(pony show --json "$id" | jq -r '.created_at')
sent=$(sed -n 's/^Date: \(.*\)\r$/\1/p' "$T/shown.eml")
[[ $(date -d "$sent" +%s) == $(date -d "$accepted" +%s) ]] ||
  fail "the date is $sent, but it was accepted at $accepted"

# By sendmail, whose lines end as this machine's do.
queue local
settle
tr -d '\r' <"$T/shown.eml" >"$T/lines.eml"
is_the_mail "$T/sendmail/1.eml" "$T/lines.eml"
is_the_mail "$T/sendmail/2.eml" "$T/lines.eml"
has_no_bcc "$T/sendmail"

# Into a maildir: the same, behind a Return-Path.
queue outbox
expect 0 pony run
tr -d '\r' <"$T/shown.eml" >"$T/lines.eml"
tail -n +2 "$T/outbox/new/"* >"$T/filed.eml"
is_the_mail "$T/filed.eml" "$T/lines.eml"
has_no_bcc "$T/outbox"
