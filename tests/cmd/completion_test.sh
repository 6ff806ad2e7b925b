# Completion, as bash, zsh and fish really do it.
source "$(dirname "$0")/../support/shell.sh"
config <<YAML
spool: $SPOOL
templates: $PONY_SOURCE/templates
default_from: Widget Team <team@widgets.example>
providers:
  main: {type: maildir, path: $T/outbox}
  second: {type: maildir, path: $T/outbox}
pools:
  default: {providers: [main, second]}
  fast: {providers: [main]}
YAML
export PONY_CONFIG=$T/pony.yaml
next() { "$PONY" complete -- "$@" | cut -f1; }
has() { grep -qxF -- "$2" <<<"$1" || fail "'$2' is not among: $1"; }
has_not() { ! grep -qxF -- "$2" <<<"$1" || fail "'$2' is among: $1"; }

# --- nothing is made, nothing is said
expect 0 "$PONY" complete -- show ''
[[ ! -s $T/out && ! -e $SPOOL ]] || fail "pressing a key made a spool"
expect 0 "$PONY" --config "$T/none.yaml" complete -- show ''
[[ ! -s $T/out ]] && err_is_empty
expect 0 "$PONY" complete
expect 0 "$PONY" complete -- nonsense --x ''
expect 0 "$PONY" complete -- --config
expect 0 "$PONY" complete -- template nonsense ''
err_is_empty

first=$(pony enqueue --to ann@example.com --subject s --text t --tag signup)
second=$(pony enqueue --to bob@example.com --subject s --text t --tag eu)
failed=$(pony enqueue --to cy@example.com --subject s --text t)
pony cancel --quiet "$failed"

# --- commands, from the table that the program has
all=$(next '')
"$PONY" --help | sed -n '/^Mail/,/^Example/{/^Example/d;/./p}' | cut -c11- | awk '{print $1}' | sort -u >"$T/told"
cmp <(sort <<<"$all") "$T/told" || fail "other commands than --help tells"
has_not "$all" complete
has "$(next qu)" queue
has "$(next template '')" translate
has "$(next --config "$T/pony.yaml" te)" template
has "$(next --q)" --quiet

# --- options: each that the help of a command has, and no other
for command in queue 'template add' enqueue run report events 'provider pause' completion; do
  # shellcheck disable=SC2086
  diff <(next $command -- | sort -u) <("$PONY" $command --help |
    awk '/^  -/ {while (match($0, /--[a-z-]+/)) {print substr($0, RSTART, RLENGTH); $0 = substr($0, RSTART + RLENGTH); if (!/^,/) break}}' |
    sort -u) >"$T/diff" || fail "'$command': $(cat "$T/diff")"
done

# --- values
has "$(next queue --state '')" deferred
has "$(next queue --state new,fa)" new,failed
has "$(next queue --state=de)" --state=deferred
has "$(next queue --state = de)" deferred
has "$(next queue --state =)" deferred
has "$(next queue --priority h)" high
has "$(next queue --fields id,re)" id,reason
has "$(next report --by template,)" template,lang
has "$(next report --format '')" csv
has "$(next completion '')" fish
has "$(next schema e)" event
has "$(next enqueue --template w)" welcome
has "$(next template show w)" welcome
has "$(next queue --tag '')" signup
has "$(next queue --provider '')" second
has "$(next provider pause '')" main
has "$(next run --pool '')" fast
has "$(next enqueue --attach '')" :files
has "$(next --spool '')" :dirs

# Whatever is offered is taken.
for value in $(next queue --state ''); do expect 0 pony queue --state "$value"; done
for value in $(next queue --priority ''); do expect 0 pony queue --priority "$value"; done
for value in $(next queue --fields ''); do expect 0 pony queue --fields "$value"; done
for value in $(next report --by ''); do expect 0 pony report --by "$value"; done
for value in $(next report --format ''); do expect 0 pony report --format "$value"; done
for value in $(next schema ''); do expect 0 pony schema "$value"; done
for value in $(next completion ''); do expect 0 pony completion "$value"; done
for name in queue show explain; do expect 0 pony "$name" --help; done

# --- ids: newest first, of the states that fit
is() { [[ $1 == "$2" ]] || fail "'$1' instead of '$2'"; }
is "$(next show '' | head -1)" "$failed"
is "$(next hold '' | tr '\n' ' ')" "$second $first "
is "$(next retry '')" "$failed"
is "$(next cancel "${first:0:25}")" "$first"
is "$(next release '')" ""
is "$("$PONY" complete -- hold '' | tail -1 | cut -f2 | cut -d, -f1)" new

# --- bash
bash_next() {
  bash -c 'source <("$1" completion bash); complete -p pony >/dev/null || exit 9
    COMP_WORDS=("${@:1}"); COMP_CWORD=$(($# - 1)); _pony; printf "%s\n" "${COMPREPLY[@]}"' bash "$PONY" "$@"
}
has "$(bash_next queue --st)" --state
has "$(bash_next queue --state de)" deferred
has "$(bash_next queue --state = de)" deferred
is "$(bash_next hold '' | tr '\n' ' ')" "$second $first "
has "$(bash_next te)" template
bash -n "$PONY_SOURCE/completion/pony.bash" || fail "bash"

# --- fish
mkdir "$T/bin" && ln -s "$PONY" "$T/bin/pony"
if command -v fish >/dev/null; then
  fish_next() {
    HOME=$T PATH=$T/bin:$PATH fish --no-config -c 'pony completion fish | source; complete -C $argv[1]' "$1" | cut -f1
  }
  has "$(fish_next 'pony qu')" queue
  has "$(fish_next 'pony template ')" translate
  has "$(fish_next 'pony queue --state de')" deferred
  is "$(fish_next 'pony show ' | head -1)" "$failed"
  has "$(fish_next 'pony queue --tag ')" signup
fi

# --- zsh: what a person sees who presses the key
if command -v zsh >/dev/null; then
  mkdir "$T/zfunc" && "$PONY" completion zsh >"$T/zfunc/_pony"
  cat >"$T/press.zsh" <<'ZSH'
zmodload zsh/zpty
zpty z zsh -f -i
read_until() {
  local text=; local more
  repeat 200; do
    zpty -r -t z more && text+=$more
    [[ $text == *$1* ]] && break
    sleep 0.05
  done
  print -r -- "$text"
}
zpty -w z "PS1=; fpath=($ZFUNC \$fpath); autoload -Uz compinit; compinit -u -D; zstyle ':completion:*' list-colors ''"
zpty -w z "LISTMAX=1000; unsetopt zle_bracketed_paste list_ambiguous; bindkey '^I' expand-or-complete; PS1=ready'> '"
read_until 'ready>' >/dev/null
zpty -w -n z "pony $LINE"$'\t'
read_until "$WANTED"
zpty -d z
ZSH
  zsh_next() {
    LINE=$1 WANTED=$2 ZFUNC=$T/zfunc HOME=$T PATH=$T/bin:$PATH TERM=xterm COLUMNS=120 timeout 30 zsh -f "$T/press.zsh" >"$T/seen" 2>&1 || true
    grep -qF -- "$2" "$T/seen" || { cat -v "$T/seen" >&2; fail "zsh does not complete '$1' to '$2'"; }
  }
  zsh_next 'que' 'pony queue'
  zsh_next 'queue --state def' 'deferred'
  zsh_next 'template ' 'translate'
  zsh_next 'hold ' "$first"
fi
echo ok
