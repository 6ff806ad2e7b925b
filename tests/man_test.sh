#!/bin/bash
# The manual: every command and option has its place in it, every page is
# clean mdoc, and the programs that pony-spool(5) shows really queue mail.
source "$(dirname "$0")/support/shell.sh"

for tool in mandoc python3; do
  command -v "$tool" >/dev/null || { echo "skipped: $tool is missing"; exit 77; }
done
MAN=$PONY_SOURCE/man

# as_text PAGE: as a reader sees it.
as_text() { mandoc -T ascii -O width=200 "$1" | sed 's/.\x08//g'; }

# block PAGE HEADING: the first indented block below the heading, as a reader
# would copy it.
block() {
  as_text "$MAN/$1" | awk -v heading="$2" '
    { text = $0; sub(/^ +/, "", text) }
    text == heading { below = 1; next }
    below && /^           / { print substr($0, 12); inside = 1; next }
    inside && text != "" { below = inside = 0 }
    inside { print "" }'
}

# Every page is clean.
for page in "$MAN"/*.[1-9]; do
  mandoc -T lint -W warning "$page" || fail "$page is not clean"
done

# Every command has its page, in pony(1) too; every page has its command.
"$PONY" --help | sed -n '/^Mail/,/^Example/{/^Example/d;/./p}' | cut -c11- \
  >"$T/commands"
[[ -s $T/commands ]] || fail "no commands in: pony --help"
while read -r command _; do
  [[ -f $MAN/pony-$command.1 ]] || fail "there is no page pony-$command.1"
  grep -q "^\.Xr pony-$command 1" "$MAN/pony.1" ||
    fail "pony.1 does not name pony-$command"
done <"$T/commands"
for page in "$MAN"/pony-*.1; do
  command=$(basename "$page" .1)
  grep -q "^${command#pony-} " "$T/commands" || fail "$page has no command"
done

# Every option of a command is in its page; those that several commands share
# may be in the page of the first.
own_options() {
  "$PONY" "$@" --help | awk '
    /^[A-Z].*:$/ { shared = /^Options of every command/ }
    !shared && /^  -/ { while (match($0, /--[a-z-]+/)) {
      print substr($0, RSTART + 2, RLENGTH - 2)
      $0 = substr($0, RSTART + RLENGTH) } }' | sort -u
}
check_options() {
  local pages=$1 option
  shift
  for option in $(own_options "$@"); do
    [[ $option == help ]] && continue
    # shellcheck disable=SC2086
    (cd "$MAN" && cat $pages | grep -E "^\.It .*(Fl|,) -$option( |\$)" >/dev/null) ||
      fail "--$option of 'pony $*' is not in $pages"
  done
}
for command in init enqueue run queue show explain wait events feedback check \
  top schema completion fsck; do
  check_options "pony-$command.1" "$command"
done
for command in retry cancel hold release purge; do
  check_options "pony-$command.1 pony-queue.1" "$command"
done
check_options "pony-send.1 pony-enqueue.1" send
check_options "pony-report.1 pony-events.1" report
check_options "pony-config.1" config check
check_options "pony-config.1" config show
check_options "pony-forget.1" forget
for command in list add remove import; do
  check_options "pony-suppress.1" suppress "$command"
done
for command in list show; do
  check_options "pony-pool.1" pool "$command"
done
for command in list check pause resume; do
  check_options "pony-provider.1" provider "$command"
done
for command in list show add edit remove translate export import; do
  check_options "pony-template.1" template "$command"
done
for option in $("$PONY" queue --help |
  sed -n '/^Options of every/,/^$/s/.*--\([a-z-]*\).*/\1/p'); do
  grep -q "Fl.* -$option" "$MAN/pony.1" || fail "--$option is not in pony.1"
done

# The configuration that pony.yaml(5) shows is a right one.
block pony.yaml.5 EXAMPLES |
  sed "s,^templates:.*,templates: $PONY_SOURCE/templates," >"$T/example.yaml"
chmod 600 "$T/example.yaml"
expect 0 "$PONY" --config "$T/example.yaml" config check
out_has "5 providers, 3 pools"
err_is_empty

# The programs that pony-spool(5) shows queue mail that is delivered.
expect 0 pony queue
block pony-spool.5 "From a shell" >"$T/drop.sh"
block pony-spool.5 "From Python" >"$T/drop.py"
echo '{"to": "bob@example.com", "subject": "Dropped", "text": "By a shell."}' |
  sh "$T/drop.sh" "$SPOOL" || fail "the shell example does not run"
python3 "$T/drop.py" "$SPOOL" || fail "the Python example does not run"
[[ -z $(ls "$SPOOL/tmp") ]] || fail "something was left in tmp/"
[[ $(find "$SPOOL/new" -name '*.json' -perm 600 | wc -l) == 2 ]] ||
  fail "not two files of mode 600 in new/"
expect 0 pony run
out_has "(2 sent, 0 deferred, 0 failed)"
[[ $(count_in sent) == 2 ]] || fail "not two messages in sent/"
grep -q "By a shell\." "$T"/outbox/new/* || fail "the shell's mail is not there"
grep -q "It works\." "$T"/outbox/new/* || fail "Python's mail is not there"
[[ $(pony queue --state sent --tag signup --ids | wc -l) == 1 ]] ||
  fail "Python's tag is lost"

# It says so when there is no spool.
if sh "$T/drop.sh" "$T/nowhere" </dev/null 2>/dev/null; then
  fail "dropped into a spool that is not there"
fi
