#!/usr/bin/env bash
# Delivery to real SMTP servers: STARTTLS and AUTH, what arrives read by a
# stranger, failover between two servers, one verdict a recipient, an answer
# that never comes.
source "$(dirname "$0")/../support/shell.sh"
server=$PONY_SOURCE/tests/support/smtp_server.py
/usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || exit 77

# serve NAME OPTION…: a server that dumps into $T/NAME; its port in $port.
serve() {
  local name=$1
  shift
  mkdir -p "$T/$name"
  /usr/bin/python3 "$server" --port 0 --dump "$T/$name" "$@" >"$T/$name.port" 2>"$T/$name.log" &
  background+=($!)
  wait_until grep -q '^port=' "$T/$name.port"
  port=$(sed -n 's/^port=//p' "$T/$name.port")
}
mails() { find "$T/$1" -name '*.eml' | wc -l; }

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
  -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' \
  -keyout "$T/key.pem" -out "$T/cert.pem" 2>/dev/null

serve tls --starttls "$T/cert.pem" "$T/key.pem" --auth widgets:secret-word --smtputf8
tls_port=$port
printf 'secret-word\n' >"$T/relay.key"
chmod 600 "$T/relay.key"
config <<YAML
spool: $SPOOL
templates: $PONY_SOURCE/templates
default_from: Widget Team <team@widgets.example>
providers:
  relay: {type: smtp, host: localhost, port: $tls_port, username: widgets, password_file: relay.key, ca_file: cert.pem}
YAML

# What was enqueued is what arrives.
cat >"$T/in.jsonl" <<'EOF'
{"to":["Ann <ann@example.com>",{"name":"Jürgen \"J\" Müller, jr.","email":"juergen@bücher.example"}],"cc":["Copy <cc@example.com>"],"bcc":["blind@example.com"],"reply_to":"help@widgets.example","subject":"Grüße, 世界: a rather long subject that has to be folded somewhere between its words 👋","text":".a dot first\nand ümlauts\n.\nFrom the end\n","html":"<p>Grüße <img src=\"cid:logo\"></p>","headers":{"X-Campaign":"spring"},"attachments":[{"filename":"Übersicht 2026.pdf","content_type":"application/pdf","content":"JVBERi0xLjQK"},{"filename":"logo.png","content_type":"image/png","content":"iVBORw0KGgo=","cid":"logo"}]}
{"to":"ann@example.com","template":"receipt","lang":"es-MX","replacements":{"name":"Ann <b>","order":"A-1","date":"2026-11-21","items":[{"name":"caballo $25","price":25}],"total":"25.00","currency":"MXN","team":"Widget Team","support_email":"help@widgets.example"}}
{"to":"用户@example.com","subject":"UTF-8 local part","text":"x"}
EOF
expect 0 pony enqueue "$T/in.jsonl"
# As PHP's mail() writes it: a header that only RFC 6531 allows.
printf 'From: a@example.com\nSubject: Raw Grüße\n\nx\n' | base64 -w0 |
  jq -Rc '{from: "a@example.com", to: ["ann@example.com"], raw: .}' >"$T/raw.json"
expect 0 pony enqueue "$T/raw.json"
expect 0 pony run
out_has "(4 sent, 0 deferred, 0 failed)"
python3 - "$T/tls" <<'P'
import email, email.policy, json, pathlib, sys
folder = pathlib.Path(sys.argv[1])
mails = {}
for path in sorted(folder.glob("*.eml")):
    mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    envelope = json.loads(path.with_suffix(".json").read_text())
    for part in mail.walk():
        assert not part.defects, (path, part.defects)
    mails[str(mail["subject"]).split(",")[0].split(":")[0]] = (mail, envelope, path.read_bytes())
mail, envelope, raw = mails["Grüße"]
assert mail["subject"] == "Grüße, 世界: a rather long subject that has to be folded somewhere between its words 👋", mail["subject"]
assert envelope["mail_from"] == "team@widgets.example", envelope
assert set(envelope["rcpt_tos"]) == {"ann@example.com", "juergen@xn--bcher-kva.example", "cc@example.com", "blind@example.com"}, envelope
assert b"blind@example.com" not in raw
assert mail["to"].addresses[1].display_name == 'Jürgen "J" Müller, jr.', mail["to"]
assert mail["reply-to"] == "help@widgets.example" and mail["x-campaign"] == "spring"
assert mail.get_body(("plain",)).get_content().replace("\r\n", "\n") == ".a dot first\nand ümlauts\n.\nFrom the end\n"
assert "Grüße" in mail.get_body(("html",)).get_content()
files = {part.get_filename(): part.get_payload(decode=True) for part in mail.walk() if part.get_filename()}
assert files["Übersicht 2026.pdf"] == b"%PDF-1.4\n", files
assert files["logo.png"].startswith(b"\x89PNG")
assert raw.isascii()
receipts = [m for subject, m in mails.items() if "A-1" in subject or "recibo" in subject.lower() or "pedido" in subject.lower()]
(mail, envelope, raw), = receipts
html, text = mail.get_body(("html",)).get_content(), mail.get_body(("plain",)).get_content()
assert "Ann &lt;b&gt;" in html and "Ann <b>" in text
assert "caballo $25: $25.00" in text and "21 de noviembre de 2026" in text, text
mail, envelope, raw = mails["UTF-8 local part"]
assert envelope["rcpt_tos"] == ["用户@example.com"], envelope
mail, envelope, raw = next(m for m in mails.values() if "Raw Grüße".encode() in m[2])
assert "SMTPUTF8" in envelope["mail_options"], envelope
P

