#!/usr/bin/env bash
# The examples of pony-cookbook(7) do what the page says they do.
source "$(dirname "$0")/support/shell.sh"

mkdir "$T/bin" "$T/examples" "$T/work"
/usr/bin/python3 "$PONY_SOURCE/tests/support/cookbook.py" "$PONY_SOURCE/man/pony-cookbook.7" "$T/examples"

# A machine as the page assumes it: `pony` finds its configuration by itself.
config <<YAML
spool: $SPOOL
templates: $PONY_SOURCE/templates
default_from: Widget Team <team@widgets.example>
providers:
  main: {type: maildir, path: $T/outbox}
  second: {type: maildir, path: $T/second}
YAML
printf '#!/bin/sh\nexec "%s" "$@"\n' "$PONY" >"$T/bin/pony"
printf '#!/bin/sh\ncat >>"%s"\n' "$T/paged" >"$T/bin/page-me"
chmod +x "$T/bin/"*
export PATH=$T/bin:$PATH PONY_CONFIG=$T/pony.yaml
unset -f pony

# The paths of the page's machine, on this one.
here() {
  sed -e "s|/usr/bin/pony|$T/bin/pony|g" -e "s|/usr/local/bin/|$T/bin/|g" \
    -e "s|/var/lib/prometheus/node-exporter|$T/work|g" -e "s|/var/spool/pony|$SPOOL|g" "$1"
}

# Mail of all sorts, so that the questions have answers.
id=$(pony enqueue --to ann@example.com --subject Receipt --text x --tag signup)
pony enqueue --quiet --to ann@example.com --subject Letter --text x --tag newsletter >/dev/null
pony run --quiet
ID=$(pony enqueue --to bob@example.com --subject Later --text x --at 2099-01-01T00:00:00Z)
pony cancel --quiet "$ID"
pony enqueue --quiet --to cy@example.com --subject Letter --text x --tag newsletter --at 2099-01-01T00:00:00Z >/dev/null
export ID
printf 'email,created\nannoyed@example.com,1763715600\nann@example.com,1763715600\n' >"$T/work/bounces.csv"

