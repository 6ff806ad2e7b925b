#!/usr/bin/env bash
# Programs of Debian that call sendmail, unchanged, with pony in its place: what
# arrives is what Postfix's sendmail would have sent.
#
# As root this is seen in namespaces that make a machine of their own: each
# program is run there twice, first with Postfix's /usr/sbin/sendmail, then with
# pony bound over it, and the mails are compared in pairs. Else the programs are
# told by their own settings where sendmail is, those that cannot be told are
# left out, and the mails are compared with those that Postfix sent when
# tests/golden/callers was recorded (as root, with CALLERS_RECORD=yes).
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
machine=(unshare --mount --propagation private --pid --fork --kill-child --mount-proc --uts)
if [[ ! ${CALLERS_MACHINE-} ]] && ((EUID == 0)) && "${machine[@]}" true 2>/dev/null; then
  exec "${machine[@]}" env CALLERS_MACHINE=yes bash "$here/sendmail_callers_test.sh"
fi
source "$here/support/shell.sh"
source "$here/callers/calls.sh"
source "$here/callers/machine.sh"
PATH=$PATH:/usr/sbin:/sbin

missing() { echo "skipped: $1 is missing" && exit 77; }

MACHINE=${CALLERS_MACHINE-}
# It will mount folders over /etc and others.
[[ ! $MACHINE || $$ == 1 ]] || fail "CALLERS_MACHINE is not for people"
callers=(php git mutt s-nail bsd-mailx swaks)
[[ ! $MACHINE ]] || callers+=(cron anacron mdadm postfix)
for caller in "${callers[@]}"; do
  command -v "$caller" >/dev/null || missing "$caller"
done
[[ -x $(git --exec-path)/git-send-email ]] || missing 'git send-email'
perl -MMail::Mailer -e 1 2>/dev/null || missing "Perl's Mail::Mailer"
/usr/bin/python3 -c 'import aiosmtpd' 2>/dev/null || missing aiosmtpd

# start_server SIDE: one that keeps what it gets in $T/SIDE; its $port.
start_server() {
  /usr/bin/python3 -B "$here/support/smtp_server.py" --smtputf8 --dsn --dump "$T/$1" >"$T/$1.port" &
  background+=($!)
  wait_until grep -q '^port=' "$T/$1.port"
  port=$(sed 's/^port=//' "$T/$1.port")
}
# has_arrived SIDE NAME: the mail of that call.
has_arrived() { grep -qsE -- "call-$2([^a-z0-9-]|$)" "$T/$1"/*.eml; }
pony() { "$PONY" "$@"; }
compare() { /usr/bin/python3 -B "$here/callers/compare_mail.py" "$@"; }

export LC_ALL=C.UTF-8 TZ=UTC
unset EMAIL MAILRC MAILTO || true
WORK=$T/work
mkdir "$WORK"
# What both have to know: who gets the mail of local names, and as whom they
# send it.
origin=widgets.example
aliases=$T/aliases
printf 'root: ops@example.com\nann: ann@example.net\n' >"$aliases"

reference=$here/golden/callers
if [[ $MACHINE ]]; then
  make_machine "$origin" "$aliases"
  SENDMAIL=/usr/sbin/sendmail
  reference=$T/postfix
  start_server postfix
  start_postfix "$port"
  arrived() { has_arrived postfix "$1"; }
  all_sent() { [[ -z $(postqueue -j) ]]; }
  portable_calls
  wait_until all_sent
  if [[ ${CALLERS_RECORD-} ]]; then
    rm -f "$here"/golden/callers/*
    compare "$reference" --record "$here/golden/callers"
  fi
  machine_calls
  wait_until all_sent
  postfix stop >/dev/null 2>&1
fi

start_server pony
config <<YAML
spool: $SPOOL
origin: $origin
aliases: $aliases
providers:
  relay: {type: smtp, host: 127.0.0.1, port: $port, tls: off}
YAML
if [[ $MACHINE ]]; then
  SPOOL=/var/spool/pony
  mkdir -p /etc/pony
  sed "s|^spool: .*|spool: $SPOOL|; \$ a spool_group: mail" "$T/pony.yaml" >/etc/pony/pony.yaml
  mount --bind "$PONY" /usr/sbin/sendmail
else
  echo "no machine of its own (that takes root and namespaces): cron, anacron and" \
    "mdadm are left out, the others are compared with recorded mails"
  SENDMAIL=$T/sendmail
  ln -s "$PONY" "$SENDMAIL"
  export PONY_CONFIG=$T/pony.yaml
fi
arrived() { pony run >/dev/null && has_arrived pony "$1"; }
portable_calls
[[ ! $MACHINE ]] || machine_calls
expect 0 pony run
[[ $(count_in held) == 0 ]] || fail "some mail is held"

# Who runs the test is the author where the caller names none.
user=$(id -un)
name=$(getent passwd "$user" | cut -d: -f5 | cut -d, -f1)
compare "$reference" "$T/pony" --replace "$user@$origin=root@$origin" --replace "From: $name <=From: root <" || fail "what arrived differs"
