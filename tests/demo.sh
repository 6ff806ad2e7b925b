#!/usr/bin/env bash
# ./dev demo: the main job on the embedded default, as a newcomer meets it. No
# configuration, no server: a spool, the sample templates, a Maildir.
#   tests/demo.sh PONY
set -euo pipefail
PATH=$(cd "$(dirname "$1")" && pwd):$PATH
home=$(mktemp -d "${TMPDIR:-/tmp}/pony-demo.XXXXXX")
trap 'rm -rf "$home"' EXIT
# Nobody's configuration, nobody's mail: everything is below this folder.
export HOME=$home XDG_CONFIG_HOME=$home/config XDG_STATE_HOME=$home/state
unset PONY_CONFIG
cd "$home"

bold() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() {
  bold "\$ $*"
  "$@"
}

bold '$ pony init            # configuration, spool, sample templates: all in a folder'
pony init "$home/pony"
export PONY_CONFIG=$home/pony/pony.yaml

bold 'A script pipes JSON in; an id comes out when the message is safe on disk.'
cat >ann.json <<'JSON'
{"to": "Ann <ann@example.com>", "template": "welcome", "lang": "en",
 "replacements": {"name": "Ann", "team": "Widget Team",
                  "action_url": "https://widgets.example/start"},
 "tags": ["signup"]}
JSON
cat >yuki.json <<'JSON'
{"to": [{"name": "田中 雪", "email": "yuki@example.jp"}],
 "template": "welcome", "lang": "ja-JP",
 "replacements": {"name": "田中", "team": "Widget Team",
                  "action_url": "https://widgets.example/ja/start"},
 "tags": ["signup"]}
JSON
bold '$ cat ann.json; pony enqueue < ann.json'
cat ann.json
pony enqueue <ann.json | tee id
run pony enqueue yuki.json

run pony queue
run pony run
bold '$ cat outbox/new/*     # what was delivered, in two languages'
for mail in "$home"/pony/spool/outbox/new/*; do
  # The text part is enough here; the HTML part follows it in the file.
  sed '/^Content-Type: text\/html/,$d' "$mail"
  printf '…\n\n'
done
run pony show "$(cat id)"
bold '$ pony events --json   # the event log, one JSON object a line'
pony events --json
run pony queue
run pony report --by tag
bold 'That was all of it, in a folder that is gone now. Next: pony init'
