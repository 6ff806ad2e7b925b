#!/usr/bin/env bash
# pony template list, show, add, edit, remove, translate, export and import, as
# a translator and a script use them.
source "$(dirname "$0")/../support/shell.sh"

TEMPLATES=$T/templates
mkdir "$TEMPLATES"
chmod 755 "$TEMPLATES"
config <<YAML
spool: $SPOOL
templates: $TEMPLATES
default_from: Widget Team <team@widgets.example>
providers:
  outbox: {type: maildir, path: $T/outbox}
YAML
unset VISUAL EDITOR || true
# holds FILE TEXT: the file is just that, byte for byte.
holds() { diff -u <(printf '%b' "$2") "$TEMPLATES/$1" || fail "$1 is not that"; }
# editor SCRIPT: what EDITOR does, with the copies as "$@".
editor() {
  printf '#!/bin/sh\n%s\n' "$1" >"$T/editor"
  chmod 755 "$T/editor"
}
edit() { TMPDIR=$T/tmp EDITOR=$T/editor "$PONY" --config "$T/pony.yaml" template edit "$@" </dev/null; }
mkdir "$T/tmp"
nothing_left() {
  [[ -z $(find "$TEMPLATES" -name '.pony-*') ]] || fail "something was left in TEMPLATES"
}
# snapshot: every file and its content.
snapshot() { (cd "$TEMPLATES" && find . -type f -exec sha256sum {} + | sort -k2); }

# --- nothing is there yet
expect 0 pony template list
[[ ! -s $T/out ]] || fail "templates out of nothing"
err_has "there are no templates in '$TEMPLATES'"
expect 66 pony template show welcome
err_has "no template 'welcome'"

# --- a script adds one, from flags and stdin
expect 0 pony template add welcome --name 'A warm welcome' --from 'Widget Team <team@widgets.example>' \
  --tag signup --tag eu --subject 'Welcome, $name' --text - <<<'Hello $name, $$$balance is yours.'
err_has "added 'welcome' in 1 language to $TEMPLATES"
[[ ! -s $T/out ]] || fail "talk on stdout"
holds welcome/en/subject.txt 'Welcome, $name\n'
holds welcome/en/body.txt 'Hello $name, $$$balance is yours.\n'
holds welcome/template.yaml 'name: A warm welcome\nfrom: Widget Team <team@widgets.example>\ntags: [signup, eu]\n'
[[ $(stat -c %a "$TEMPLATES/welcome" "$TEMPLATES/welcome/en" "$TEMPLATES/welcome/en/body.txt") == $'755\n755\n644' ]] ||
  fail "others who may read the templates cannot read this one"
nothing_left
expect 0 pony enqueue --to ann@example.com --template welcome --set name=Ann --set balance=25

# --- never overwrites
before=$(snapshot)
expect 73 pony template add welcome --subject Other --text - <<<"Other"
err_has "there is a template 'welcome' already"
err_has "pony template edit welcome"
[[ $(snapshot) == "$before" ]] || fail "it was changed"

# --- what cannot be used is not added, and all of it is said
expect 64 pony template add bad --text - <<<"Body"
err_has "the subject is missing"
expect 65 pony template add bad --subject $'two\nlines' --html "$PONY_SOURCE/templates/welcome/en/body.html"
err_has "$TEMPLATES/bad/en/subject.txt' has a line break"
expect 65 pony template add bad --subject S
err_has "$TEMPLATES/bad/en' has no body"
expect 65 pony template add bad --subject S --from 'no address' --lang xx --text - <<<"Body"
err_has "$TEMPLATES/bad/template.yaml:2: 'from'"
expect 65 pony template add bad --subject S --lang ../../etc --text - <<<"Body"
err_has "is no language"
expect 65 pony template add ../bad --subject S --text - <<<"Body"
err_has "cannot name a template"
expect 65 pony template add _bad --subject S --text - <<<"Body"
err_has "cannot name a template"
expect 65 pony template add bad --subject S --text - < <(printf 'caf\xe9')
err_has "is not UTF-8"
expect 65 pony template add bad --subject S --text - < <(head -c 1100000 /dev/zero | tr '\0' x)
expect 66 pony template add bad --subject S --text "$T/no-such-file"
expect 64 pony template add bad --subject S --text - --html - <<<"x"
err_has "cannot both be standard input"
[[ $(ls "$TEMPLATES") == welcome ]] || fail "something was added"
nothing_left

