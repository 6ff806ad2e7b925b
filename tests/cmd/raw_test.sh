#!/usr/bin/env bash
# Finished messages (RFC 5322) through the house: byte for byte to SMTP, to a
# Maildir and a program, in parts to an API that knows no such thing; what is
# hostile is refused with a reason and stops nobody; 25 MB cost bounded memory.
source "$(dirname "$0")/../support/shell.sh"
source "$PONY_SOURCE/tests/support/smtp_sink.sh"
PATH=$PATH:/usr/sbin:/usr/lib/postfix/sbin command -v smtp-sink >/dev/null || exit 77

# queue_raw FILE [JSON]: FILE is the message; JSON is laid over the rest.
queue_raw() {
  base64 -w0 "$1" | jq -Rc --argjson more "${2:-"{}"}" '{to: ["ann@example.com"], raw: .} + $more' | pony enqueue
}
# wire FILE: as it must arrive, without its blind copies.
wire() { sed -e '/^Bcc:/d' -e 's/$/\r/' "$1"; }

mkdir "$T/dump" && chmod 777 "$T" "$T/dump"
start_sink -d "$T/dump/%H."
bounce=bounces@widgets.example
config <<YAML
spool: $SPOOL
default_from: Site <site@widgets.example>
providers:
  relay: {type: smtp, host: 127.0.0.1, port: $SINK_PORT, tls: off}
  box: {type: maildir, path: $T/box}
  local: {type: sendmail, command: [$T/mta]}
  script: {type: exec, command: [$T/script]}
pools:
  default: {providers: [relay]}
  box: {providers: [box]}
  local: {providers: [local]}
  script: {providers: [script]}
YAML
printf '#!/bin/sh\necho "$@" >%s/mta.args\ncat >%s/mta.mail\n' "$T" "$T" >"$T/mta"
printf '#!/bin/sh\ncat >%s/script.in\necho "{\\"outcome\\":\\"accepted\\"}"\n' "$T" >"$T/script"
chmod +x "$T/mta" "$T/script"

# Everything that a careless relay would touch.
{
  printf 'Received: from a by b\n\tid 1; now\nDKIM-Signature: v=1; a=rsa-sha256;\n\tbh=x;  b=AbC \n\t  dEf\n'
  printf 'From: Cron <cron@widgets.example>\nTo: ann@example.com\nBcc: eve@example.com\n'
  printf 'Subject: =?iso-8859-1?Q?Gr=FC=DFe?= =?utf-8?B?IPCfkYs=?=\nMIME-Version: 1.0\n'
  printf 'Content-Type: multipart/signed; boundary=s; micalg=pgp-sha256; protocol="application/pgp-signature"\n\n'
  printf -- '--s\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\n'
  printf 'Gr\374\337e  \n.\n..dots\nFrom here\n\n--s\nContent-Type: application/pgp-signature\n\nsig\n--s--\n'
} >"$T/signed.eml"

