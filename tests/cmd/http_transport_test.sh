#!/usr/bin/env bash
# How mail travels over HTTP: TLS is verified, redirects and the environment's
# proxies are not followed, a proxy's words are not the provider's,
# connections are kept and nobody inherits them, answers have limits.
source "$(dirname "$0")/../support/shell.sh"
/usr/bin/python3 -c 'import jsonschema' 2>/dev/null || exit 77
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
stand_in=(/usr/bin/python3 -B "$PONY_SOURCE/tests/stand_in/stand_in.py" --key the-key)
start plain "${stand_in[@]}" --log "$T/plain"
plain=$port
start tls "${stand_in[@]}" --log "$T/tls" --tls "$T/cert.pem" "$T/tls.pem"
tls=$port
start dropping "${stand_in[@]}" --log "$T/dropping" --tls "$T/cert.pem" "$T/tls.pem" --default keep-alive-dropped
dropping=$port
for mode in pass silent close refuse; do
  start "proxy-$mode" python3 "$PONY_SOURCE/tests/support/connect_proxy.py" "$T/proxied-$mode" $mode
  declare "proxy_$mode=$port"
done

# provide SETTINGS: one provider with them.
provide() {
  config <<YAML
spool: $SPOOL
providers:
  main: {type: sendgrid, api_key: the-key, $1}
hooks: {on_sent: [$T/hook]}
YAML
}
printf '#!/bin/sh\nexit 0\n' >"$T/hook"
chmod +x "$T/hook"
asked() { [[ ! -e $T/$1 ]] && echo 0 || wc -l <"$T/$1"; }
# deliver OUTCOME WORDS: one message; the attempt's outcome and error. What
# was not sent is removed again.
deliver() {
  local id events
  id=$(pony enqueue --from team@widgets.example --to ann@example.com --subject Hi --text x)
  pony provider resume main 2>/dev/null
  expect 0 pony run
  events=$(pony events --json "$id" | jq -r 'select(.event == "attempted") | "\(.outcome): \(.error)"')
  [[ $events == "$1: "*"$2"* ]] || fail "not '$1: …$2…' but: $events"
  [[ $1 == accepted ]] || pony cancel "$id" >"$T/none" 2>&1
}

# --- TLS is verified
provide "base_url: 'https://localhost:$tls'"
deliver unavailable "certificate"
provide "base_url: 'https://localhost:$tls', ca_file: cert.pem"
deliver accepted ""
err_is_empty
[[ $(asked tls) == 1 ]] || fail "it was not one request"
provide "base_url: 'https://127.0.0.1:$tls', ca_file: cert.pem"
deliver unavailable "127.0.0.1"
provide "base_url: 'https://other.localhost:$tls', ca_file: cert.pem"
deliver unavailable "other.localhost"
[[ $(asked tls) == 1 ]] || fail "something was said to a stranger"
provide "base_url: 'https://127.0.0.1:$tls', insecure_tls: true"
for _ in 1 2; do
  deliver accepted ""
  err_has "insecure_tls is on"
done
expect 0 pony --quiet run
err_has "insecure_tls is on"
# No TLS where TLS should be, and the other way round.
provide "base_url: 'https://localhost:$plain', ca_file: cert.pem, connect_timeout: 500ms"
deliver unavailable "cannot connect"
provide "base_url: 'http://localhost:$plain'"
expect 78 pony run
err_has "without TLS"
[[ $(asked plain) == 0 ]] || fail "it was asked in the clear"

# --- redirects are answers
for kind in 301 307 redirect-file; do
  provide "base_url: 'http://$kind.localhost:$plain', allow_insecure: true"
  deliver unavailable "30"
done
[[ $(asked plain) == 3 ]] || fail "a redirect was followed"
! grep -q followed "$T/plain" || fail "a redirect was followed"

# --- the environment's proxies are nobody's business
provide "base_url: 'http://127.0.0.1:$plain', allow_insecure: true"
proxy=http://127.0.0.1:$proxy_pass
export http_proxy=$proxy HTTP_PROXY=$proxy https_proxy=$proxy HTTPS_PROXY=$proxy all_proxy=$proxy ALL_PROXY=$proxy
deliver accepted ""
provide "base_url: 'https://localhost:$tls', ca_file: cert.pem"
deliver accepted ""
[[ $(asked proxied-pass) == 0 ]] || fail "the environment's proxy was used"
unset http_proxy HTTP_PROXY https_proxy HTTPS_PROXY all_proxy ALL_PROXY

# --- the configured proxy is used, also when the environment says otherwise
base="base_url: 'https://localhost:$tls', ca_file: cert.pem, timeout: 500ms, connect_timeout: 500ms"
provide "base_url: 'https://localhost:$tls', ca_file: cert.pem, proxy: 'http://127.0.0.1:$proxy_pass'"
export no_proxy='*' NO_PROXY='*'
deliver accepted ""
unset no_proxy NO_PROXY
[[ $(<"$T/proxied-pass") == "CONNECT localhost:$tls HTTP/1.1"* ]] || fail "$(<"$T/proxied-pass")"
[[ $(asked proxied-pass) == 1 ]] || fail "not one connection"
# What the proxy says is not what the provider says.
before=$(asked tls)
for mode in silent close refuse; do
  port=proxy_$mode
  provide "$base, proxy: 'http://127.0.0.1:${!port}'"
  deliver unavailable ""
  [[ $(asked "proxied-$mode") == 1 ]] || fail "the proxy was asked $(asked "proxied-$mode") times"
