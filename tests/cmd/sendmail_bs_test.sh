#!/usr/bin/env bash
# sendmail -bs: the SMTP dialogue that Symfony, Swift Mailer and others hold
# on standard input and output, by swaks, by Python, and by hand.
source "$(dirname "$0")/../support/shell.sh"
source "$(dirname "$0")/../support/sendmail.sh"
command -v python3 >/dev/null || exit 77

# By hand, with LF alone; two mails in one session.
fresh
expect 0 sendmail -bs <<'SMTP'
EHLO localhost
MAIL FROM:<shop@widgets.example>
RCPT TO:<ann@example.com>
RCPT TO:<a@@b>
RCPT TO:<root>
DATA
To: ann@example.com
Bcc: secret@example.com
Subject: one

..dot
.
MAIL FROM:<>
RCPT TO:<bob@example.org> NOTIFY=NEVER
DATA
Subject: two

.
QUIT
SMTP
err_is_empty
is "$(cut -c1-3 "$T/out" | tr '\n' ' ')" \
  "220 250 250 250 250 250 250 250 250 250 250 553 250 354 250 250 250 354 250 221 "
[[ $(count_in new) == 2 && $(count_in held) == 1 ]] || fail "not two mails and one held"
for id in $(pony queue --ids); do
  grep -q "^250 2.0.0 Ok: queued as .*$id" "$T/out" || fail "$id was not answered"
done
one=$(pony queue --from shop@widgets.example --state new --ids)
jq -rs '.[0].raw' "$SPOOL/new/$one.jsonl" | base64 -d | tr -d '\r' >"$T/mail"
grep -q '^\.dot$' "$T/mail" || fail "the dot is still stuffed"
grep -q '^Bcc' "$T/mail" && fail "Bcc is still there"
cat "$SPOOL"/new/*.jsonl | jq -r '.dsn.notify? // empty' | grep -q never || fail "NOTIFY is lost"

# A bare LF in a session with CRLF ends no mail and begins no other.
fresh
printf 'EHLO x\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\nSubject: x\r\n\r\nHi\n.\nMAIL FROM:<eve@example.com>\nRCPT TO:<eve@example.com>\nDATA\nSubject: y\r\n.\r\nQUIT\r\n' |
  sendmail -bs >"$T/out"
is "$(grep -c '^354' "$T/out")" 1
[[ $(count_in new) == 1 ]] || fail "a mail was smuggled"

# A spool that fails: 451, never 250.
: >"$T/file"
printf 'spool: %s\norigin: web1.widgets.example\n' "$T/file" | config
printf 'EHLO x\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n\r\n.\r\nQUIT\r\n' |
  sendmail -bs >"$T/out" 2>"$T/err"
grep -q '^451 4\.3\.0 ' "$T/out" || { cat "$T/out" >&2; fail "no 451"; }
[[ -s $T/err ]] || fail "nothing was said on standard error"
settings

# A client that leaves in the middle of a mail.
fresh
expect 65 sendmail -bs <<<$'EHLO x\nMAIL FROM:<a@b.example>\nRCPT TO:<c@d.example>\nDATA\nhalf a mail'
nothing_queued

# Python, as a client that waits for each answer.
fresh
python3 - "$T/bin/sendmail" <<'PYTHON'
import smtplib, subprocess, sys

class Pipe(smtplib.SMTP):
    """smtplib over a program's standard input and output."""
    def _get_socket(self, host, port, timeout):
        self.child = subprocess.Popen([sys.argv[1], "-bs", "-i"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        pipe = self
        class Socket:
            def sendall(self, data):
                pipe.child.stdin.write(data); pipe.child.stdin.flush()
            def makefile(self, mode):
                return pipe.child.stdout
            def close(self):
                pipe.child.stdin.close()
        return Socket()

smtp = Pipe("pipe", 25)
smtp.ehlo("client.example")
assert smtp.has_extn("8bitmime") and smtp.has_extn("smtputf8") and smtp.has_extn("dsn"), smtp.esmtp_features
text = "From: a@example.com\r\nSubject: x\r\n\r\n.\r\n..\r\n" + "line\r\n" * 20000
refused = smtp.sendmail("a@example.com", ["b@example.com", "bad@@x"], text, mail_options=["BODY=8BITMIME"])
assert list(refused) == ["bad@@x"] and refused["bad@@x"][0] == 553, refused
try:
    smtp.sendmail("a@example.com", ["b@example.com"], "x", mail_options=["SIZE=99999999"])
    raise SystemExit("SIZE was not refused")
except smtplib.SMTPSenderRefused as error:
    assert error.smtp_code == 552, error
smtp.quit()
assert smtp.child.wait() == 0
PYTHON
[[ $(count_in new) == 1 ]] || fail "Python's mail was not queued"
mail_in new | tr -d '\r' | grep -A1 '^\.$' | grep -q '^\.\.$' || fail "dots are not as they were"

# swaks, if it is there.
if command -v swaks >/dev/null; then
  fresh
  swaks --pipe "$T/bin/sendmail -bs" --from shop@widgets.example \
    --to ann@example.com,bob@example.org --header 'Subject: swaks' --body 'Hi' \
    --hide-all >"$T/out" 2>&1 || { cat "$T/out" >&2; fail "swaks failed"; }
  is "$(envelope)" "shop@widgets.example ann@example.com bob@example.org"
fi

# Any bytes.
fresh
head -c 1000000 /dev/urandom | sendmail -bs >"$T/out" 2>"$T/err" || fail "exit code $?"
nothing_queued
