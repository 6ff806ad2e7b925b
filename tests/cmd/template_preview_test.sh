#!/usr/bin/env bash
# pony template preview: as text, as JSON, and as a page that a real browser
# shows, in which nothing of a mail runs and from which nothing gets out.
source "$(dirname "$0")/../support/shell.sh"
command -v jq >/dev/null || exit 77

cp -r "$PONY_SOURCE/templates" "$T/templates"
config <<YAML
spool: $SPOOL
templates: $T/templates
default_from: Widget Team <team@widgets.example>
providers:
  outbox: {type: maildir, path: $T/outbox}
YAML
preview() { pony template preview "$@"; }
# A language of a template, from stdin: its mustache text body.
language() {
  mkdir -p "$T/templates/$1/$2"
  echo "engine: mustache" >"$T/templates/$1/template.yaml"
  echo "Hello {{name}}" >"$T/templates/$1/$2/subject.txt"
  cat >"$T/templates/$1/$2/body.txt"
}

# As text: one language, what was not given made up and told.
expect 0 preview welcome --lang es-MX --set name=Ann
out_has "Language:  es"
out_has "From:      Widget Team <team@widgets.example>"
out_has "Subject:   Te damos la bienvenida, Ann"
out_has "‹action_url›"
err_has "made-up values: action_url, team"
expect 0 preview welcome --quiet --set nmae=Ann
err_is_empty
expect 0 preview welcome --set nmae=Ann
err_has "did you mean 'name'?"

# As JSON: one document a language.
expect 0 preview welcome --json --lang en --lang ja --data - <<<'{"name":"Ann","team":"T","action_url":"https://x.example/"}'
[[ $(jq -r .lang "$T/out" | paste -sd,) == en,ja ]] || fail "languages"
[[ $(jq -rs '.[0].subject' "$T/out") == "Welcome, Ann" ]] || fail "subject"
[[ $(jq -cs '.[0].made_up' "$T/out") == "[]" ]] || fail "made up"
jq -es '.[0] | .html | contains("https://x.example/")' "$T/out" >/dev/null || fail "html"
# --set goes before --data; sections, lists and formatted values.
language list en <<<'{{#items}}{{title}} {{#money}}{{price}}{{/money}};{{/items}} {{name}}'
echo '{"name":"Ann","items":[{"title":"pen"}]}' >"$T/data.json"
expect 0 preview list --data "$T/data.json" --set name=Bob
out_has "pen"
out_has "; Bob"
err_has "made-up values: items.price"

# Nothing in a mail moves the cursor of a terminal.
language escape en <<<$'a\tb {{name}}'
expect 0 preview escape --set name=$'x' --data - <<<'{"x":1}'
out_has $'a\tb x'
language escape en <<<$'{{name}} \e[31m{{{note}}}'
expect 65 preview escape --data - <<<'{"name":"a\u001b]0;b"}'
err_has "control character"
expect 0 preview escape --set name=n --data - <<<'{"note":"\u001b[2J\u009b"}'
grep -q $'\e' "$T/out" && fail "an escape sequence"

# What cannot be done.
expect 66 preview welcom
err_has "did you mean 'welcome'?"
expect 0 preview list --lang ja
out_has "Language:  en (for ja)"
expect 65 preview list --data - <<<'[]'
expect 65 preview list --data - <<<'{"a":'
expect 66 preview list --data "$T/none.json"
expect 64 preview list --set name
expect 64 preview list --lang '../x'
expect 64 preview list --json --html -
expect 73 preview list --html "$T/no/such/folder.html"
expect 73 preview list --html "$T"
expect 73 preview list --html /dev/null

# A page is written whole or not at all, never through a link; a language that
# cannot be shown does not keep the others from it.
page=$T/page.html
echo old >"$page"
ln -s "$page" "$T/link.html"
expect 73 preview list --html "$T/link.html"
[[ $(cat "$page") == old ]] || fail "written through a link"
language list es <<<'{{#items}}'
language list fr <<<'{{#money}}{{note}}{{/money}}'
expect 78 preview list --html "$page"
err_has "es: template 'list' cannot be used"
grep -q 'id="lang-fr"' "$page" && grep -q 'is never closed' "$page" || fail "not all is on the page"
[[ -z $(find "$T" -maxdepth 1 -name '.page.html*') ]] || fail "something is left"
expect 0 preview list --html "$page" --lang en --json
[[ $(jq -c '[.template, .languages]' "$T/out") == '["list",["en"]]' ]] || fail "summary"
expect 0 preview list --html - --lang en
[[ $(head -1 "$T/out") == "<!DOCTYPE html>" ]] || fail "no page"

# Fifty languages of 100 KB.
big=$T/templates/big
for n in {1..50}; do
  mkdir -p "$big/en-x-l$n"
  echo Hello >"$big/en-x-l$n/subject.txt"
done
head -c 75000 /dev/urandom | base64 | sed 's/.*/<p>& "<a href=x>$name<\/a>/' >"$big/en-x-l1/body.html"
for n in {2..50}; do cp "$big/en-x-l1/body.html" "$big/en-x-l$n/"; done
expect 0 preview big --html "$page"
(($(stat -c %s "$page") < 30000000)) || fail "the page is large"
[[ $(grep -o '<article' "$page" | wc -l) == 50 ]] || fail "languages are missing"
rm -r "$big"

command -v chromium >/dev/null || exit 77
expect 0 /usr/bin/python3 -B "$PONY_SOURCE/tests/support/look_at_previews.py" "$T" "$PONY" --config "$T/pony.yaml"
