#!/usr/bin/env bash
# log_addresses: what the event log says of people's addresses.
source "$(dirname "$0")/../support/shell.sh"

with() {
  rm -rf "$SPOOL"
  config <<YAML
spool: $SPOOL
default_from: Widget Team <team@widgets.example>
log_addresses: $1
providers:
  outbox: {type: maildir, path: $T/outbox}
YAML
  pony --quiet suppress add ann@example.com
  id=$(pony enqueue --to ann@example.com --to bob@example.com --subject Hi --text Hi)
  pony run --quiet
}
# logged: the addresses that the log has.
logged() { grep -ho '[^"<> ]*@[^"<> ]*' "$SPOOL"/log/*.jsonl | sort -u | paste -sd ' '; }

with full
[[ $(logged) == ann@example.com ]] || fail "$(logged)"
[[ ! -e $SPOOL/state/address.key ]] || fail "a key that nobody needs"

with masked
[[ $(logged) == "a***@example.com" ]] || fail "$(logged)"
expect 0 pony events --json "$id"
out_has '"recipient":"ann@example.com"' # the message's own file has it in full
expect 0 pony fsck --dry-run
[[ $(pony events --json | jq -r .event | sort | uniq -c | tr -s ' ' | paste -sd,) == " 1 attempted, 1 queued, 1 sent, 1 suppressed" ]] ||
  fail "$(pony events --json)"

with hash
hash=$(logged)
[[ $hash =~ ^h:[0-9a-f]{16}@example.com$ ]] || fail "$hash"
[[ $(stat -c %a "$SPOOL/state/address.key") == 600 ]] || fail "the key's mode"
pony --quiet send --to ANN@EXAMPLE.com --subject Hi --text Hi && fail "it was sent"
[[ $(logged) == "$hash" ]] || fail "one person has two hashes: $(logged)"

# --- without its key the log gets no address at all
echo nonsense >"$SPOOL/state/address.key"
pony --quiet enqueue --to ann@example.com --subject Hi --text Hi
expect 65 pony run
err_has "address.key"
[[ $(logged) == "$hash" ]] || fail "$(logged)"
rm "$SPOOL/state/address.key"
expect 0 pony run --quiet

config <<<"log_addresses: none"
expect 78 pony queue
err_has "full, masked or hash"
echo ok
