#!/usr/bin/env bash
# No secret is ever seen: every command that deals with providers is run with
# secrets from every source, against servers that take them, refuse them and
# quote them in every spelling; then all that pony said, wrote and started is
# searched for them, and for any eight characters in a row of them.
source "$(dirname "$0")/support/shell.sh"
/usr/bin/python3 -c 'import jsonschema, aiosmtpd' 2>/dev/null || exit 77
command -v openssl >/dev/null || exit 77
support=$PONY_SOURCE/tests/support

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
  -addext 'subjectAltName=DNS:localhost' \
  -keyout "$T/tls.pem" -out "$T/cert.pem" 2>/dev/null
SEEN=$T/seen # all that pony says, and what it starts is started with
mkdir "$SEEN" "$T/keys"

# start NAME COMMAND…: a server; its port in $port.
start() {
  local name=$1
  shift
  rm -f "$T/$name.port"
  "$@" >"$T/$name.port" 2>"$T/$name.log" &
  background+=($!)
  wait_until grep -q '^port=' "$T/$name.port"
  port=$(sed -n 's/^port=//p' "$T/$name.port")
}
# told CODE COMMAND…: like expect; what it says is kept for the search.
steps=0
told() {
  expect "$@"
  printf -v step '%03d' $((++steps))
  cp "$T/out" "$SEEN/$step.out"
  cp "$T/err" "$SEEN/$step.err"
}
search() {
  python3 "$support/find_secrets.py" "$T"/keys/* -- "$@" || fail "a secret is seen"
}

# What pony starts tells how it was started: arguments, input, limits. (It does
# inherit the environment, as pony.yaml(5) says.) One that is called with "send"
# is an exec provider.
cat >"$T/child" <<'C'
#!/usr/bin/env bash
name=$(basename "$0").$BASHPID
tr '\0' ' ' </proc/$PPID/cmdline >"$SEEN_BY_CHILD/$name.parent"
grep core /proc/$PPID/limits >"$SEEN_BY_CHILD/$name.limits"
echo "$@" >"$SEEN_BY_CHILD/$name.argv"
cat >"$SEEN_BY_CHILD/$name.stdin"
[[ ${!#} != send ]] || echo '{"outcome":"accepted","provider_id":"x"}'
C
chmod +x "$T/child"
for name in hook mta script; do ln -s child "$T/$name"; done
export SEEN_BY_CHILD=$SEEN/children
mkdir "$SEEN_BY_CHILD"

# configure QUOTING QUOTING_SMTP STAND_IN SMTP FREE: every type, by every
# server. JSON is YAML.
configure() {
  python3 - "$T" "$SPOOL" "$PONY_SOURCE" "$@" <<'P'
import json, os, pathlib, sys
T, spool, source, quoting, quoting_smtp, stand_in, smtp, free = sys.argv[1:]
key = pathlib.Path(T, "keys/key").read_text().rstrip("\n")
secrets = {  # a type: one of the sources of secrets
    "sendgrid": {"api_key": "${CANARY_KEY}"},
    "mailgun": {"domain": "mg.widgets.example", "api_key_file": "keys/key"},
    "mandrill": {"api_key_file": "credential"},
    "ses": {"region": "eu-west-1", "access_key_id": "${CANARY_ACCESS}",
            "secret_access_key_command": ["/bin/cat", T + "/keys/key"],
            "session_token_file": "keys/token"},
    "postmark": {"api_key": key.replace("${", "$${")},
    "resend": {"api_key": "${CANARY_LEFT}${CANARY_RIGHT}"},
    "brevo": {"api_key_command": ["/bin/cat", T + "/keys/key"]},
}
spellings = ("json json400 slashes unicode twice broken plain escaped percent "
             "plus base64 html entities header id long-id reason echo "
             "echo-json no-http bad-header cut-180 cut-190 cut-470 cut-495 "
             "cut-970 cut-990").split()
behaviours = "success secret 401 400-html 500 close-after-body 301 garbage".split()
providers = {}
for kind, its in secrets.items():
    def add(name, url, **more):
        providers[f"{kind}-{name}"] = {
            "type": kind, **its, "base_url": url, "allow_insecure": True,
            "timeout": "10s", **more}
    for spelling in spellings:
        add(spelling, f"http://{spelling}.localhost:{quoting}")
    for behaviour in behaviours:
        host = {"success": "127.0.0.1", "401": "check-refused.localhost"}.get(
            behaviour, f"{behaviour}.localhost")
        add("s-" + behaviour, f"http://{host}:{stand_in}")
    add("unreachable", f"http://127.0.0.1:{free}")
    add("nowhere", "http://nowhere.invalid")
    add("wrong", f"http://127.0.0.1:{stand_in}")
    for name in [n for n in its if n.startswith(("api_key", "secret_access"))]:
        del providers[f"{kind}-wrong"][name]
        providers[f"{kind}-wrong"][name.removesuffix("_command").removesuffix("_file")] = "${CANARY_WRONG}"
mail = {"type": "smtp", "host": "localhost", "username": "widgets", "ca_file": "cert.pem"}
providers["smtp-s-success"] = {**mail, "port": int(smtp), "password_file": "keys/password"}
providers["smtp-wrong"] = {**mail, "port": int(smtp), "password": "${CANARY_WRONG}"}
providers["smtp-quoting"] = {**mail, "port": int(quoting_smtp), "tls": "implicit",
                             "password": "${CANARY_PASSWORD}"}
providers["smtp-unreachable"] = {**mail, "port": int(free), "password": "${CANARY_PASSWORD}"}
providers["smtp-untrusted"] = {**mail, "port": int(smtp), "ca_file": "other.pem",
                               "password": "${CANARY_PASSWORD}"}
providers["exec-script"] = {"type": "exec", "command": [T + "/script"]}
providers["exec-none"] = {"type": "exec", "command": [T + "/no-such-program"]}
providers["mta"] = {"type": "sendmail", "command": [T + "/mta"]}
hook = [T + "/hook"]
document = {
    "spool": spool, "templates": source + "/templates",
    "default_from": "team@widgets.example", "providers": providers,
    "pools": {"default": {"providers": ["mta"]},
              **{name: {"providers": [name]} for name in providers}},
    "hooks": {"on_sent": hook, "on_failed": hook, "on_breaker": hook}}
pathlib.Path(T, "pony.yaml").write_text(json.dumps(document, indent=1, ensure_ascii=False))
pathlib.Path(T, "messages.jsonl").write_text("".join(
    json.dumps({"to": "ann@example.com", "subject": name, "text": "x",
                "pool": name}) + "\n" for name in providers))
pathlib.Path(T, "providers").write_text("".join(n + "\n" for n in providers))
P
  chmod 600 "$T/pony.yaml"
}

# Who sends at once too; once is enough for most.
declare -A now=([long]='-s-|smtp|exec|mta|unreach|cut-4' [short]='s-secret|ses-s' [huge]='-s-success|s-secret')
# The key in three lengths, each with all that is written differently somewhere.
for length in long short huge; do
  python3 - "$T/keys" $length <<'P'
import pathlib, random, string, sys
odd = '"\\%+/&<=\'2B`$ ' if sys.argv[2] != "short" else '"+'
size = {"long": 70, "short": 7, "huge": 3000}[sys.argv[2]]
def secret(odd, size):
    text = list(odd) + random.choices(string.ascii_letters + string.digits, k=size - len(odd))
    random.shuffle(text)
    return "Z" + "".join(text) + "z"  # no blank at an end
folder = pathlib.Path(sys.argv[1])
for name in ("key", "wrong", "password"):
    size = min(size, 200) if name == "password" else size
    folder.joinpath(name).write_text(secret(odd, size) + "\n")
folder.joinpath("token").write_text(secret("+/=", 300) + "\n")
folder.joinpath("access").write_text(secret("", 20) + "\n")
P
  chmod 600 "$T"/keys/*
  mkdir -p "$T/credentials"
  cp "$T/keys/key" "$T/credentials/credential"
  key=$(<"$T/keys/key")
  export CANARY_KEY=$key CANARY_LEFT=${key:0:3} CANARY_RIGHT=${key:3}
  export CANARY_ACCESS=$(<"$T/keys/access") CANARY_WRONG=$(<"$T/keys/wrong")
  export CANARY_PASSWORD=$(<"$T/keys/password") CREDENTIALS_DIRECTORY=$T/credentials
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other \
    -keyout /dev/null -out "$T/other.pem" 2>/dev/null

  export QUOTED=$T/keys/key:$T/keys/token:$T/keys/access
  start quoting /usr/bin/python3 "$support/quoting_server.py" http
  quoting=$port
  start quoting-smtp /usr/bin/python3 "$support/quoting_server.py" smtp "$T/cert.pem" "$T/tls.pem"
  quoting_smtp=$port
  start stand-in /usr/bin/python3 -B "$PONY_SOURCE/tests/stand_in/stand_in.py" \
    --key "$key" --session-token "$(<"$T/keys/token")" --access-key-id "$CANARY_ACCESS" \
    --log "$T/requests.$length"
  stand_in=$port
  mkdir -p "$T/mails"
  start smtp /usr/bin/python3 "$support/smtp_server.py" --port 0 --dump "$T/mails" \
    --starttls "$T/cert.pem" "$T/tls.pem" --auth "widgets:$(<"$T/keys/password")"
  configure "$quoting" "$quoting_smtp" "$stand_in" "$port" "$(free_port)"

  # --- what asks only
  told 0 pony config check
  told 0 pony config check --secrets
  told 0 pony config show
  told 0 pony --json config show
  told 0 pony provider list
  told 0 pony --json provider list
  told 69 pony provider check
  told 69 pony --json --verbose provider check
  [[ $(jq -c 'select((.name | endswith("-s-success")) and .works)' "$T/out" | wc -l) == 8 ]] || fail "the check of a good key"
  while read -r name; do
    told 0 pony send --dry-run --as "$name" --to ann@example.com --subject Hi --text x
    grep -q . "$T/out" || fail "no request is shown"
  done < <(grep -E -- '-s-success|-script|mta' "$T/providers")

  # --- what sends
  told 0 pony enqueue "$T/messages.jsonl"
  if command -v strace >/dev/null; then
    told 0 strace -f -s 100000 -e trace=execve,prctl,prlimit64,setrlimit -o "$SEEN/strace.$length" \
      "$PONY" --config "$T/pony.yaml" --verbose run
    grep -q 'prctl(PR_SET_DUMPABLE, SUID_DUMP_DISABLE)' "$SEEN/strace.$length" || fail "a core file could be made"
  else
    told 0 pony --verbose run
  fi
  while read -r name; do
    code=0
    pony send --pool "$name" --to ann@example.com --subject "now $name" --text x >"$SEEN/send.$name.$length" 2>&1 || code=$?
    [[ $code == 0 || $code == 69 || $code == 75 ]] || fail "pony send by $name: $code"
    [[ $name != *-s-success || $code == 0 ]] || { cat "$SEEN/send.$name.$length"; fail "$name does not send"; }
  done < <(grep -E -- "${now[$length]}" "$T/providers")
  find "$SPOOL" -name '*.jsonl' -path '*ed/*' -printf '%f\n' | sed -n '1,3s/.jsonl//p' >"$T/ids"
  for command in "queue" "--json queue" "queue --state failed" "queue --summary" "events" "--json events" \
    "report --by provider" "report --by reason" "--json report --by reason" "fsck" "provider list" "--json provider list"; do
    # shellcheck disable=SC2086
    told 0 pony $command
  done
  while read -r id; do
    told 0 pony show "$id"
    told 0 pony --json show "$id"
    told 0 pony show --eml "$id"
  done <"$T/ids"
  mapfile -t failed < <(find "$SPOOL/failed" -name '*.jsonl' -printf '%f\n' | sed 's/.jsonl//')
  told 0 pony retry "${failed[@]}"
  told 0 pony run
  # A run of which nothing becomes says more.
  told 0 pony enqueue "$T/messages.jsonl"
  code=0
  pony run --verbose --json >"$SEEN/run.$length" 2>&1 || code=$?
  [[ $code == 0 || $code == 75 ]] || fail "exit code $code"

  # --- mistakes in the configuration, with a secret on the line
  cp "$T/pony.yaml" "$T/good.yaml"
  python3 - "$T" <<'P'
import json, pathlib, sys
T = pathlib.Path(sys.argv[1])
key = json.dumps(T.joinpath("keys/key").read_text().rstrip("\n"))
broken = [
    "api_kye: %s", "api_key: [%s]", "api_key: {a: %s}", "api_key: %s, api_key: %s",
    "api_key: %s, api_key_file: x", "api_key: %s x", "api_key: %s: x", "api_key: %s\"",
    "api_key: ${%s", "api_key: &a %s, b: *c", "api_key: !x %s", "api_key: \"\\q%s\"",
    "api_key: %s\\", "api_key: >", "api_key: x, base_url: %s",
    "api_key: x, base_url: 'https://u:p@h', proxy: %s", "api_key_file: %s\n",
    "api_key: x\t%s", "api_key: \"a\\n%s\"", "api_key: x, timeout: \"${CANARY_KEY}\"",
    "api_key: x, proxy: \"http://u:${CANARY_KEY}@h:1\"", "api_key: x, insecure_tls: \"${CANARY_KEY}\"",
    "api_key: x, base_url: \"https://${CANARY_KEY}\"", "api_key: \"${CANARY_KEY\"",
    "api_key: \"${NO_SUCH_VARIABLE}${CANARY_KEY}\"", "api_key: x, region: \"${CANARY_KEY}\"",
    "api_key: \"${CANARY_KEY}\\n\"", "api_key_command: [/bin/sh, -c, 'echo \"$CANARY_KEY\"; exit 1']",
    "api_key_command: [/bin/sh, -c, 'echo \"$CANARY_KEY\"; echo \"$CANARY_KEY\"']",
]
for number, text in enumerate(broken):
    inside = key[1:-1] if '"\\q%s"' in text or '"a\\n%s"' in text else key
    # What a mistake quotes by its nature: a path, a name of a key.
    if text in ("api_key_file: %s\n",):
        continue
    T.joinpath(f"broken.{number}.yaml").write_text(
        f"spool: {T}/spool\nproviders:\n  main: {{type: sendgrid, "
        + text.replace("%s", inside) + "}\n")
P
  chmod 600 "$T"/broken.*.yaml
  for file in "$T"/broken.*.yaml; do
    for command in "config check --secrets" "config show" "provider check" "provider list" run; do
      # shellcheck disable=SC2086
      "$PONY" --config "$file" $command >"$SEEN/$(basename "$file").${command// /_}.$length" 2>&1 || true
    done
  done
  rm "$T"/broken.*.yaml
  sed 's/"CANARY_/"NO_CANARY_/; s/{CANARY_/{NO_CANARY_/' "$T/good.yaml" >"$T/pony.yaml"
  told 78 pony config check --secrets
  told 69 pony provider check

  # --- nobody saw anything
  [[ -n $(ls "$SEEN_BY_CHILD") ]] || fail "no child was started"
  ! grep -Evh '^Max core file size +0 +0' "$SEEN_BY_CHILD"/*.limits || fail "a core file could be made"
  bad=$(jq -cn 'first(inputs | select(.bad and (.bad | tostring | test("key|signature") | not)))' "$T/requests.$length")
  [[ -z $bad ]] || fail "not a request that a provider takes: $bad"
  [[ $(grep -c '"operation": "send"' "$T/requests.$length") -gt 20 ]] || fail "hardly anything was sent"
  grep -q 'send' "$SEEN_BY_CHILD"/script.*.argv || fail "no exec provider was run"
  [[ -n $(find "$SPOOL" -name "*.log" -o -name "*.jsonl" -size +0 -print -quit) ]] || fail "an empty spool"
  search "$SEEN" "$SPOOL" "$T/mails"
  rm -rf "$SPOOL" "$SEEN"/[0-9]* "$SEEN_BY_CHILD"/* "$T/mails"
done
