#!/usr/bin/env bash
# The arrows between the rooms (HACKING.md): which folder may include which.
source "$(dirname "$0")/support/shell.sh"
cd "$PONY_SOURCE"

# may_not FOLDER PATTERN WHY
may_not() {
  if grep -rnE --include='*.h' --include='*.cc' "#include [\"<]$2" "$1"; then
    fail "$3"
  fi
}
may_not core '(spool|cmd)/' "core/ knows neither spool/ nor cmd/"
may_not spool 'cmd/' "spool/ does not know cmd/"
may_not spool 'core/[a-z]+/' "spool/ knows only the headers at the top of core/"
may_not core/pool 'core/(template|mime|report)/' "a pool knows providers, nothing else"
may_not core/report 'core/[a-qs-z][a-z]*/' "a report gets events, nothing else"
may_not core/feedback 'core/(html|mime|pool|provider|report|template|net/(aws|child|curl|http_client|reactor))' "feedback is values: it makes no request"
may_not core/html 'core/(mime|net|provider|pool|report|template)/' "html is text: it knows no mail"
may_not core/mime 'core/(html|template|net|provider|pool|report)/' "mime knows messages, nothing else"
may_not core/template 'core/(mime|net|provider|pool|report)/' "templates know messages, nothing else"

# Heavy headers stay where they belong (compile time), and curl is never linked.
only_in() {
  local found
  found=$(grep -rlE --include='*.h' --include='*.cc' "#include [\"<]$1" cmd core spool | grep -vE "$2" || true)
  [[ -z $found ]] || fail "$1 is included by $found"
}
only_in 'nlohmann/' '^core/json\.cc$'
only_in 'CLI/' '^cmd/'
only_in 'yaml-cpp/' '^core/yaml_document\.cc$'
only_in 'curl/' '^core/(net|provider)/'
only_in 'openssl/' '^core/net/'
only_in 'gumbo' '^core/html/'
only_in 'gmime/' '^core/mime/'

# Two types of one name need not meet in a file to spoil each other: the linker
# keeps one of their destructors (the one-definition rule), and tells nobody.
twice=$(grep -rhE --include='*.h' '^(struct|class|enum class) \w+[^;]*\{' core cmd spool |
  sed -E 's/^(struct|enum class|class) (\w+).*/\2/' | sort | uniq -d)
[[ -z $twice ]] || fail "more than one header defines $twice"