# --- from a folder, and from the document that a PonyExpress in CouchDB has
mkdir -p "$TEMPLATES/_partials" && cp -r "$PONY_SOURCE/templates/_partials/." "$TEMPLATES/_partials"
expect 0 pony template add receipt "$PONY_SOURCE/templates/receipt"
diff -r "$PONY_SOURCE/templates/receipt" "$TEMPLATES/receipt" || fail "the folder's copy differs"
expect 64 pony template add other "$PONY_SOURCE/templates/receipt" --name Other
expect 65 pony template add other "$T/tmp"
err_has "it has no language"
expect 0 pony template add order <<'JSON'
{"_id": "order_old", "_rev": "3-96a5", "doc_type": "PonyExpressTemplate", "name": "Your order", "format": "html",
 "contents": [{"doc_type": "LocalTemplate", "lang": "EN", "subject": "Order $order", "body": "<p>$name</p>"},
              {"doc_type": "LocalTemplate", "lang": "ES", "subject": "Pedido $order", "body": "<p>¡$name!</p>"}]}
JSON
holds order/template.yaml 'name: Your order\ndefault_lang: en\n'
holds order/es/body.html '<p>¡$name!</p>'
expect 65 pony template add again <<<'{"_id": "again", "format": "html", "contents": []}'
err_has "has no language"
expect 65 pony template add again <<<'{"_id": "again"'
err_has "unexpected end of input"
expect 65 pony template add again <<<'[{}, {}]'
err_has "there are 2 templates in the input, not one"

# --- list and show
expect 0 pony template list
out_has "ID       NAME            DEFAULT  PARTS      LANGUAGES"
out_has "order    Your order      en       html       en es"
out_has "receipt  Receipt         en       text+html  de en es ja"
expect 0 pony --json template list
[[ $(jq -rc 'select(.id == "order") | [.name, .default_lang, .languages, .parts, .problem]' "$T/out") == \
  '["Your order","en",["en","es"],["html"],null]' ]] || fail "$(cat "$T/out")"
[[ $(wc -l <"$T/out") == 3 ]] || fail "not an object a line"
expect 0 pony template show order --lang es-MX
out_has "Tag:              order"
out_has "Name:             Your order"
out_has "Content Type:     text/html"
out_has "Default Language: en"
out_has "Languages:        en es"
out_has "Names:            order, name"
out_has "Language:         es"
out_has "Subject:          Pedido \$order"
out_has "  <p>¡\$name!</p>"
expect 0 pony template show welcome --json
[[ $(jq -c '[.id, .names, .tags, .text, .html, .from]' "$T/out") == \
  '["welcome",["name","balance"],["signup","eu"],"Hello $name, $$$balance is yours.\n",null,"Widget Team <team@widgets.example>"]' ]] ||
  fail "$(cat "$T/out")"
# what could command a terminal does not
printf 'a\tb\033[2J\r\n' >"$TEMPLATES/order/en/body.txt"
expect 0 pony template show order
out_has $'  a\tb\\x1b[2J'
rm "$TEMPLATES/order/en/body.txt"
expect 66 pony template show ordr
err_has "did you mean 'order'?"
# a broken one does not hide the others
mkdir "$TEMPLATES/broken"
expect 0 pony template list
out_has "(it has no language)"
out_has "order    Your order"
rmdir "$TEMPLATES/broken"

# --- a translator begins with the source's copy, or brings the whole
expect 0 pony template translate welcome fr
err_has "added 'fr' to template 'welcome' with the copy of 'en'"
err_has "pony template edit welcome --lang fr"
holds welcome/fr/body.txt 'Hello $name, $$$balance is yours.\n'
grep -qx 'from: en' "$TEMPLATES/welcome/fr/translation.yaml" || fail "nothing recorded"
expect 73 pony template translate welcome FR
err_has "has the language 'fr' already"
expect 0 pony template translate welcome es --subject 'Hola, $name' --text - <<<'Hola $name, $$$balance.'
holds welcome/es/subject.txt 'Hola, $name\n'
expect 65 pony template translate welcome de --subject 'Willkommen'
err_has "has no body"
expect 65 pony template translate welcome ../x
expect 66 pony template translate welcome de --from nl
expect 66 pony template translate wellcome de
err_has "did you mean 'welcome'?"
nothing_left

