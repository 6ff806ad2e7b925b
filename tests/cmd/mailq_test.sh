# mailq: the shape that old scripts and monitoring grep, with their own
# patterns; and postqueue's JSON with the lines of jq that people have.
source "$(dirname "$0")/../support/shell.sh"
command -v perl >/dev/null || exit 77
config <<YAML
spool: $SPOOL
default_from: shop@example.com
retry: {first: 1h, jitter: 0%}
providers:
  script: {type: exec, command: [$T/provider]}
YAML
printf '#!/bin/sh\n[ "$1" = name ] && echo script && exit\ncat >/dev/null\necho %s\n' \
  "'{\"outcome\":\"unavailable\",\"error\":\"451 try later\"}'" >"$T/provider"
chmod +x "$T/provider"
ln -s "$PONY" "$T/mailq"
export PONY_CONFIG=$T/pony.yaml

# The count as a check counts it from the last line, whatever calls it.
count() { "$T/mailq" | perl -e '@lines = reverse <STDIN>;
  if ($lines[0] =~ /Kbytes in (\d+)\sReq/) { print $1 }
  elsif ($lines[0] =~ /Mail queue is empty/) { print 0 } else { print "UNKNOWN" }'; }
is() { [[ $1 == "$2" ]] || fail "'$1' instead of '$2'"; }
is "$(count)" 0
is "$("$T/mailq")" "Mail queue is empty"
is "$(cd "$T" && PATH=$T:$PATH mailq)" "Mail queue is empty"

pony enqueue --to ann@example.org --subject s --text t >/dev/null
is "$(count)" 1
pony run --quiet || true
pony enqueue --to bob@example.org --to cy@example.net --subject s --text t >/dev/null
held=$(pony enqueue --to dee@example.org --subject s --text t)
pony hold --quiet "$held"
is "$(count)" 3
expect 0 "$T/mailq"
# Postfix's: a line a message begins with an id, which is letters and digits.
is "$(grep -c '^[A-F0-9]' "$T/out")" 3
is "$(grep -cE '^[0-9A-Za-z]+[*!?]? +[0-9]+ [A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]{2} [0-9:]{8} +[^ ]+$' "$T/out")" 3
# postsuper's idiom, and mailq | awk's: ids of a sender, recipients at the end.
is "$(tail -n +2 "$T/out" | awk 'BEGIN {RS = ""} / shop@example.com/ {n++} END {print n}')" 1
is "$(grep -cE '^ +[^ ]+@example\.(org|net)$' "$T/out")" 4
is "$(grep -c '^(script: 451 try later; next try ' "$T/out")" 1
is "$(awk '/^[0-9A-Z]/ {print $1}' "$T/out" | grep -c '!$')" 1
# The last line, and no other, begins with two hyphens.
is "$(grep -c '^--' "$T/out")" 1
is "$(tail -1 "$T/out" | grep -cE '^-- [0-9]+ Kbytes in [0-9]+ Requests?\.$')" 1
is "$(head -1 "$T/out" | grep -cE '^-Queue ID- +--Size-- -+Arrival Time-+ -Sender/Recipient-+$')" 1
# The ids are of one length.
is "$(awk '/^[0-9A-Z]/ {print $1}' "$T/out" | tr -d '*!?' | awk '{print length}' | sort -u)" 26

# postqueue -j: what people pipe it into.
expect 0 pony queue --json
is "$(jq -r 'select(.queue_name == "deferred") | .recipients[].address' "$T/out")" ann@example.org
is "$(jq -r 'select(.recipients[0].delay_reason) | .recipients[0].delay_reason' "$T/out")" "script: 451 try later"
is "$(jq -r 'select(.sender == "shop@example.com") | .queue_id' "$T/out" | wc -l)" 3
is "$(jq -s 'map(.message_size) | add > 0' "$T/out")" true
is "$(jq -s '[.[] | select(now - .arrival_time < 3600)] | length' "$T/out")" 3
is "$(jq -r '[.queue_name, (.arrival_time | type), (.message_size | type), (.forced_expire | type), (.recipients | type)] | join(" ")' "$T/out" | sort | tr '\n' ',')" \
  "deferred number number boolean array,hold number number boolean array,incoming number number boolean array,"
# One line an object, the members of Postfix first and in its order.
is "$(wc -l <"$T/out")" 3
is "$(grep -cE '^\{"queue_name":"[a-z]+","queue_id":"[0-9A-Z]+","arrival_time":[0-9]+,"message_size":[0-9]+,"forced_expire":false,"sender":"[^"]*","recipients":\[\{"address":"' "$T/out")" 3
echo ok