id=$(queue_raw "$T/signed.eml" "{\"from\":\"$bounce\",\"tags\":[\"cron\"]}")
expect 0 pony queue --json
is_subject=$(jq -r .subject "$T/out")
[[ $is_subject == "Grüße 👋" ]] || fail "subject '$is_subject'"
expect 0 pony show "$id"
out_has "subject     Grüße 👋"
out_has "finished    RFC 5322"
pony show --eml "$id" | cmp - <(wire "$T/signed.eml") || fail "--eml is another mail"
! pony show --json "$id" | grep -q '"raw":' || fail "show --json is as large as the mail"
expect 0 pony run
out_has "(1 sent, 0 deferred, 0 failed)"
dumped=("$T"/dump/*)
python3 - "${dumped[0]}" "$T/signed.eml" "$bounce" <<'P'
import sys
got = open(sys.argv[1], "rb").read().replace(b"\r\n", b"\n")
want = open(sys.argv[2], "rb").read().replace(b"Bcc: eve@example.com\n", b"")
assert want in got, got
assert b"X-Mail-Args: <" + sys.argv[3].encode() + b">" in got, got
assert b"BODY=8BITMIME" in got, got
P

# No sender is the null sender, not default_from; its pool is the default one.
for pool in box local script; do queue_raw "$T/signed.eml" "{\"pool\":\"$pool\"}" >/dev/null; done
expect 0 pony queue
out_has "<>"
expect 0 pony run
out_has "(3 sent, 0 deferred, 0 failed)"
{ echo 'Return-Path: <>' && sed '/^Bcc:/d' "$T/signed.eml"; } | cmp - "$T"/box/new/* || fail "the Maildir has another mail"
sed '/^Bcc:/d' "$T/signed.eml" | cmp - "$T/mta.mail" || fail "the MTA got another mail"
[[ $(cat "$T/mta.args") == "-i -f <> -- ann@example.com" ]] || fail "arguments: $(cat "$T/mta.args")"
jq -r .message.raw "$T/script.in" | base64 -d | cmp - <(wire "$T/signed.eml") || fail "the program got another mail"
[[ $(jq -r '[.sender, .message.subject, .message.text] | @json' "$T/script.in") == '["","Grüße 👋","Grüße  \n.\n..dots\nFrom here\n"]' ]] ||
  fail "the program's parts: $(jq -c .message "$T/script.in")"

# A server without 8BITMIME gets 7-bit mail; what is signed is not touched.
mkdir "$T/dump7" && chmod 777 "$T/dump7"
start_sink -8 -d "$T/dump7/%H."
sed -i "s|^pools:|  old: {type: smtp, host: 127.0.0.1, port: $SINK_PORT, tls: off}\n&|" "$T/pony.yaml"
echo '  old: {providers: [old]}' >>"$T/pony.yaml"
printf 'From: a@widgets.example\nSubject: latin\nMIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\nContent-Transfer-Encoding: 8bit\n\nGr\374\337e\n' >"$T/latin.eml"
queue_raw "$T/latin.eml" '{"pool":"old"}' >/dev/null
signed=$(queue_raw "$T/signed.eml" '{"pool":"old"}')
expect 0 pony run
out_has "(1 sent, 1 deferred, 0 failed)"
python3 - "$T"/dump7/* <<'P'
import email, email.policy, sys
data = open(sys.argv[1], "rb").read()
assert data.isascii() and b"BODY=" not in data, data
mail = email.message_from_bytes(data[data.index(b"From: a@"):], policy=email.policy.default)
assert mail.get_content() == "Grüße\n", mail.get_content()
P
pony show "$signed" | grep -q 'a part that cannot be encoded otherwise' || fail "not said why: $(pony show "$signed")"
expect 0 pony cancel "$signed"

# What cannot be said ends in failed/ with the reason, and stops nobody.
printf 'Subject: a\nX-Long: %01200d\n\nhi\n' 0 >"$T/long.eml"
printf 'Subject: nul\n\na\0b\n' >"$T/nul.eml"
head -c 100000 /dev/urandom >"$T/noise.eml"
python3 - "$T" <<'P'
import sys
folder = sys.argv[1]
open(folder + "/header.eml", "wb").write(b"Subject: header\n" + b"X-A: 1\n" * 1_500_000 + b"\nhi\n")
open(folder + "/parts.eml", "wb").write(b"From: a@widgets.example\nSubject: parts\nMIME-Version: 1.0\n"
    b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 100_000 + b"--b--\n")
nested = b"From: a@widgets.example\nSubject: nested\nMIME-Version: 1.0\n"
for i in range(1000):
    nested += b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i)
open(folder + "/nested.eml", "wb").write(nested + b"\nx\n")
P
long=$(queue_raw "$T/long.eml")
for file in nul noise header parts nested; do queue_raw "$T/$file.eml" '{"pool":"script"}' >/dev/null; done
expect 0 pony run
pony show "$long" | grep -q 'header has 12[0-9]* bytes, over 998' || fail "not said why: $(pony show "$long")"
[[ $(pony queue --ids | wc -l) == 0 ]] || fail "something still waits"
expect 65 pony enqueue <<<'{"to":"a@example.com","raw":"no base64!"}'
err_has "raw: is not base64 at byte 10"

# Where GMime is not to be had, who needs parts is skipped, and it is said why.
touch "$T/libgmime-3.0.so.0"
cat >>"$T/pony.yaml" <<'YAML'
  parts: {providers: [parts]}
YAML
sed -i 's|^pools:|  parts: {type: postmark, api_key: x}\n&|' "$T/pony.yaml"
base64 -w0 "$T/signed.eml" | jq -Rc '{to: ["ann@example.com"], raw: .}' >"$T/signed.json"
LD_LIBRARY_PATH=$T expect 69 pony send --dry-run --as parts "$T/signed.json"
err_has "cannot be read in parts: cannot open 'libgmime-3.0.so.0'"
err_has "install GMime 3"
expect 0 pony send --dry-run --as parts "$T/signed.json"
out_has '"Subject":"Grüße 👋"'
err_has "parts would carry it reduced: its signature"
expect 0 pony send --dry-run "$T/signed.json"
cmp "$T/out" <(wire "$T/signed.eml") || fail "--dry-run is another mail"

# A wish for no notifications is kept and shown, a wrong one is refused.
id=$(queue_raw "$T/signed.eml" '{"pool":"box","dsn":{"notify":"never","return":"headers"}}')
[[ $(pony show --json "$id" | jq -c .message.dsn) == '{"notify":"never","return":"headers"}' ]] || fail "the wish is lost"
expect 0 pony run
expect 65 queue_raw "$T/signed.eml" '{"dsn":{"notify":"sometimes"}}'
err_has "dsn.notify: 'sometimes' is not known"
expect 65 queue_raw "$T/signed.eml" '{"subject":"another"}'
err_has "'raw' is a finished message, which has its own"

# 25 MB: what is asked of memory stays a small multiple of it.
{
  printf 'From: a@widgets.example\nTo: ann@example.com\nSubject: large\nMIME-Version: 1.0\n'
  printf 'Content-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n'
  head -c 18000000 /dev/urandom | base64 -w76
} >"$T/large.eml"
queue_raw "$T/large.eml" '{"pool":"box"}' >/dev/null
rm "$T"/box/new/*
rss=$(python3 - "$PONY" --config "$T/pony.yaml" --quiet run <<'P'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
P
) || fail "the large one is not sent"
{ echo 'Return-Path: <>' && cat "$T/large.eml"; } | cmp - "$T"/box/new/* || fail "the large mail is another"
echo "peak RSS with $(stat -c %s "$T/large.eml") bytes: $rss KiB"
((rss < 300000)) || fail "$rss KiB"
