#!/usr/bin/env bash
# What a large message costs in memory is a small multiple of its size: 25 MB,
# attached, are 33 MB of base64, and that is what is counted here.
source "$(dirname "$0")/../support/shell.sh"
/usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || exit 77
if ldd "$PONY" | grep -qE 'libasan|libtsan'; then exit 77; fi

head -c 25000000 /dev/urandom >"$T/large.bin"
base64_kb=$((25000000 / 3 * 4 / 1024))
/usr/bin/python3 "$PONY_SOURCE/tests/support/smtp_server.py" --port 0 \
  --size 50000000 --dump "$T" >"$T/port" 2>"$T/log" &
background+=($!)
wait_until grep -q '^port=' "$T/port"
config <<YAML
spool: $SPOOL
default_from: team@widgets.example
providers:
  relay: {type: smtp, host: 127.0.0.1, port: $(sed 's/^port=//' "$T/port"), tls: off}
  outbox: {type: maildir, path: $T/outbox}
pools:
  default: {providers: [relay]}
  outbox: {providers: [outbox]}
YAML

# costs TIMES COMMAND…: a process of pony has at most so often the base64, and
# 20 MB for everything else (libcurl is 8).
costs() {
  local limit=$(($1 * base64_kb + 20 * 1024)) got
  shift
  got=$(/usr/bin/python3 - "$PONY" --config "$T/pony.yaml" "$@" <<'PY'
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
PY
  )
  ((got <= limit)) || fail "'pony $1' had $got KB, not at most $limit"
}

for pool in default outbox; do
  # As base64, as JSON and as the line of the file.
  costs 3 enqueue --to ann@example.com --subject Hi --text Hi \
    --attach "$T/large.bin" --pool "$pool"
  # While it is parsed: the file, the parser's two copies, and one that grows.
  costs 4 run --quiet
done
[[ $(count_in sent) == 2 ]] || fail "not sent"

# Nothing was lost on the way.
for mail in "$T/000001.eml" "$T/outbox/new/"*; do
  /usr/bin/python3 - "$mail" "$T/large.bin" <<'PY' || fail "$mail is not what was attached"
import email, email.policy, sys
mail = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
part, = mail.iter_attachments()
assert part.get_payload(decode=True) == open(sys.argv[2], "rb").read()
PY
done