# --- and edits it: only that file changes
editor 'sed -i s/Welcome/Bienvenue/ "$1"'
expect 0 edit welcome --lang fr subject
err_has "changed fr/subject.txt of template 'welcome'"
holds welcome/fr/subject.txt 'Bienvenue, $name\n'
[[ -z $(ls "$T/tmp") ]] || fail "the copy was not removed"
[[ $(stat -c %a "$TEMPLATES/welcome/fr/subject.txt") == 644 ]] || fail "wrong mode"
expect 0 pony template list
out_has "en es fr"
# all the copy at once; nothing changed is said
editor '[ $# = 2 ] || exit 9; case $1 in */subject.txt) ;; *) exit 8;; esac'
expect 0 edit welcome --lang fr
err_has "nothing was changed"
# an argument in EDITOR
expect 0 env VISUAL="sed -i s/Bienvenue/Bonjour/" "$PONY" --config "$T/pony.yaml" template edit welcome --lang fr subject
holds welcome/fr/subject.txt 'Bonjour, $name\n'

# --- when the source changes, who lags behind is said, until it has caught up
editor 'sed -i s/Welcome/Hello/ "$1"'
expect 0 edit welcome subject
err_has "fr lags behind en: subject.txt changed since"
err_has "pony template translate welcome fr --done"
expect 0 pony template list
out_has "en es* fr*"
expect 0 pony --json template list
[[ $(jq -rc 'select(.id == "welcome").stale[1]' "$T/out") == '{"lang":"fr","from":"en","files":["subject.txt"]}' ]] ||
  fail "$(cat "$T/out")"
expect 0 pony template translate welcome fr --done
err_has "'fr' of template 'welcome' is up to date with 'en'"
expect 0 pony template list
out_has "en es* fr"
# another checkout's line ends change nothing
sed -i 's/$/\r/' "$TEMPLATES/welcome/en/body.txt"
expect 0 pony template list
out_has "en es* fr"
sed -i 's/\r$//' "$TEMPLATES/welcome/en/body.txt"
expect 66 pony template translate welcome nl --done
expect 64 pony template translate welcome en --done
err_has "cannot be a translation of itself"

