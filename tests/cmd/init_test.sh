#!/usr/bin/env bash
# pony init, and the commands before anything is set up.
source "$(dirname "$0")/../support/shell.sh"

# Nothing is configured: everything works all the same.
built_in() { "$PONY" "$@"; }
if ((EUID != 0)); then
  expect 0 built_in enqueue --to a@example.com --from b@example.com --template welcome \
    --set name=A --set team=T --set action_url=https://x.example/
  expect 0 built_in run
  out_has "1 sent"
fi

expect 0 "$PONY" init "$T/here"
err_has "$T/here/pony.yaml"
[[ -f $T/here/templates/welcome/ja/subject.txt && -d $T/here/spool/new ]] || fail "not all is there"
expect 0 "$PONY" --config "$T/here/pony.yaml" config check
here() { "$PONY" --config "$T/here/pony.yaml" "$@"; }
expect 0 here enqueue --to a@example.com --template alert --set service=db --set status=down \
  --set since=now --set details=x --set dashboard_url=https://x.example/
expect 0 here run
out_has "1 sent"

# It never overwrites.
echo '# mine' >>"$T/here/pony.yaml"
echo mine >"$T/here/templates/welcome/en/subject.txt"
expect 0 "$PONY" init "$T/here"
tail -1 "$T/here/pony.yaml" | grep -q mine && grep -q mine "$T/here/templates/welcome/en/subject.txt" || fail "overwritten"
expect 73 "$PONY" init /dev/null/nowhere

# The face of the program.
expect 0 "$PONY" --help
out_has "enqueue"
expect 0 "$PONY" --version
expect 64 "$PONY"
expect 64 "$PONY" enqeue
err_has "did you mean 'enqueue'?"
for command in enqueue send run queue show events report retry cancel hold release init fsck "config check" "config show" sendmail "template check" "template preview" "template list"; do
  expect 0 "$PONY" $command --help
  out_has "Usage: pony $command"
done
