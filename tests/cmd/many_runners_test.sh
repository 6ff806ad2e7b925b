#!/usr/bin/env bash
# Four runners on 10,000 messages with four enqueuers at work: each message is
# delivered exactly once, to a real SMTP server that dumps what it gets.
source "$(dirname "$0")/../support/shell.sh"
source "$PONY_SOURCE/tests/support/smtp_sink.sh"
command -v smtp-sink >/dev/null || [[ -x /usr/sbin/smtp-sink ]] || exit 77

mkdir "$T/got"
chmod 777 "$T" "$T/got"
cd "$T/got" && start_sink -d "%M." && cd "$T"
config <<YAML
spool: $SPOOL
default_from: team@widgets.example
providers: {sink: {type: smtp, host: 127.0.0.1, port: $SINK_PORT, tls: off, connections: 10}}
YAML
pony queue >/dev/null

lines() { for ((i = 0; i < $2; ++i)); do echo "{\"to\":\"u$1-$i@example.com\",\"subject\":\"$1-$i\",\"text\":\"x\",\"priority\":\"$3\"}"; done; }
enqueuers=()
for n in 1 2 3 4; do
  case $n in 1) priority=high ;; 2) priority=bulk ;; *) priority=normal ;; esac
  lines "$n" 2500 $priority | pony enqueue >"$T/ids.$n" &
  enqueuers+=($!)
done
runners=()
for n in 1 2 3 4; do
  "$PONY" --config "$T/pony.yaml" run --loop --jobs 20 >"$T/run.$n" 2>&1 &
  runners+=($!)
done
background+=("${runners[@]}")
wait "${enqueuers[@]}" || fail "an enqueuer failed"
all_sent() { [[ $(find "$SPOOL/sent" -name '*.jsonl' | wc -l) == 10000 ]]; }
wait_until all_sent
kill -TERM "${runners[@]}"
for runner in "${runners[@]}"; do wait "$runner" || fail "a runner ended with $?"; done

cat "$T"/ids.? | sort >"$T/ids"
[[ $(sort -u "$T/ids" | wc -l) == 10000 ]] || fail "not 10,000 ids"
grep -rhoE '^Message-ID: <[0-9A-Z]{26}' "$T/got" | sed 's/.*<//' | sort >"$T/delivered"
cmp "$T/ids" "$T/delivered" || fail "delivered: $(wc -l <"$T/delivered"), each once: $(sort -u "$T/delivered" | wc -l)"
expect 0 pony fsck --dry-run
expect 0 pony report --by event --format json
jq -e 'map(select(.event == "sent"))[0].events == 10000' "$T/out" >/dev/null || fail "$(cat "$T/out")"
