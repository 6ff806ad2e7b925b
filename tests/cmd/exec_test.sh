#!/usr/bin/env bash
# A provider of the user's own: the example of pony-exec-provider(7), word for
# word, against a small HTTP server that answers well and badly.
source "$(dirname "$0")/../support/shell.sh"
for tool in curl jq python3; do
  command -v "$tool" >/dev/null || { echo "skipped: $tool is missing"; exit 77; }
done
EXAMPLE=$PONY_SOURCE/examples/exec-provider.sh

# The page shows the file that is installed.
if command -v mandoc >/dev/null; then
  mandoc -T ascii -O width=200 "$PONY_SOURCE/man/pony-exec-provider.7" |
    sed 's/.\x08//g' | sed -n '/^           #!\/bin\/sh/,/^           esac$/{s/^           //;p}' >"$T/shown"
  diff -u "$EXAMPLE" "$T/shown" >&2 || fail "the page does not show $EXAMPLE"
fi

# It answers as $T/mode says, and keeps the last request.
cat >"$T/server.py" <<'PY'
import http.server, json, os, sys
T = sys.argv[1]
class Api(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_GET(self): self.answer(200, {"ok": True})
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(T + "/request", "w") as out:
            json.dump({"headers": dict(self.headers), "body": json.loads(body)}, out)
        mode = open(T + "/mode").read().strip()
        if mode == "cut":
            self.close_connection = True
            return self.connection.close()
        if mode == "html": return self.answer(503, "<html>sorry</html>")
        if mode == "silent": return self.answer(202, "")
        status, words = int(mode), {"id": "api-1"} if mode == "200" else {"message": "no such user"}
        self.answer(status, words)
    def answer(self, status, body):
        text = (body if isinstance(body, str) else json.dumps(body)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        if status == 429: self.send_header("Retry-After", "30")
        self.end_headers()
        self.wfile.write(text)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Api)
with open(T + "/port.new", "w") as out: out.write(str(server.server_port))
os.rename(T + "/port.new", T + "/port")
server.serve_forever()
PY
python3 "$T/server.py" "$T" &
background+=($!)
wait_until test -s "$T/port"
url=http://127.0.0.1:$(cat "$T/port")/send
(umask 077 && echo 'Authorization: Bearer s3cret' >"$T/key")
provider() {
  config <<YAML
spool: $SPOOL
default_from: Widget Team <team@widgets.example>
providers:
  mine: {type: exec, command: [$EXAMPLE, "$1", $T/key]}
YAML
}
provider "$url"
hello=(--to 'Ann <ann@example.com>' --to bob@example.com --subject 'Hello "you"' --text 'It works.')
# send CODE OUTCOME: what pony send says, and what the attempt came to.
send() {
  expect "$1" pony send "${hello[@]}"
  id=$(cat "$T/out")
  grep -hF "\"event\":\"attempted\"" -r "$SPOOL" --include="$id.jsonl" >"$T/attempted"
  jq -e --arg outcome "$2" '.outcome == $outcome' "$T/attempted" >/dev/null ||
    fail "not $2: $(cat "$T/attempted")"
}
attempted() { jq -e "$1" "$T/attempted" >/dev/null || fail "$1: $(cat "$T/attempted")"; }

echo 200 >"$T/mode"
send 0 accepted
attempted '.provider == "mine" and .provider_id == "api-1"'
jq -e --arg id "$id" '.headers["Idempotency-Key"] == $id and
  .headers.Authorization == "Bearer s3cret" and .body == {
    from: "team@widgets.example", to: ["ann@example.com", "bob@example.com"],
    subject: "Hello \"you\"", text: "It works.", html: null}' "$T/request" >/dev/null ||
  fail "asked otherwise: $(cat "$T/request")"
echo silent >"$T/mode"
send 0 accepted

# A large message, larger than a pipe and than an argument may be.
head -c 3000000 /dev/zero | tr '\0' x | jq -Rc '{to: "ann@example.com", subject: "Large", text: .}' >"$T/large.json"
expect 0 pony send "$T/large.json"
[[ $(jq '.body.text | length' "$T/request") == 3000000 ]] || fail "it did not arrive whole"

echo 422 >"$T/mode"
send 69 rejected
attempted '.error == "no such user"'
echo 429 >"$T/mode"
send 75 throttled
# It asked for half a minute: until then nobody asks it.
expect 75 pony send "${hello[@]}"
err_has "every provider rests: 'mine'"
[[ -f $(find "$SPOOL/failed" -name "$(cat "$T/out").jsonl") ]] || fail "it does not rest in failed/"
expect 0 pony provider resume mine
echo html >"$T/mode"
send 75 unavailable
attempted '.error | startswith("HTTP 503")'
echo cut >"$T/mode"
send 75 unknown
provider "http://127.0.0.1:$(free_port)/"
send 75 unavailable

# The other two words; a dry run asks nobody.
[[ $("$EXAMPLE" "$url" "$T/key" name) == 'an HTTP API' ]] || fail "name"
[[ $("$EXAMPLE" "$url" "$T/key" check) == "$url answers" ]] || fail "check"
rm "$T/request"
expect 0 pony send --dry-run --as mine "${hello[@]}"
jq -e '.recipients == ["ann@example.com", "bob@example.com"] and
  .message.to[0] == {name: "Ann", email: "ann@example.com"}' "$T/out" >/dev/null || fail "dry run"
[[ ! -e $T/request ]] || fail "a dry run asked"

# An outcome each, and what hangs is killed, its sleep too.
cat >"$T/each" <<'SH'
#!/bin/sh
cat >/dev/null
echo '{"outcome": "accepted", "recipients": [{"email": "bob@example.com", "outcome": "rejected", "error": "not him"}]}'
SH
cat >"$T/hangs" <<SH
#!/bin/sh
cat >/dev/null
sleep 600 & echo \$! >$T/sleeper
wait
SH
chmod +x "$T/each" "$T/hangs"
program() {
  config <<YAML
spool: $SPOOL
default_from: team@widgets.example
providers: {mine: {type: exec, command: [$1], timeout: 1s}}
YAML
}
program "$T/each"
send 0 accepted
attempted '.recipients | map({(.email): .outcome}) | add ==
  {"ann@example.com": "accepted", "bob@example.com": "rejected"}'
program "$T/hangs"
send 75 unknown
attempted '.error | endswith("no exit within 1s")'
gone() { ! kill -0 "$(cat "$T/sleeper")" || grep -q ') Z ' "/proc/$(cat "$T/sleeper")/stat"; }
wait_until gone
