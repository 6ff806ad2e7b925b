#!/usr/bin/env bash
# pony provider check, for each type: it works, the credentials are wrong,
# nobody is there, nobody answers; as text, as JSON, by exit code. It sends
# nothing.
source "$(dirname "$0")/../support/shell.sh"
/usr/bin/python3 -c 'import jsonschema, aiosmtpd' 2>/dev/null || exit 77
command -v openssl >/dev/null || exit 77

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
  -addext 'subjectAltName=DNS:localhost' \
  -keyout "$T/tls.pem" -out "$T/cert.pem" 2>/dev/null
# start NAME COMMAND…: a server; its port in $port.
start() {
  local name=$1
  shift
  "$@" >"$T/$name.port" 2>"$T/$name.log" &
  background+=($!)
  wait_until grep -q '^port=' "$T/$name.port"
  port=$(sed -n 's/^port=//p' "$T/$name.port")
}
stand_in=("/usr/bin/python3" -B "$PONY_SOURCE/tests/stand_in/stand_in.py"
  --key the-right-key --session-token token --log "$T/requests")
start good "${stand_in[@]}"
good=$port
mkdir "$T/mails"
start smtp /usr/bin/python3 "$PONY_SOURCE/tests/support/smtp_server.py" --port 0 \
  --dump "$T/mails" --starttls "$T/cert.pem" "$T/tls.pem" --auth widgets:the-right-key
smtp=$port
# Takes connections and says nothing: no HTTP, no greeting.
start mute python3 -c '
import socket
s = socket.create_server(("127.0.0.1", 0), backlog=100)
print(f"port={s.getsockname()[1]}", flush=True)
kept = []
while True:
    kept.append(s.accept())'
mute=$port
free=$(free_port)

cat >"$T/program" <<'P'
#!/bin/sh
echo "$@" >>"${0%/*}/asked"
case $1 in
  works) echo "42 credits left" ;;
  wrong) echo "the password is wrong" >&2; exit 3 ;;
  mute) exec sleep 100 ;;
esac
P
chmod +x "$T/program"

types="sendgrid mailgun mandrill ses postmark resend brevo"
{
  echo "spool: $SPOOL"
  echo "providers:"
  for kind in $types; do
    for state in works wrong limited broken mute nowhere; do
      # The stand-in insists on its key; that it is wrong, the host makes it say.
      key=the-right-key host=127.0.0.1:$good
      case $state in
        wrong) host=check-refused.localhost:$good ;;
        limited) host=check-limited.localhost:$good ;;
        broken) host=502-html.localhost:$good ;;
        mute) host=127.0.0.1:$mute ;;
        nowhere) host=127.0.0.1:$free ;;
      esac
      case $kind in
        mailgun) its="domain: mg.widgets.example, api_key: $key" ;;
        ses) its="region: eu-west-1, access_key_id: AKIDEXAMPLE, secret_access_key: $key, session_token: token" ;;
        *) its="api_key: $key" ;;
      esac
      [[ $state == mute ]] && its+=", timeout: 300ms"
      echo "  $kind-$state: {type: $kind, $its, base_url: \"http://$host\", allow_insecure: true}"
    done
  done
  mail="type: smtp, host: localhost, username: widgets, ca_file: cert.pem"
  echo "  smtp-works: {$mail, port: $smtp, password: the-right-key}"
  echo "  smtp-wrong: {$mail, port: $smtp, password: another-key}"
  echo "  smtp-mute: {$mail, port: $mute, password: x, timeout: 300ms, connect_timeout: 300ms}"
  echo "  smtp-nowhere: {$mail, port: $free, password: x}"
  for state in works wrong; do echo "  exec-$state: {type: exec, command: [$T/program, $state]}"; done
  echo "  exec-mute: {type: exec, command: [$T/program, mute], timeout: 300ms}"
  echo "  exec-nowhere: {type: exec, command: [$T/no-such-program]}"
  echo "  sendmail-works: {type: sendmail, command: [/bin/true]}"
  echo "  sendmail-nowhere: {type: sendmail, command: [$T/no-such-program]}"
  echo "  maildir-works: {type: maildir, path: $T/outbox}"
  echo "  maildir-nowhere: {type: maildir, path: /proc/no-such/outbox}"
} | config