# --- a bad edit changes nothing, and is not lost
before=$(snapshot)
editor 'echo "from: nobody at all" >>"$1"'
expect 65 edit welcome settings
err_has "welcome/template.yaml:4"
err_has "what you wrote is kept in $T/tmp/pony-edit."
grep -q "nobody at all" "$T"/tmp/pony-edit.*/template.yaml || fail "the text is lost"
[[ $(stat -c %a "$T"/tmp/pony-edit.*) == 700 ]] || fail "others can read the copy"
rm -r "$T"/tmp/pony-edit.*
editor ': >"$1"'
expect 65 edit welcome subject
err_has "is empty"
editor 'printf "caf\351" >"$1"'
expect 65 edit welcome text
err_has "is not UTF-8"
editor 'ln -sf /etc/passwd "$1"'
expect 65 edit welcome text
editor 'exit 3'
expect 75 edit welcome
err_has "the editor ended with exit code 3: nothing is changed"
editor 'echo more >>"$1"; exit 1'
expect 75 edit welcome text
err_has "is kept in"
expect 64 pony template edit welcome text </dev/null
err_has "set EDITOR"
expect 64 edit welcome txt
err_has "did you mean 'text'?"
expect 66 edit welcome --lang nl
err_has "there are: en, es, fr"
[[ $(snapshot) == "$before" ]] || fail "a bad edit changed something"
rm -r "$T"/tmp/*

# --- neither does an edit that somebody else was faster than
editor "echo mine >>\"\$1\"; echo theirs >>$TEMPLATES/welcome/en/body.txt"
expect 75 edit welcome text
err_has "was changed by somebody else meanwhile"
tail -1 "$TEMPLATES/welcome/en/body.txt" | grep -qx theirs || fail "theirs is lost"
grep -q mine "$T"/tmp/pony-edit.*/body.txt || fail "mine is lost"
rm -r "$T"/tmp/*

# --- what is broken can be mended, file by file
: >"$TEMPLATES/welcome/fr/subject.txt"
rm "$TEMPLATES/welcome/es/body.txt"
editor 'echo "Bonjour" >"$1"'
expect 0 edit welcome --lang fr subject
editor 'echo "Hola" >"$1"'
expect 0 edit welcome --lang es text
expect 0 pony config check
echo 'nmae: X' >"$TEMPLATES/welcome/template.yaml"
editor 'echo "name: X" >"$1"'
expect 0 edit welcome settings

# --- links are never followed
mkdir "$T/outside"
echo secret >"$T/outside/secret"
ln -s "$T/outside" "$TEMPLATES/linked"
expect 65 pony template add linked/x --subject S --text - <<<"x"
expect 73 pony template add linked --subject S --text - <<<"x"
rm "$TEMPLATES/linked"
ln -s "$T/outside/secret" "$TEMPLATES/welcome/en/body.html"
editor 'echo changed >"$1"'
expect 78 edit welcome html
err_has "is a symbolic link"
[[ $(cat "$T/outside/secret") == secret ]] || fail "a link was followed"
rm "$TEMPLATES/welcome/en/body.html"

# --- export, and import somewhere else: the same files
# (The sample names partials, which are no templates and stay where they are.)
expect 0 pony template remove receipt --yes
rm -r "$TEMPLATES/_partials"
expect 0 pony template export
cp "$T/out" "$T/all.jsonl"
[[ $(jq -rc '._id' "$T/all.jsonl" | xargs) == "order welcome" ]] || fail "not all of them"
[[ $(jq -rc 'select(._id == "order") | [.doc_type, .name, .format, .contents[1].doc_type, .contents[1].lang, .contents[1].body]' "$T/all.jsonl") == \
  '["PonyExpressTemplate","Your order","html","LocalTemplate","es","<p>¡$name!</p>"]' ]] || fail "not PonyExpress's shape"
mv "$TEMPLATES" "$T/first"
expect 0 pony template import "$T/all.jsonl" --dry-run
err_has "'welcome' would be added (3 languages)"
[[ ! -e $TEMPLATES ]] || fail "a dry run made something"
expect 0 pony template import <"$T/all.jsonl"
err_has "added 'welcome' (3 languages)"
diff -r "$T/first" "$TEMPLATES" || fail "import made other files than export had"
# again: nothing to do; another one: only by force, and what is not ours stays
expect 0 pony --json template import "$T/all.jsonl"
[[ $(jq -r .result "$T/out" | xargs) == "unchanged unchanged" ]] || fail "$(cat "$T/out")"
echo "ask Ann about the discount" >"$TEMPLATES/order/NOTES"
jq -c 'select(._id == "order") | .contents[0].subject = "New $order" | .name = "Orders"' "$T/all.jsonl" >"$T/order.json"
expect 73 pony template import "$T/order.json"
err_has "there is another template 'order' already"
holds order/en/subject.txt 'Order $order\n'
expect 0 pony template import --force "$T/order.json"
err_has "replaced 'order' (2 languages)"
holds order/en/subject.txt 'New $order\n'
holds order/template.yaml 'name: Orders\ndefault_lang: en\n'
[[ -f $TEMPLATES/order/NOTES ]] || fail "somebody's notes are lost"
nothing_left

# --- one that is wrong keeps nobody out; a dump of CouchDB is understood
cat >"$T/couch.json" <<'JSON'
{"total_rows": 4, "offset": 0, "rows": [
 {"id": "_design/ponyexpress", "key": "_design/ponyexpress", "value": {"rev": "1"}, "doc": {"_id": "_design/ponyexpress", "views": {}}},
 {"id": "a1", "key": "a1", "value": {"rev": "1"}, "doc": {"_id": "a1", "doc_type": "PonyExpressMessage", "status": "sent", "subject": "s", "body": "b"}},
 {"id": "first", "key": "first", "value": {"rev": "1"}, "doc": {"_id": "first", "doc_type": "PonyExpressTemplate", "name": "F", "format": "text", "contents": [{"lang": "en", "subject": "s", "body": "$purchase"}]}},
 {"id": "no good", "key": "x", "value": {"rev": "1"}, "doc": {"_id": "no good", "doc_type": "PonyExpressTemplate", "format": "pdf", "contents": [{"lang": "?", "subject": 1}, 7]}},
 {"id": "last", "key": "last", "value": {"rev": "1"}, "doc": {"_id": "last", "name": "L", "content_type": "text/plain", "default_lang": "de", "subject": "s", "body": "b", "translations": {"de_AT": {"subject": "t", "body": "u"}}}}]}
JSON
expect 65 pony template import "$T/couch.json"
err_has "2 documents that are no templates were passed over"
for problem in "_id: 'no good' cannot name a template" "format: unknown content type 'pdf'" \
  "contents[0].lang: '?' is no language" "contents[1]: must be an object"; do
  err_has "$problem"
done
holds first/en/body.txt '$purchase'
holds last/de/subject.txt 's\n'
holds last/de-AT/body.txt 'u'
expect 65 pony enqueue --to ann@example.com --template first --set puchase=1
err_has "did you mean 'purchase'?"
expect 65 pony template import - <<<$'{"_id": "ok", "format": "text", "contents": [{"lang": "en", "subject": "s", "body": "b"}]}\n{"_id": nonsense}\n'
err_has "line 2"
[[ -d $TEMPLATES/ok ]] || fail "a good line was not taken"
expect 66 pony template import "$T/nowhere"
expect 66 pony template import </dev/null
expect 66 pony template export nobody

# --- remove: asks, or is told; nothing by accident
expect 64 pony template remove ok </dev/null
err_has "give --yes"
[[ -d $TEMPLATES/ok ]] || fail "removed without a yes"
expect 0 pony template remove ok --dry-run
out_has "$TEMPLATES/ok/en/subject.txt"
err_has "would remove template 'ok' (3 files)"
[[ -d $TEMPLATES/ok ]] || fail "a dry run removed it"
expect 0 pony template remove ok --yes
[[ ! -e $TEMPLATES/ok ]] || fail "it is there still"
expect 66 pony template remove ok --yes
expect 65 pony template remove last --lang de --yes
err_has "is the default language"
expect 0 pony template remove last --lang DE-at -y
[[ $(ls "$TEMPLATES/last") == $'de\ntemplate.yaml' ]] || fail "not just the language"
expect 65 pony template remove last --lang de -y
err_has "is the only language"
ln -s "$T/outside" "$TEMPLATES/linked"
pony template remove linked --yes 2>/dev/null && fail "a link was taken for a template"
[[ -f $T/outside/secret ]] || fail "removed what a link points to"
rm "$TEMPLATES/linked"
nothing_left

# --- many writers at once: one wins, none is torn
pids=()
for i in {1..12}; do
  pony template add race --subject "s$i" --text - <<<"body $i" 2>/dev/null & pids+=($!)
done
wins=0
for pid in "${pids[@]}"; do
  code=0
  wait "$pid" || code=$?
  case $code in 0) ((++wins)) ;; 73) ;; *) fail "exit code $code" ;; esac
done
[[ $wins == 1 ]] || fail "$wins wrote the same template"
[[ "body $(sed s/s// "$TEMPLATES/race/en/subject.txt")" == "$(cat "$TEMPLATES/race/en/body.txt")" ]] ||
  fail "torn: $(cat "$TEMPLATES"/race/en/*)"

# --- leftovers of a writer that was killed go; a folder that anyone can write is refused
mkdir "$TEMPLATES/.pony-0123456789abcdef"
expect 0 pony template remove race --yes
nothing_left
chmod o+w "$TEMPLATES"
expect 77 pony template add open --subject S --text - <<<"x"
err_has "can be written by anyone"
chmod o-w "$TEMPLATES"
if [[ $(id -u) != 0 ]]; then
  chmod a-w "$TEMPLATES"
  expect 77 pony template add sealed --subject S --text - <<<"x"
  chmod u+w "$TEMPLATES"
fi