# The secret is nowhere to be seen.
expect 0 pony config show
! grep -r "secret-word" "$SPOOL" "$T/out" "$T/err" || fail "the password is shown"

# Wrong CA, wrong password, STARTTLS stripped: never in the clear, deferred.
for change in 's|, ca_file: cert.pem||' "s|password_file: relay.key|password: wrong|" ; do
  cp "$T/pony.yaml" "$T/good.yaml"
  sed -i "$change" "$T/pony.yaml"
  id=$(pony enqueue --to ann@example.com --subject Hi --text x)
  expect 0 pony run
  out_has "(0 sent, 1 deferred, 0 failed)"
  expect 0 pony cancel "$id"
  cp "$T/good.yaml" "$T/pony.yaml"
done
serve plain
sed -i "s|port: $tls_port|port: $port|" "$T/pony.yaml"
id=$(pony enqueue --to ann@example.com --subject Hi --text x)
expect 0 pony run
out_has "(0 sent, 1 deferred, 0 failed)"
[[ $(mails plain) == 0 ]] || fail "sent in the clear"
expect 0 pony cancel "$id"

# The first server is down, the second takes it; a recipient that is refused
# does not take the others with it.
serve picky --refuse-rcpt 'nobody@.*:550' --refuse-rcpt 'busy@.*:451'
picky_port=$port
serve second
config <<YAML
spool: $SPOOL
default_from: team@widgets.example
providers:
  first: {type: smtp, host: 127.0.0.1, port: $(free_port), tls: off}
  picky: {type: smtp, host: 127.0.0.1, port: $picky_port, tls: off}
  second: {type: smtp, host: 127.0.0.1, port: $port, tls: off}
YAML
id=$(pony enqueue --to ann@example.com --to nobody@example.com --to busy@example.com --subject Hi --text x)
expect 0 pony run
file=$SPOOL/sent/$(date -u +%F)/$id.jsonl
[[ -f $file ]] || fail "not sent"
jq -es '[.[] | select(.event == "attempted") | [.provider, .outcome]] ==
        [["first","unavailable"],["picky","accepted"],["second","accepted"]]' "$file" >/dev/null || { cat "$file"; fail "attempts"; }
tail -1 "$file" | jq -e '.recipients | length == 1 and .[0].email == "nobody@example.com" and .[0].outcome == "rejected"' >/dev/null ||
  fail "the sent event does not name who was refused"
jq -e '.rcpt_tos == ["ann@example.com"]' "$T"/picky/*.json >/dev/null || fail "picky got the wrong recipients"
jq -e '.rcpt_tos == ["busy@example.com"]' "$T"/second/*.json >/dev/null || fail "second got the wrong recipients"

# The answer never comes: unknown, no second provider; on_unknown decides.
for policy in retry hold fail; do
  sed -i '/^on_unknown/d' "$T/pony.yaml"
  rm -rf "$T/silent-spool"
  serve "silent-$policy" --drop-after-dot 1
  config <<YAML
spool: $T/silent-spool
default_from: team@widgets.example
on_unknown: $policy
providers:
  silent: {type: smtp, host: 127.0.0.1, port: $port, tls: off}
  second: {type: smtp, host: 127.0.0.1, port: $picky_port, tls: off}
YAML
  before=$(mails picky)
  id=$(pony enqueue --to ann@example.com --subject Hi --text x)
  expect 0 pony run
  [[ $(mails picky) == "$before" ]] || fail "a second provider was tried after unknown"
  case $policy in
    retry) find "$T/silent-spool/deferred" -name "$id.jsonl" | grep -q . || fail "not deferred" ;;
    hold) [[ -f $T/silent-spool/held/$id.jsonl ]] || fail "not held" ;;
    fail) find "$T/silent-spool/failed" -name "$id.jsonl" | grep -q . || fail "not failed" ;;
  esac
  if [[ $policy == retry ]]; then
    # Later the other one is asked first, with the same Message-ID: who
    # swallowed one answer may swallow the next.
    expect 0 pony retry "$id"
    expect 0 pony run
    [[ $(mails "silent-$policy") == 1 ]] || fail "asked again who did not answer"
    [[ $(mails picky) == $((before + 1)) ]] || fail "not sent by the other one"
    own=$(grep -rhi '^Message-ID: ' "$T/silent-$policy")
    grep -rhiF "$own" "$T/picky" >/dev/null || fail "another Message-ID"
  fi
done