# --- all at once, as JSON
expect 69 pony --json provider check
cp "$T/out" "$T/answers"
[[ $(wc -l <"$T/answers") == $(grep -c ': {type:' "$T/pony.yaml") ]] || fail "not one line a provider"
while read -r name works words; do
  state=${name##*-}
  case $state in
    works) [[ $works == true ]] || fail "$name: $works $words" ;;
    limited) continue ;; # each in its own words, see below
    *) [[ $works == false && -n $words ]] || fail "$name: $works $words" ;;
  esac
  case $name in
    maildir-* | sendmail-* | exec-*) ;;
    *-nowhere) [[ $words == *"cannot connect to"*"$free"*"onnection refused"* ]] || fail "$name: $words" ;;
    smtp-mute) [[ $words == *"$mute"*"within 300ms"* ]] || fail "$name: $words" ;;
    *-mute) [[ $words == "no answer from '127.0.0.1:$mute' within 300ms" ]] || fail "$name: $words" ;;
  esac
done < <(jq -r '"\(.name) \(.works) \(.words)"' "$T/answers")
jq -e 'select(.ms < 0 or (.ms | type) != "number" or (.type | in({sendgrid:1,mailgun:1,mandrill:1,ses:1,postmark:1,resend:1,brevo:1,smtp:1,exec:1,sendmail:1,maildir:1}) | not))' \
  "$T/answers" >/dev/null && fail "$(<"$T/answers")"
# A key that may send and not ask is as good as any.
for kind in resend ses; do
  [[ $(jq -c "select(.name == \"$kind-limited\").works" "$T/answers") == true ]] || fail "$kind-limited does not work"
done

# --- one at a time: exit code, words
for kind in $types smtp exec; do
  expect 0 pony provider check "$kind-works"
  grep -Eq "^$kind-works \($kind\): works, [0-9]+ ms" "$T/out" || fail "$(<"$T/out")"
  err_is_empty
  expect 69 pony provider check "$kind-wrong"
  out_has "$kind-wrong ($kind): does not work, "
  expect 69 pony --quiet provider check "$kind-works" "$kind-nowhere"
  [[ $(wc -l <"$T/out") == 1 ]] || fail "--quiet told what works"
  expect 0 pony --quiet provider check "$kind-works"
  [[ ! -s $T/out ]] || fail "--quiet told what works"
done
expect 69 pony provider check exec-wrong
out_has "exited with 3: the password is wrong"
expect 0 pony provider check exec-works
out_has "42 credits left"
expect 64 pony provider check smtp-work
err_has "there is no provider 'smtp-work'"
err_has "smtp-works"
expect 69 pony --json provider check exec-mute
[[ $(jq -c '[.name, .type, .works]' "$T/out") == '["exec-mute","exec",false]' ]] || fail "$(<"$T/out")"

# --- nothing was sent, nothing was written
[[ $(jq -c 'select(.operation != "check")' "$T/requests" | wc -l) == 0 ]] || fail "something was sent"
[[ $(jq -r 'select(.answered == 599) | .bad[]' "$T/requests" | wc -l) == 0 ]] || fail "a request that no provider takes"
[[ $(jq -r .provider "$T/requests" | sort -u | wc -l) == 7 ]] || fail "not all were asked"
[[ -z $(ls "$T/mails") ]] || fail "mail was sent"
! grep -v check "$T/asked" || fail "the program was asked to send"
[[ ! -e $SPOOL ]] || [[ -z $(find "$SPOOL" -name '*.jsonl') ]] || fail "a message"
[[ ! -e $T/outbox/new ]] || [[ -z $(ls "$T/outbox/new") ]] || fail "mail in the Maildir"

# --- a secret that cannot be had; a configuration that is none
sed -i 's/api_key: the-right-key/api_key: "${PONY_TEST_NOT_SET}"/' "$T/pony.yaml"
expect 69 pony provider check sendgrid-works
out_has "PONY_TEST_NOT_SET"
echo 'nonsense: true' >>"$T/pony.yaml"
expect 78 pony provider check sendgrid-works
