# Sourced after shell.sh by the tests of `pony sendmail`: links with the names
# that callers use, a configuration with aliases of the test's own, and words
# to look at what was queued.
command -v jq >/dev/null || { echo "skipped: jq is missing"; exit 77; }

mkdir "$T/bin"
for name in sendmail mailq newaliases; do ln -s "$PONY" "$T/bin/$name"; done
export PONY_CONFIG=$T/pony.yaml
: >"$T/aliases"
ME=$(id -un)

# settings [YAML]: the configuration, with more.
settings() {
  config <<YAML
spool: $SPOOL
origin: web1.widgets.example
aliases: $T/aliases
providers: {outbox: {type: maildir, path: $T/outbox}}
${1-}
YAML
}
settings
sendmail() { "$T/bin/sendmail" "$@"; }
mailq() { "$T/bin/mailq" "$@"; }

# fresh: an empty queue.
fresh() { rm -rf "$SPOOL"; }
# queued FOLDER FILTER: of the only message there, by jq; its events are lines
# of their own behind it.
queued() {
  [[ $(count_in "$1") == 1 ]] ||
    { ls -R "$SPOOL" >&2; fail "$(count_in "$1") messages in $1"; }
  find "$SPOOL/$1" -name '*.jsonl' -exec cat {} + | jq -rs "$2"
}
envelope() { queued "${1-new}" '.[0] | "\(.from // "<>") \(.to | join(" "))"'; }
mail_in() { queued "$1" '.[0].raw' | base64 -d; }
# is TEXT TEXT
is() { [[ $1 == "$2" ]] || { diff <(echo "$2") <(echo "$1") >&2; fail "not as expected (> is what came)"; }; }
# same_mail FOLDER <expected: the mail, its Date and Message-ID made plain.
same_mail() {
  mail_in "$1" | sed -e 's/^Date: .* +0000/Date: D/' \
    -e 's/^Message-ID: <[0-9A-Z]\{26\}@/Message-ID: <ID@/' >"$T/mail"
  diff - "$T/mail" >&2 || fail "the mail is not as expected (> is what came)"
}
nothing_queued() {
  [[ -z $(find "$SPOOL" -name '*.jsonl' 2>/dev/null | grep -v /log/) ]] ||
    fail "something was queued"
}