done
provide "$base, proxy: 'http://127.0.0.1:$(free_port)'"
deliver unavailable "onnection refused"
[[ $(asked tls) == "$before" ]] || fail "not by the proxy"
! grep -r of-the-proxy "$SPOOL" || fail "the proxy's words were taken for the provider's"

# --- connections are kept, no more than were asked for, and nobody's else
: >"$T/plain"
cat >"$T/hook" <<'H'
#!/bin/sh
ls -l /proc/self/fd >>"${0%/*}/inherited"
H
provide "base_url: 'http://127.0.0.1:$plain', allow_insecure: true, connections: 4"
for n in $(seq 200); do echo "{\"to\":\"ann@example.com\",\"from\":\"team@widgets.example\",\"subject\":\"n $n\",\"text\":\"x\"}"; done >"$T/many.jsonl"
expect 0 pony enqueue "$T/many.jsonl"
expect 0 pony run
out_has "(200 sent, 0 deferred, 0 failed)"
[[ $(asked plain) == 200 ]] || fail "$(asked plain) requests"
opened=$(jq -c 'select(.served_before == 0)' "$T/plain" | wc -l)
((opened <= 4)) || fail "$opened connections"
[[ -s $T/inherited ]] || fail "no hook was called"
! grep -E 'socket:|anon_inode|spool' "$T/inherited" || fail "a hook inherits"
printf '#!/bin/sh\nexit 0\n' >"$T/hook"
agents=$(jq -r '.headers["user-agent"]' "$T/plain" | sort -u)
[[ $agents == pony/[0-9]* && $agents != *$'\n'* ]] || fail "User-Agent: $agents"
[[ $(jq -r '.headers | keys[]' "$T/plain" | sort -u | grep -Ec 'accept-encoding|expect|cookie|proxy') == 0 ]] || fail "a header too many"

# --- what the server closed while it idled costs no attempt: the program in
# between waits until the server has hung up
cat >"$T/program" <<'P'
#!/usr/bin/env bash
cat >/dev/null
# Nobody is connected to the server any more but who does not know it yet.
for _ in $(seq 1000); do
  grep -Eq ":$(printf %04X "$1") [0-9A-F]+:[0-9A-F]+ 01 " /proc/net/tcp || break
  read -rt 0.01 <> <(:) || true
done
echo '{"outcome":"accepted"}'
P
chmod +x "$T/program"
config <<YAML
spool: $SPOOL
default_from: team@widgets.example
providers:
  main: {type: sendgrid, api_key: the-key, base_url: 'https://localhost:$dropping', ca_file: cert.pem, connections: 1}
  wait: {type: exec, command: [$T/program, $dropping], connections: 1}
pools:
  main: {providers: [main]}
  wait: {providers: [wait]}
  default: {providers: [main]}
YAML
for n in 1 2 3 4; do
  echo "{\"to\":\"ann@example.com\",\"subject\":\"n $n\",\"text\":\"x\",\"pool\":\"main\"}"
  echo "{\"to\":\"ann@example.com\",\"subject\":\"n $n\",\"text\":\"x\",\"pool\":\"wait\"}"
done >"$T/some.jsonl"
rm -rf "$SPOOL"
expect 0 pony enqueue "$T/some.jsonl"
expect 0 pony run --jobs 1
out_has "(8 sent, 0 deferred, 0 failed)"
[[ $(pony events --json | jq -c 'select(.event == "attempted")' | wc -l) == 8 ]] || fail "an attempt was lost"
[[ $(asked dropping) == 4 ]] || fail "$(asked dropping) requests"

# --- answers have limits, and each has its outcome
for row in "endless-body:accepted:" "endless-headers:unknown:no answer from" "400-deep:unavailable:400" \
  "silent:unknown:within 500ms" "garbage:unknown:" "1xx-before:accepted:" "drip:accepted:"; do
  IFS=: read -r kind outcome words <<<"$row"
  wait=60s
  [[ $kind != silent ]] || wait=500ms
  provide "base_url: 'http://$kind.localhost:$plain', allow_insecure: true, timeout: $wait"
  deliver "$outcome" "$words"
done

# --- an IPv6 address in the URL
if [[ -e /proc/net/if_inet6 ]] && grep -q ' lo$' /proc/net/if_inet6; then
  start six python3 -c '
import http.server, socket
class Six(http.server.ThreadingHTTPServer): address_family = socket.AF_INET6
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        assert self.headers["Host"].startswith("[::1]:"), self.headers["Host"]
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(202)
        self.send_header("X-Message-Id", "six")
        self.end_headers()
    def log_message(self, *words): pass
server = Six(("::1", 0), Handler)
print(f"port={server.server_address[1]}", flush=True)
server.serve_forever()'
  provide "base_url: 'http://[::1]:$port', allow_insecure: true"
  deliver accepted ""
  provide "base_url: 'http://[::1]:$(free_port)', allow_insecure: true"
  deliver unavailable "cannot connect to '[::1]:"
fi
