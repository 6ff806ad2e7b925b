#!/usr/bin/env bash
# pony template check, as continuous integration would call it.
source "$(dirname "$0")/../support/shell.sh"

# --- the samples are clean, in every language, also for the strict
expect 0 pony template check --strict
out_has "4 templates: nothing to find fault with"
err_is_empty
expect 0 pony --quiet template check
[[ ! -s $T/out ]] || fail "--quiet said something"
expect 0 pony --json template check
[[ ! -s $T/out ]] || fail "there is no finding, and yet a line"

# --- a template of the test's own
R=$T/templates
mkdir -p "$R"/order/{en,es}
echo 'engine: mustache' >"$R/order/template.yaml"
for lang in en es; do
  echo 'Order {{number}}' >"$R/order/$lang/subject.txt"
  echo 'Hello {{name}}, order {{number}}' >"$R/order/$lang/body.txt"
  cat >"$R/order/$lang/body.html" <<HTML
<!doctype html><html lang="$lang"><head><title>x</title></head><body>
<p>Hello {{name}}, order {{number}}</p>
</body></html>
HTML
done
config <<YAML
spool: $SPOOL
templates: $R
default_from: Widget Team <team@widgets.example>
providers:
  outbox: {type: maildir, path: $T/outbox}
YAML
expect 0 pony template check order
out_has "1 template: nothing to find fault with"

# --- errors fail the call, warnings only a strict one
touch "$R/order/es/body.htm"
expect 0 pony template check
out_has "$R/order/es/body.htm: warning: nothing reads 'body.htm'"
out_has "    did you mean 'body.html'?"
out_has "1 template: 0 errors, 1 warning"
expect 1 pony template check --strict
expect 0 pony --quiet template check
[[ ! -s $T/out ]] || fail "--quiet tells warnings"
sed -i 's/<p>/<p class={{kind}}>/' "$R/order/es/body.html"
expect 1 pony template check
out_has "$R/order/es/body.html:2: error: 'kind' stands in the attribute 'class' without quotes"
expect 1 pony --quiet template check
grep -q ': warning: ' "$T/out" && fail "--quiet tells warnings"
expect 1 pony --json template check order
[[ $(jq -c 'select(.check == "html") | [.template, .lang, .line, .severity]' "$T/out") == '["order","es",2,"error"]' ]] ||
  fail "$(cat "$T/out")"

# --- paths are those that an editor, started here, can open
(
  cd "$T"
  expect 1 pony template check
  grep -q '^templates/order/es/body.html:2: ' "$T/out" || fail "no path from here"
  cd "$R"
  expect 1 pony template check
  grep -q '^order/es/body.html:2: ' "$T/out" || fail "no path from the root"
)

# --- one language
expect 0 pony template check --lang en
expect 1 pony template check --lang es
expect 66 pony template check --lang fr
sed -i 's/ class={{kind}}//' "$R/order/es/body.html"
rm "$R/order/es/body.htm"

# --- what there is not
expect 66 pony template check odrer
err_has "did you mean 'order'?"
expect 64 pony template check --data a --against b
expect 66 pony template check --data "$T/none"
chmod o+w "$R"
expect 77 pony template check
chmod o-w "$R"
mv "$R" "$R.away"
expect 78 pony template check
err_has "there is no folder of templates"
mv "$R.away" "$R"

# --- values: each language is filled in
echo '{"name": "Ann", "number": 7}' >"$T/data.json"
expect 0 pony template check order --data "$T/data.json" --strict
out_has "1 template, 1 message: nothing"
echo '{"nmae": "Ann"}' >"$T/data.json"
expect 1 pony template check order --data "$T/data.json"
out_has "$R/order/es/body.txt:1: error: 'name' has no value"
out_has "$R/order/en/body.txt:1: error: 'name' has no value"
out_has "you gave 'nmae': did you mean 'name'?"
out_has "warning: nothing uses 'nmae', which was given"
expect 0 pony template check order --data "$T/data.json" --set name=Ann --set number=7
expect 0 pony template check order --set name=Ann --set number=7
expect 1 pony template check order --set name=Ann
expect 64 pony template check order --set name
expect 1 pony template check --data - <<<'{"to": "a@example.com", "template": "order", "replacements": {"name": "Ann"}}'
out_has "'number' has no value"
expect 65 pony template check --data - <<<'{"name": '
expect 65 pony template check --data - <<<'[1]'
expect 0 pony template check --data - <<<'{"to": "a@example.com", "template": "other"}'
err_has "no message was tried"

# --- real messages: an event log, files of the spool, JSON Lines
one=$(pony enqueue --to ann@example.com --template order --lang en --set name=Ann --set number=1)
two=$(pony enqueue --to bob@example.com --template order --lang es --set name=Bob --set number=2)
three=$(pony enqueue --to bob@example.com --template order --lang es --set name=Bob --set number=3)
pony enqueue --to cy@example.com --subject none --text none >"$T/out"
expect 0 pony --quiet run
expect 0 pony template check --against "$SPOOL"/log/events-*.jsonl
out_has "1 template, 3 messages: nothing to find fault with"
echo 'Dear {{salutation}} {{name}}, order {{number}}' >"$R/order/es/body.txt"
expect 1 pony template check order --against "$SPOOL"/log/events-*.jsonl
out_has "$R/order/es/body.txt:1: error: 2 of 2 messages lack 'salutation' in es ($two)"
find "$SPOOL/sent" -name "*.jsonl" >"$T/files"
[[ $(wc -l <"$T/files") == 4 ]] || fail "not four files"
expect 1 pony template check --against $(cat "$T/files")
out_has "1 template, 3 messages: "
out_has "2 of 2 messages lack 'salutation' in es"
expect 1 pony --json template check --against "$SPOOL"/log/events-*.jsonl
[[ $(jq -c 'select(.check == "data") | [.messages, .of, .example]' "$T/out") == "[2,2,\"$two\"]" ]] || fail "$(cat "$T/out")"

# One is gone from the spool; a line is none.
rm "$(find "$SPOOL/sent" -name "$three.jsonl")"
echo 'torn {' >>"$(echo "$SPOOL"/log/events-*.jsonl)"
expect 1 pony template check --against "$SPOOL"/log/events-*.jsonl
out_has "1 template, 2 messages, 1 gone from the spool, 1 line could not be read: "
out_has "order/es/body.txt:1: error: 'salutation' has no value"

printf '%s\n' '{"to":"a@example.com","template":"order","lang":"en","replacements":{"name":"Ann"}}' \
  '{"to":"a@example.com","template":"order","lang":"en","replacements":{"name":"Ann","number":1}}' >"$T/orders.jsonl"
expect 1 pony template check --lang en --against "$T/orders.jsonl"
out_has "error: 1 of 2 messages lack 'number' in en ($T/orders.jsonl:1)"
: "$one"
echo ok