run_sh() {  # as a person types it, line by line
  sed -n 's/^\$ //p' "$1" >"$1.sh"
  [[ -s $1.sh ]] || fail "$1: nothing to type"
  (cd "$T/work" && bash -eo pipefail "$1.sh") >"$1.out" 2>&1 || { cat "$1.out" >&2 && fail "$(cat "$1.sh")"; }
}
run_crontab() {
  local user line command
  while read -r line; do
    read -r _ _ _ _ _ user command <<<"$line"
    [[ $user == pony ]] || fail "no user: $line"
    [[ $command != *%* ]] || fail "cron makes a line break of %: $line"
    ! command -v crontab >/dev/null || crontab -n - <<<"${line/ pony / }" 2>"$T/err" ||
      grep -q 'not allowed\|unknown option\|invalid option' "$T/err" || { cat "$T/err" >&2 && fail "$line"; }
    sh -ec "$command" >"$T/out" 2>"$T/err" || { cat "$T/out" "$T/err" >&2 && fail "$command"; }
    [[ ! -s $T/out && ! -s $T/err ]] || { cat "$T/out" "$T/err" >&2 && fail "cron would mail this: $command"; }
  done < <(here "$1")
}
run_systemd() {
  local unit=$T/work/${1#*.systemd.} pid
  here "$1" >"$unit"
  if command -v systemd-analyze >/dev/null; then
    sed -e 's/^User=.*//' "$unit" >"$unit.tmp" && mv "$unit.tmp" "$unit"
    systemd-analyze verify --man=no "$unit" 2>"$T/err" || grep -q 'Failed to' "$T/err" || { cat "$T/err" >&2 && fail "$unit"; }
    ! grep -q 'Unknown' "$T/err" || { cat "$T/err" >&2 && fail "$unit"; }
  fi
  local start
  start=$(sed -n 's/^ExecStart=//p' "$unit")
  [[ -n $start ]] || return 0
  $start >"$T/out" 2>"$T/err" & pid=$!
  if [[ $start == *--loop* ]]; then
    # It reads signals from a descriptor: they are blocked when it is ready.
    wait_until grep -q '^SigBlk:.*[1-9a-f]' "/proc/$pid/status"
    kill -HUP "$pid"
    kill -TERM "$pid"
  fi
  wait "$pid" || { cat "$T/err" >&2 && fail "exit code $?: $start"; }
}
run_logrotate() {
  command -v logrotate >/dev/null || return 0
  here "$1" | sed "s/su pony pony/su $(id -un) $(id -gn)/" >"$T/work/logrotate.conf"
  # Each time there is something new; the last of the old ones gets compressed.
  for _ in 1 2 3; do
    touch -d '3 days ago' "$SPOOL"/log/*
    logrotate -f -s "$T/work/logrotate.state" "$T/work/logrotate.conf" 2>"$T/err" || { cat "$T/err" >&2 && fail logrotate; }
    pony enqueue --quiet --to dan@example.com --subject s --text x --at 1d >/dev/null
  done
  [[ -n $(find "$SPOOL/log" -name '*.gz') ]] || fail "nothing was compressed: $(ls "$SPOOL/log")"
  [[ $(pony report --by event --json | jq 'map(.events) | add') == "$(zcat -f "$SPOOL"/log/* | wc -l)" ]] ||
    fail "a report over rotated logs does not count each line once"
}
run_yaml() {
  { cat "$T/pony.yaml" && here "$1"; } >"$T/work/more.yaml"
  chmod 600 "$T/work/more.yaml"
  "$PONY" --config "$T/work/more.yaml" config check >"$T/out" 2>&1 || { cat "$T/out" >&2 && fail "$1"; }
}
run_script() { here "$1" >"$T/bin/${1#*.script.}" && chmod +x "$T/bin/${1#*.script.}"; }

# Scripts first: other examples call them.
for kind in script crontab systemd logrotate yaml sh; do
  for example in "$T/examples/"*."$kind"*; do
    [[ $example != *.sh.* || $kind == sh ]] && [[ $example != *.out ]] || continue
    "run_$kind" "$example"
  done
done

# --- and they did what they are for
# the weekly report is in the spool, once, with its page
pony run --quiet
report=$(grep -rl 'Mail of the last seven days' "$T/outbox/new")
[[ $(wc -l <<<"$report") == 1 ]] || fail "not one report: $report"
grep -q 'report.html' "$report" || fail "the report has no page"
# the two files for Prometheus are there
grep -q '^pony_' "$T/work/pony.prom" || fail "no figures for Prometheus"
grep -q '^pony_' "$T/work/pony_providers.prom" || fail "no figures of providers"
# the address was mended, the newsletter was cancelled, Ann is forgotten
pony show "$ID" | grep -q 'ann@example.org' || fail "the address was not mended"
[[ $(pony queue --state failed --tag newsletter --ids | wc -l) == 1 ]] || fail "the newsletter waits"
[[ -s $T/work/receipt.txt ]] || fail "no receipt"
expect 66 pony show "$id"
# a provider tells, through CGI
cat >>"$T/work/cgi.yaml" <<YAML
spool: $SPOOL
providers:
  main: {type: postmark, api_key: k, webhook: {username: hook, password: secret}}
YAML
chmod 600 "$T/work/cgi.yaml"
body="{\"RecordType\":\"Bounce\",\"Type\":\"HardBounce\",\"ID\":1,\"Email\":\"gone@example.com\",\"BouncedAt\":\"$(date -u +%FT%TZ)\",\"MessageID\":\"x\"}"
GATEWAY_INTERFACE=CGI/1.1 REQUEST_METHOD=POST CONTENT_TYPE=application/json CONTENT_LENGTH=${#body} \
  HTTP_AUTHORIZATION="Basic $(printf hook:secret | base64)" PONY_CONFIG=$T/work/cgi.yaml \
  "$T/bin/main" <<<"$body" >"$T/out" 2>"$T/err" || { cat "$T/err" >&2 && fail "the CGI script"; }
grep -q '^Status: 200' "$T/out" || { cat "$T/out" >&2 && fail "not taken"; }
pony suppress list | grep -q 'gone@example.com' || fail "who bounced is still written to"
echo ok
