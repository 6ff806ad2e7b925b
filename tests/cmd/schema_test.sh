# The schemas that `pony schema` prints say of messages, events, the queue and
# pony.yaml what pony itself says: of the manual's examples, of what it writes,
# and of a corpus of messages that are wrong.
source "$(dirname "$0")/../support/shell.sh"
/usr/bin/python3 -c 'import jsonschema, yaml' 2>/dev/null || exit 77

for name in message event config queue; do
  expect 0 pony schema "$name"
  mv "$T/out" "$T/$name.schema.json"
done
expect 64 pony schema mail
expect 64 pony schema

# --- all kinds of events, and a queue with all kinds of messages
cat >"$T/provider" <<'SH'
#!/bin/sh
[ "$1" = name ] && echo script && exit
case $(cat) in
  *bad@*) echo '{"outcome":"rejected","error":"550 no"}' ;;
  *later@*) echo '{"outcome":"unavailable","error":"451 later"}' ;;
  *some@*) echo '{"recipients":[{"email":"some@example.com","outcome":"accepted"},{"email":"ann@example.com","outcome":"rejected","error":"550"}]}' ;;
  *) echo '{"outcome":"accepted","provider_id":"x1"}' ;;
esac
SH
chmod +x "$T/provider"
config <<YAML
spool: $SPOOL
templates: $PONY_SOURCE/templates
default_from: Widget Team <team@widgets.example>
providers:
  script: {type: exec, command: [$T/provider]}
