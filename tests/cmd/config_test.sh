#!/usr/bin/env bash
# pony config check and config show.
source "$(dirname "$0")/../support/shell.sh"

# --- a good configuration is said to be fine, with what it has
expect 0 pony config check
out_has "'$T/pony.yaml' is fine: 1 provider, 1 pool, 4 templates"
expect 0 pony --json config check
[[ $(jq -c '[.result, .providers, .pools, .templates]' "$T/out") == '[true,1,1,4]' ]] || fail "$(cat "$T/out")"
expect 0 pony --quiet config check
err_is_empty

# --- every problem is named with its line
config <<YAML
spool: $SPOOL
retires: {first: 1m}
providers:
  relay: {type: smtp, prot: 25}
YAML
expect 78 pony config check
err_has "pony.yaml:2"
err_has "did you mean 'retry'?"
err_has "pony.yaml:4"
expect 78 pony config show

# --- templates that cannot be used are problems, each by its name
mkdir -p "$T/templates/welcome/en" "$T/templates/empty"
echo 'Hello' >"$T/templates/welcome/en/subject.txt"
config <<YAML
spool: $SPOOL
templates: $T/templates
providers:
  relay: {type: smtp, host: mail.widgets.example, username: u, password: "\${PONY_TEST_NO_SUCH_SECRET}"}
YAML
expect 78 pony config check
err_has "has 2 problems"
err_has "template 'empty': it has no language"
err_has "template 'welcome', en:"
rm -r "$T/templates/empty"
echo 'Hello' >"$T/templates/welcome/en/body.txt"
expect 0 pony config check
out_has "1 template"
rm -r "$T/templates"
expect 78 pony config check
err_has "there is no folder '$T/templates'"

# --- secrets are looked at only when asked for, and never shown
mkdir "$T/templates"
expect 0 pony config check
expect 78 pony config check --secrets
err_has "PONY_TEST_NO_SUCH_SECRET"
PONY_TEST_NO_SUCH_SECRET=hunter2 expect 0 pony config check --secrets
sed -i 's/"${PONY.*}"/hunter2/' "$T/pony.yaml"
expect 0 pony config check --secrets
expect 0 pony config show
grep -q hunter2 "$T/out" && fail "a secret was shown"
out_has "# read from $T/pony.yaml"
out_has "give_up_after: 5d"

# --- what it shows is a configuration
expect 0 pony config show
cp "$T/out" "$T/shown.yaml"
chmod 600 "$T/shown.yaml"
expect 0 "$PONY" --config "$T/shown.yaml" config check

# --- without a file the built-in configuration is meant
(
  cd "$T"
  if [[ ! -e /etc/pony/pony.yaml ]]; then
    expect 0 "$PONY" config show
    out_has "# the built-in configuration"
    out_has "outbox"
    expect 0 "$PONY" config check
    out_has "the built-in configuration is fine: 1 provider"
  fi
)
expect 66 "$PONY" --config "$T/none.yaml" config check
echo ok
