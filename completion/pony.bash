# bash completion for pony. All is asked of pony itself, so this never gets
# old: `pony completion bash` prints it.
#   eval "$(pony completion bash)"        for this shell
_pony() {
  local line word
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files) compopt -o default 2>/dev/null ;;
      :dirs) compopt -o dirnames 2>/dev/null ;;
      *)
        printf -v word %q "${line%%$'\t'*}"
        COMPREPLY+=("$word")
        ;;
    esac
  done < <("${COMP_WORDS[0]/#\~/$HOME}" complete -- \
    "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o nosort -F _pony pony