YAML
send() { pony enqueue --to "$1" --subject s --text t --tag a "${@:2}"; }
send bad@example.com >/dev/null && send later@example.com >/dev/null && send ann@example.com >/dev/null
send some@example.com --cc ann@example.com >/dev/null
held=$(send held@example.com) cancelled=$(send gone@example.com --key k1)
later=$(send ann@example.com --at 2099-01-01T00:00:00Z --expires 2099-02-01T00:00:00Z)
pony hold --quiet "$held" && pony cancel --quiet "$cancelled"
echo '{"to":"nobody"}' >"$SPOOL/tmp/x" && mv "$SPOOL/tmp/x" "$SPOOL/new/x.json"
pony run --quiet 2>/dev/null || true
pony retry --quiet --state failed --to bad@example.com
pony hold --quiet "$later" && pony release --quiet "$held" "$later"
pony hold --quiet --to later@example.com
echo '{"to":"dropped@example.com","subject":"s","text":"t"}' >"$SPOOL/tmp/y" && mv "$SPOOL/tmp/y" "$SPOOL/new/y.json"
cat "$SPOOL"/log/*.jsonl >"$T/events"
pony queue --json --state all >"$T/queue"
pony init "$T/made" >/dev/null 2>&1
pony config show >"$T/shown.yaml"

cat >"$T/check.py" <<'PY'
import json, os, pathlib, re, subprocess, sys
import jsonschema, yaml

T = pathlib.Path(sys.argv[1])
SOURCE = pathlib.Path(sys.argv[2])
PONY = sys.argv[3]


def schema(name):
    found = json.loads((T / f"{name}.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(found)
    return found


def validator(found):
    return jsonschema.Draft202012Validator(found)


def problems(check, value):
    return [f"{'.'.join(map(str, e.absolute_path))}: {e.message[:300]}"
            for e in check.iter_errors(value)]


def expect(what, found, valid=True):
    if bool(found) == valid:
        sys.exit(f"{what}: {'refused: ' + '; '.join(found) if found else 'accepted'}")


# What the schemas of what we write allow for later versions, they may not need.
def strict(found):
    found = json.loads(json.dumps(found))
    for part in (found, *[p["items"] for p in found["properties"].values()
                          if "properties" in p.get("items", {})]):
        part["additionalProperties"] = False
    return found


def lines(name):
    return [json.loads(line) for line in (T / name).read_text().splitlines()]


event = validator(strict(schema("event")))
kinds = set()
for one in lines("events"):
    kinds.add(one["event"])
    expect(f"event {one}", problems(event, one))
wanted = {"queued", "attempted", "sent", "failed", "deferred", "held",
          "released", "cancelled", "retried"}
if not wanted <= kinds:
    sys.exit(f"no event of these kinds: {wanted - kinds}")
for wrong in ({"event": "sent"}, {"ts": "now", "event": "sent", "id": "x"},
              {"ts": "2026-11-21T10:00:00.123Z", "event": "attempted",
               "id": "x", "outcome": "perhaps"}):
    expect(f"event {wrong}", problems(event, wrong), valid=False)

queue = validator(strict(schema("queue")))
entries = lines("queue")
for one in entries:
    expect(f"queue {one}", problems(queue, one))
if len({one["state"] for one in entries}) < 5:
    sys.exit("not five states in the queue")

config = validator(schema("config"))
for name in ("shown.yaml", "made/pony.yaml"):
    expect(name, problems(config, yaml.safe_load((T / name).read_text())))


# Every JSON object and every configuration in the manual.
def manual(page):
    text = subprocess.run(["mandoc", "-T", "utf8", "-O", "width=200", str(page)],
                          capture_output=True, text=True, check=True).stdout
    return re.sub(".\x08", "", text)


message = validator(schema("message"))
decoder = json.JSONDecoder()
seen = {"message": 0, "event": 0}
for page in [*SOURCE.glob("man/*.[157]"), SOURCE / "README.md"]:
    text = page.read_text() if page.suffix == ".md" else manual(page)
    at = text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except ValueError:
            at = text.find("{", at + 1)
            continue
        if {"to", "recipient", "recipient_address"} & set(value) and "id" not in value:
            seen["message"] += 1
            expect(f"{page.name}: {value}", problems(message, value))
        elif {"ts", "event", "id"} <= set(value):
            seen["event"] += 1
            expect(f"{page.name}: {value}", problems(event, value))
        at = text.find("{", end)
if seen["message"] < 3:
    sys.exit(f"too few examples in the manual: {seen}")
page = manual(SOURCE / "man/pony.yaml.5")
example = page[page.index("EXAMPLES"):]
block = re.search(r"((?:^ {10,}.*\n|^\n)+)", example[example.index("\n"):], re.M)
if block:
    found = yaml.safe_load(re.sub(r"(?m)^ {10}", "", block.group(1)))
    if isinstance(found, dict):
        expect("pony.yaml.5", problems(config, found))
for wrong in ({"spol": "/x"}, {"providers": {"a": {}}},
              {"providers": {"a": {"type": "fax"}}},
              {"providers": {"a": {"type": "smtp"}}},
              {"providers": {"a": {"type": "sendgrid", "username": "u"}}},
              {"providers": {"a": {"type": "maildir", "path": "/x", "timeout": "soon"}}},
              {"pools": {"p": {"strategy": "best", "providers": ["a"]}}},
              {"pools": {"p": {}}}, {"retry": {"first": "1 minute"}},
              {"on_unknown": "shrug"}, {"safe_mode": None}):
    expect(f"config {wrong}", problems(config, wrong), valid=False)

# --- messages that both take, and messages that both refuse
base = {"to": "ann@example.com", "subject": "s", "text": "t"}
right = [
    base, {**base, "to": ["Ann <ann@example.com>", {"name": "Bob", "email": "bob@example.com"}]},
    {**base, "to": "a@example.com, b@example.com"}, {**base, "from": None, "tags": "one"},
    {**base, "to": "jürgen@bücher.example"}, {"bcc": ["ann@example.com"], "subject": "s", "html": "<p>"},
    {**base, "headers": {"X-A": "1", "X-B": ["1", "2"], "X-C": None}, "metadata": {"n": 1, "b": True, "s": "x", "x": None}},
    {**base, "attachments": [{"filename": "a.pdf", "content": "aGk=", "content_type": "text/csv; charset=utf-8", "cid": "logo@x"}]},
    {**base, "priority": "bulk", "send_at": "2026-12-01T09:00:00+02:00", "expires_at": "2027-01-01T00:00:00Z"},
    {**base, "on_unknown": "hold", "idempotency_key": "k", "lang": "es-MX"},
    {**base, "list_unsubscribe": ["https://widgets.example/u?1", "mailto:u@widgets.example"]},
    {"to": "ann@example.com", "raw": "RnJvbTogYUBleGFtcGxlLmNvbQ0KDQpIaQ0K", "from": "a@example.com"},
    {**base, "dsn": {"notify": ["success", "failure"], "return": "full", "envelope_id": "x-1"}},
    {**base, "dsn": {"notify": "never"}},
    {"to": "ann@example.com", "template": "welcome", "replacements": {"name": "Ann", "team": "T", "action_url": "https://x.example/"}},
    {"recipient_name": "Ann", "recipient_address": "ann@example.com", "sender_name": "T", "sender_address": "t@widgets.example",
     "id": "welcome", "replacements": {"name": "Ann", "team": "T", "action_url": "https://x.example/"}, "doc_type": "x", "status": 1},
    {"from_email": "t@widgets.example", **base}, {"sender": "t@widgets.example", "recipient": "ann@example.com", "subject": "s", "content": "c"},
]
wrong = [
    {}, [], "text", 7, {"to": "ann@example.com"}, {"subject": "s", "text": "t"}, {**base, "to": []}, {**base, "to": "nobody"},
    {**base, "to": [{"name": "Ann"}]}, {**base, "to": [{"email": "ann@example.com", "mail": "x"}]}, {**base, "to": 5},
    {**base, "subjet": "s"}, {**base, "subject": "a\nb"}, {**base, "subject": 5}, {"to": "ann@example.com", "subject": "s"},
    {"to": "ann@example.com", "text": "t"}, {**base, "template": "welcome"}, {**base, "template": "../x"}, {**base, "lang": "es_MX"},
    {**base, "replacements": []}, {**base, "headers": {"Subject": "x"}}, {**base, "headers": {"To": "x"}}, {**base, "headers": {"X A": "x"}},
    {**base, "headers": {"X-A": "a\r\nB: c"}}, {**base, "headers": {"X-A": 5}}, {**base, "headers": {"Content-Type": "x"}}, {**base, "tags": 5},
    {**base, "tags": ["x" * 201]}, {**base, "tags": [""]}, {**base, "tags": ["t"] * 51}, {**base, "metadata": {"a": []}},
    {**base, "metadata": "x"}, {**base, "priority": "urgent"}, {**base, "send_at": "tomorrow"}, {**base, "send_at": 5},
    {**base, "on_unknown": "shrug"}, {**base, "raw": "aGk="}, {"to": "ann@example.com", "raw": "not base64!"}, {"to": "ann@example.com", "raw": ""},
    {**base, "attachments": [{"filename": "a"}]}, {**base, "attachments": [{"content": "aGk="}]}, {**base, "attachments": [{"filename": "a/b", "content": "aGk="}]},
    {**base, "attachments": [{"filename": "a", "path": "/etc/passwd", "content": ""}]}, {**base, "attachments": [{"filename": "a", "content": "*"}]},
    {**base, "attachments": [{"filename": "a", "content": "aGk=", "content_type": "pdf"}]}, {**base, "attachments": "x"},
    {**base, "list_unsubscribe": "http://x.example/"}, {**base, "dsn": {"notify": "sometimes"}}, {**base, "dsn": {"ret": "full"}},
    {**base, "from": "a@example.com", "sender": "b@example.com"}, {**base, "recipient": "b@example.com"}, {**base, "content": "c"},
    {**base, "sender_name": "Team"}, {**base, "id": "welcome"}, {**base, "pool": 5}, {**base, "idempotency_key": "a\tb"},
    {**base, "reply_to": ["a@example.com"]}, {**base, "cc": "a@b@c"},
]


def enqueue(value):
    done = subprocess.run([PONY, "--config", str(T / "pony.yaml"), "--quiet", "enqueue"],
                          input=json.dumps(value if not isinstance(value, list) else [value]),
                          text=True, capture_output=True)
    return done.returncode, done.stderr


for value in right:
    expect(f"message {value}", problems(message, value))
    code, said = enqueue(value)
    if code != 0:
        sys.exit(f"pony refuses {value}: {said}")
for value in wrong:
    expect(f"message {value}", problems(message, value), valid=False)
    code, said = enqueue(value)
    if code != 65:
        sys.exit(f"pony says {code} to {value}: {said}")
PY
command -v mandoc >/dev/null || exit 77
/usr/bin/python3 "$T/check.py" "$T" "$PONY_SOURCE" "$PONY" || fail "the schemas and pony differ"
echo ok
