#!/usr/bin/env bash
# alerts: a program that is told when something is wrong, and when it is over.
source "$(dirname "$0")/../support/shell.sh"
source "$(dirname "$0")/../support/stand_in.sh"

cat >"$T/page" <<SH
#!/bin/sh
cat >>$T/paged
SH
chmod +x "$T/page"
start_stand_in main second
# with ALERTS
with() {
  config <<YAML
spool: $SPOOL
default_from: team@widgets.example
retry: {first: 1m, max: 2m, jitter: 0%}
breaker: {failures: 2, cool_down: 1h, max_cool_down: 1h}
providers:
$(provider main sendgrid)
$(provider second postmark)
pools: {default: {providers: [main, second]}}
alerts: $1
YAML
}
paged() { jq -sc "$1" "$T/paged" 2>/dev/null; }
# one message more, which fails for now
one() { pony enqueue --to ann@example.com --subject Hi --text x >/dev/null; }
touch "$T/paged"

# Nothing is wrong: nobody is told.
with "{command: [$T/page], every: 1h, queue: 0, degraded: true}"
one
expect 0 pony run
[[ ! -s $T/paged ]] || fail "$(cat "$T/paged")"
[[ ! -e $SPOOL/state/alerts/queue ]] || fail "remembers what never was"

# Both providers are down: the queue and the providers are told, with a
# sentence; the exit code is that of the mail.
behave main 503
behave second 503
one && one && one
pony run --quiet >/dev/null 2>&1 || true
is_so '["degraded","queue"]' "$(paged '[.[].kind] | sort')"
is_so '["critical","critical"]' "$(paged '[.[].state]')"
paged '.[] | select(.kind == "queue") | .sentence' | grep -q "messages wait (critical above 0)" || fail "$(cat "$T/paged")"
paged '.[] | select(.kind == "degraded") | .sentence' | grep -q "no provider of pool 'default' takes mail" || fail "$(cat "$T/paged")"
jq -e '.event == "alert" and .spool == "'"$SPOOL"'" and (.ts | length) == 24 and (.since | length) == 24 and .host' "$T/paged" >/dev/null || fail "$(cat "$T/paged")"

# Told once in the time, by however many runs; then again, with since when.
for _ in 1 2 3; do pony run --quiet >/dev/null 2>&1 || true; done
at +30m run --quiet >/dev/null 2>&1 || true
is_so 2 "$(paged length)"
at +61m run --quiet >/dev/null 2>&1 || true
is_so 4 "$(paged length)"
is_so 1 "$(paged '[.[] | select(.kind == "queue") | .since] | unique | length')"

# When it is over that is told, once.
behave main
behave second
at +8h run --quiet >/dev/null 2>&1
at +8h run --quiet >/dev/null 2>&1
is_so '["degraded","queue"]' "$(paged '[.[4:][] | select(.state == "recovered") | .kind] | sort')"
is_so 6 "$(paged length)"

# Who could not be told is told by the next run.
rm "$T/paged" && rm -r "$SPOOL/state/alerts"
cat >"$T/fails" <<SH
#!/bin/sh
echo 'no modem' >&2
exit 1
SH
chmod +x "$T/fails"
with "{command: [$T/fails], disk: 100%}"
expect 0 pony run
err_has "alerts: '$T/fails': exited with 1: no modem"
with "{command: [$T/no/such], disk: 100%}"
expect 0 pony run
err_has "alerts: cannot start '$T/no/such'"
with "{command: [$T/page], disk: 100%}"
expect 0 pony run
err_is_empty
is_so '["disk"]' "$(paged '[.[].kind]')"
expect 0 pony run
is_so 1 "$(paged length)"

# One that hangs keeps no run for long, and is not left behind.
cat >"$T/hangs" <<SH
#!/bin/sh
echo \$\$ >>$T/hanging
exec sleep 600
SH
chmod +x "$T/hangs"
rm -r "$SPOOL/state/alerts"
with "{command: [$T/hangs], disk: 100%}"
expect 0 pony run
err_has "alerts: '$T/hangs': "
! kill -0 "$(cat "$T/hanging")" 2>/dev/null || fail "it was left behind"

# What is wrong with the section is said.
with "{queue: 0}"
expect 78 pony config check
err_has "'alerts' has no 'command' to be told"
with "{command: [x], oldest: 15}"
expect 78 pony config check
err_has "'15' is no threshold: give a duration such as 15m, or two, 15m:1h"
with "{command: [x], degraded: perhaps}"
expect 78 pony config check
with "{command: [x]}"
expect 0 pony config check
err_has "'alerts' names nothing to watch"
with "{command: [x, y], every: 2h, oldest: \"15m:1h\", queue: 100, failed: 0, uncertain: 0, disk: 5%, degraded: true}"
expect 0 pony config show
out_has 'oldest: "15m:1h"'
cp "$T/out" "$T/shown"
cp "$T/shown" "$T/again.yaml" && chmod 600 "$T/again.yaml"
sed -i "s/api_key: .*/api_key: $STAND_IN_KEY/" "$T/again.yaml"
"$PONY" --config "$T/again.yaml" config show | grep -v "^#" | diff <(grep -v "^#" "$T/shown") - || fail "it is shown otherwise than it is read"
