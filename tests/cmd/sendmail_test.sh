#!/usr/bin/env bash
# pony sendmail, as cron, PHP, scripts and people call it: every flag, every
# trap. What is accepted is on disk, and nothing is said.
source "$(dirname "$0")/../support/shell.sh"
source "$(dirname "$0")/../support/sendmail.sh"

# accepts ARGUMENT… <mail: queued, in silence.
accepts() {
  expect 0 sendmail "$@"
  err_is_empty
  [[ ! -s $T/out ]] || fail "said on standard output"
}
# refuses CODE TEXT ARGUMENT… <mail
refuses() {
  local code=$1 text=$2
  shift 2
  fresh
  expect "$code" sendmail "$@"
  err_has "$text"
  nothing_queued
}

# --- Recipients

# As arguments: one, a list, behind --; the header's do not count.
fresh
accepts -i ann@example.com 'Bob <bob@example.org>, eve@example.net' -- \
  -dash@example.com <<<$'To: not@example.com\n\nHi'
is "$(envelope)" "$ME@web1.widgets.example ann@example.com bob@example.org eve@example.net -dash@example.com"

# From the header with -t, Bcc too, which is taken out; arguments are added.
fresh
accepts -t root@example.com <<'MAIL'
To: "Ann, who <x@y>" <ann@example.com> (and (so) on), Team: bob@example.org;
Cc: =?utf-8?Q?Doe,_J?= <doe@example.net>
Bcc: secret@example.com
Subject: x
X-Odd :  kept

Hi
MAIL
is "$(envelope)" "$ME@web1.widgets.example root@example.com ann@example.com bob@example.org doe@example.net secret@example.com"
same_mail new <<MAIL
To: "Ann, who <x@y>" <ann@example.com> (and (so) on), Team: bob@example.org;
Cc: =?utf-8?Q?Doe,_J?= <doe@example.net>
Subject: x
X-Odd:  kept
Date: D
Message-ID: <ID@web1.widgets.example>
$(mail_in new | grep ^From:)

Hi
MAIL

# A Resent- block wins.
fresh
accepts -t <<<$'Resent-To: new@example.com\nResent-Bcc: b@example.com\nTo: old@example.com\n\nHi'
is "$(envelope)" "$ME@web1.widgets.example new@example.com b@example.com"
mail_in new | grep -q Resent-Bcc && fail "Resent-Bcc is still there"

# Nobody, and what is nobody.
refuses 65 "the message has no recipient" -t <<<$'Subject: x\n\nHi'
refuses 65 "the message has no recipient" </dev/null
refuses 65 "'a@@b' is no address" a@@b <<<Hi
refuses 65 "none of the recipients is an address" a@@b 'c d' <<<Hi
refuses 65 "is a program, not a recipient" '|touch /tmp/x' <<<Hi
refuses 65 "more than 10,000 recipients" -t < <(printf 'To: '; yes 'a@example.com,' | head -100000 | tr -d '\n'; printf '\n\nHi\n')

# With others the mail goes to them; the rest waits for a person.
fresh
accepts ann@example.com a@@b <<<Hi
is "$(envelope)" "$ME@web1.widgets.example ann@example.com"
[[ $(queued held '.[2].reason') == "'a@@b' is no address:"* ]] || fail "not the reason"

# --- Sender

fresh; accepts -f root ann@example.com <<<Hi
is "$(envelope)" "root@web1.widgets.example ann@example.com"
mail_in new | grep -q '^From: .*root@web1.widgets.example' || fail "From is not -f"
fresh; accepts -fann@example.com bob@example.com <<<Hi
is "$(envelope)" "ann@example.com bob@example.com"
fresh; accepts -r '<ann@example.com>' bob@example.com <<<Hi
is "$(envelope)" "ann@example.com bob@example.com"
for null in '' '<>'; do
  fresh; accepts -f "$null" bob@example.com <<<Hi
  is "$(envelope)" "<> bob@example.com"
  mail_in new | grep -q "^From: .*$ME@web1" || fail "no From"
done
fresh; accepts -f --help bob@example.com <<<Hi
is "$(envelope)" "--help@web1.widgets.example bob@example.com"
refuses 65 "holds a line break" -f $'a@example.com\nBcc: x@example.com' b@example.com <<<Hi
refuses 65 "holds a line break" -F $'Ann\nBcc: x@example.com' b@example.com <<<Hi
refuses 65 "holds a line break" $'b@example.com\nx@example.com' <<<Hi
refuses 65 "the sender" -f 'a b@example.com' b@example.com <<<Hi
refuses 64 "-f has no value" b@example.com -f <<<Hi

# Who may send.
settings 'sendmail: {allow_senders: ["*@widgets.example"]}'
fresh; accepts -f shop@widgets.example b@example.com <<<Hi
fresh; accepts b@example.com <<<Hi
fresh; accepts -f "$ME" b@example.com <<<Hi
fresh; accepts -f '<>' b@example.com <<<Hi
refuses 77 "may not send" -f eve@example.com b@example.com <<<Hi
settings

# --- The header

fresh; accepts -FCronDaemon -f root bob <<<$'Subject: x\n' ann@example.com
[[ $(mail_in new) == *"From: CronDaemon <root@web1.widgets.example>"* ]] || fail "no name"

# Bare names are completed, what is there is kept.
fresh
accepts -oi ann@example.com <<'MAIL'
From ann Sat Nov 21 10:00:00 2026
Date: Sat, 21 Nov 2026 10:00:00 +0100
Message-ID: <1@x>
From: "(Cron Daemon)" <root>
To: root, Ann
 <ann@example.com>
Return-Path: <gone@example.com>

Hi
.
From here on
MAIL
same_mail new <<'MAIL'
Date: Sat, 21 Nov 2026 10:00:00 +0100
Message-ID: <1@x>
From: "(Cron Daemon)" <root@web1.widgets.example>
To: root@web1.widgets.example, Ann
 <ann@example.com>

Hi
.
From here on
MAIL

# No header, no body, nothing at all.
fresh; accepts ann@example.com <<<'Hello there'
[[ $(mail_in new) == *$'\n\nHello there' ]] || fail "the text is not the body"
fresh; accepts ann@example.com </dev/null
mail_in new | grep -q '^Date: ' || fail "an empty mail has no Date"
fresh; accepts ann@example.com < <(printf 'Subject: cut')
mail_in new | grep -q '^Subject: cut$' || fail "the last line is lost"

# CRLF stays CRLF.
fresh; accepts -t < <(printf 'To: a@example.com\r\nBcc: b@example.com\r\nSubject: x\r\n\r\nHi\r\n')
[[ $(mail_in new | grep -c $'\r$') == $(mail_in new | wc -l) ]] || fail "mixed line ends"
is "$(envelope)" "$ME@web1.widgets.example a@example.com b@example.com"

# A lone dot ends a mail, but not with -i, -oi.
fresh; accepts ann@example.com <<<$'Subject: x\n\nHi\n.\nmore'
[[ $(mail_in new) == *$'\n\nHi' ]] || fail "the dot did not end it"
fresh; accepts -oi ann@example.com <<<$'Subject: x\n\nHi\n.\nmore'
[[ $(mail_in new) == *$'\n\nHi\n.\nmore' ]] || fail "the dot ended it"

# 8 bits are declared, long lines encoded.
fresh; accepts ann@example.com < <(printf 'Subject: x\n\n\xc3\xa4\n')
mail_in new | grep -q '^Content-Type: text/plain; charset=utf-8$' || fail "not declared"
fresh; accepts ann@example.com < <(printf 'Subject: x\n\n\xe4\n')
mail_in new | grep -q 'charset=iso-8859-1$' || fail "not declared as Latin-1"
fresh; accepts ann@example.com < <(printf 'Subject: x\n\n'; head -c 5000 /dev/zero | tr '\0' x)
mail_in new | grep -q '^Content-Transfer-Encoding: quoted-printable' || fail "not encoded"
[[ $(mail_in new | wc -L) -le 998 ]] || fail "a line is too long"

# --- Tags

settings 'sendmail: {tags: [{from: "shop@*", tags: [shop, x]}, {caller: bash*, tags: [by-bash]}, {tags: [all]}]}'
fresh; accepts -t <<<$'To: a@example.com\nFrom: Shop@example.com\nX-Pony-Tags: one, x\n\nHi'
is "$(queued new '.[0].tags | join(" ")')" "one x shop all"
mail_in new | grep -q X-Pony && fail "X-Pony-Tags went out"
# Called by another program than a shell, through one.
settings 'sendmail: {tags: [{caller: python*, tags: [py]}]}'
fresh
python3 -c 'import subprocess, sys; subprocess.run(["sh", "-c", sys.argv[1] + " a@example.com; :"], input=b"Hi", check=True)' "$T/bin/sendmail"
is "$(queued new '.[0].tags | join(" ")')" "py"
settings

# --- Local names

# Nobody stands for root: held, with the way out; who can be reached is.
fresh
accepts root ann@example.com bob@localhost <<<$'Subject: x\n\nHi'
is "$(envelope)" "$ME@web1.widgets.example ann@example.com"
is "$(envelope held)" "$ME@web1.widgets.example root@web1.widgets.example bob@web1.widgets.example"
[[ $(queued held '.[2].reason') == *"'root' is a local name"*"pony retry ID --to"*"'bob' is a local name"* ]] ||
  fail "not the reason: $(queued held '.[2].reason')"
id=$(pony queue --state held --ids)
expect 0 pony retry "$id" --to ops@widgets.example
[[ $(count_in held) == 0 && $(count_in new) == 2 ]] || fail "retry --to is no way out"

# Aliases, a circle and a program among them; local_recipient.
cat >"$T/aliases" <<'ALIASES'
# comment
Root: ops, ann@example.com
ops: bob@example.org,
  root
prog: "|touch /tmp/never", /tmp/never, :include:/etc/passwd, ann@example.com
ALIASES
fresh; accepts root <<<Hi
is "$(envelope)" "$ME@web1.widgets.example bob@example.org ann@example.com"
[[ $(queued held '.[2].reason') == *"lead back to it"* ]] || fail "a circle is not told"
fresh; accepts prog <<<Hi
is "$(envelope)" "$ME@web1.widgets.example ann@example.com"
[[ $(queued held '.[2].reason') == *"a program, '|touch /tmp/never', which pony never runs"* ]] || fail "not the reason"
settings 'local_recipient: all@widgets.example'
fresh; accepts root nobody x@localhost <<<Hi
is "$(envelope)" "$ME@web1.widgets.example bob@example.org all@widgets.example ann@example.com"
# The origin is local for names that have an alias, and others go out.
fresh; accepts ops@web1.widgets.example x@web1.widgets.example <<<Hi
is "$(envelope)" "$ME@web1.widgets.example bob@example.org all@widgets.example ann@example.com x@web1.widgets.example"
settings

# -bv shows where it would go, and queues nothing.
fresh
expect 1 sendmail -bv ops nobody ann@example.com
out_has "from $ME@web1.widgets.example"
out_has "ops -> bob@example.org"
out_has "nobody -> held: 'nobody' is a local name"
out_has "ann@example.com -> ann@example.com"
expect 0 sendmail -bv ann@example.com
nothing_queued

# newaliases and -bi check the file, and exit with 0.
printf 'bad line\nroot: ann@example.com\n' >"$T/aliases"
expect 0 "$T/bin/newaliases"
err_has "$T/aliases:1: there is no ':' behind the name"
expect 0 sendmail -bi -v
out_has "$T/aliases: 1 aliases"
rm "$T/aliases"
expect 0 "$T/bin/newaliases"
err_is_empty
: >"$T/aliases"

# --- Flags

fresh
accepts -odi -odb -odq -oem -oee -om -o7 -OIgnoreDots=true -h 5 -L tag -m -n -U \
  -Am -d0.1 -G -em -p ESMTP -bm -N success,delay -R hdrs -V id-1 -B8BITMIME \
  ann@example.com <<<$'Hi\n.\nthere'
is "$(queued new '.[0].dsn | tostring')" '{"notify":["success","delay"],"return":"headers","envelope_id":"id-1"}'
[[ $(mail_in new) == *$'.\nthere' ]] || fail "IgnoreDots is ignored"

# Unknown ones, a megabyte of them: one warning, and the mail is taken.
fresh
printf -- '-%0100000d' 0 | tr 0 z >"$T/zzz"
words=()
for _ in 1 2 3 4 5 6 7 8 9 10; do words+=("$(cat "$T/zzz")"); done
expect 0 sendmail "${words[@]}" --probe ann@example.com <<<Hi
[[ $(wc -l <"$T/err") == 1 ]] || fail "more than one warning"
err_has "unknown flag '-z' is ignored, and so are 1000000 more"
is "$(envelope)" "$ME@web1.widgets.example ann@example.com"
fresh
expect 0 sendmail -C /etc/mail.cf -X "$T/never" ann@example.com <<<Hi
err_has "-C and the file that it names are ignored"
err_has "-X and the file that it names are ignored"
[[ ! -e $T/never ]] || fail "-X wrote a file"
refuses 64 "pony is no SMTP daemon" -bd </dev/null
refuses 64 "pony has no mode -bt" -bt </dev/null
expect 0 sendmail --version
out_has "pony sendmail"
expect 0 pony sendmail --help
out_has "Usage: pony sendmail"
fresh
expect 0 sendmail -v ann@example.com <<<Hi
err_has "queued as $(pony queue --ids)"

# --- mailq, -q

fresh
for as in "mailq" "sendmail -bp" "mailq -v"; do
  expect 0 $as
  is "$(cat "$T/out")" "Mail queue is empty"
done
accepts -f shop@example.com ann@example.com <<<Hi
accepts root <<<Hi
expect 0 mailq
id=$(pony queue --state new --ids)
held=$(pony queue --state held --ids)
[[ $(head -1 "$T/out") == "-Queue ID-"*"--Size-- ----Arrival Time---- -Sender/Recipient-------" ]] || fail "not mailq's header"
grep -Eq "^$id  +[0-9]+ [A-Z][a-z]{2} [A-Z][a-z]{2} [0-9 ]{2} [0-9:]{8}  shop@example.com\$" "$T/out" || fail "not mailq's line"
grep -Eq "^$held! " "$T/out" || fail "held is not marked"
grep -Eq '^ {58}ann@example.com$' "$T/out" || fail "no recipient"
[[ $(tail -1 "$T/out") == "-- "*" Kbytes in 2 Requests." ]] || fail "not mailq's last line"
cp "$T/out" "$T/mailq"
expect 0 sendmail -bp
cmp "$T/out" "$T/mailq" || fail "sendmail -bp is not mailq"
expect 0 sendmail -qInosuchid
[[ $(count_in new) == 1 ]] || fail "-qI ran another message"
expect 0 sendmail -qSnobody -qRann@
[[ $(count_in new) == 1 ]] || fail "-qS and -qR are not both asked for"
expect 0 sendmail -qRann@example -qSshop
err_is_empty
[[ $(count_in new) == 0 ]] || fail "-qR and -qS did not run it"
accepts ann@example.com <<<Hi
id=$(pony queue --state new --ids)
expect 0 sendmail "-qI$id"
[[ $(count_in new) == 0 ]] || fail "-qI did not run it"
accepts ann@example.com <<<Hi
for run in -q -q30m; do
  expect 0 sendmail $run
  [[ ! -s $T/out ]] || fail "$run says something"
done
[[ $(count_in new) == 0 ]] || fail "-q did not run the queue"
refuses 64 "cannot select mail" '-q!Ix' </dev/null

# --- A configuration that is broken, and a spool that cannot be

fresh
config <<YAML
spool: $SPOOL
origin: web1.widgets.example
providers: {a: {type: smtq}}
YAML
expect 0 sendmail ann@example.com <<<Hi
err_has "'smtq'"
is "$(envelope)" "$ME@web1.widgets.example ann@example.com"
[[ $(queued new '.[1].reason') == "accepted although the configuration is broken: "* ]] || fail "no note"
fresh
printf 'spool: %s\nproviders: {a: {\n' "$SPOOL" | config
expect 0 sendmail ann@example.com <<<Hi
[[ $(count_in new) == 1 ]] || fail "the spool above the break was not found"
expect 0 mailq
out_has "in 1 Request."
# Where nothing can be read: the built-in spool.
(($(id -u) == 0)) || {
  printf '{{{' | config
  expect 0 sendmail ann@example.com <<<Hi
  [[ $(find "$XDG_STATE_HOME/pony/new" -name '*.jsonl' | wc -l) == 1 ]] || fail "not in the built-in spool"
  # A file that cannot be opened: nobody knows which spool is run.
  chmod 0 "$T/pony.yaml"
  rm -rf "$XDG_STATE_HOME/pony"
  expect 78 sendmail ann@example.com <<<Hi
  err_has "Permission denied"
  err_has "nothing is accepted"
  expect 78 sendmail -bs </dev/null
  [[ ! -e $XDG_STATE_HOME/pony ]] || fail "mail lies where nobody runs"
  expect 0 sendmail --spool "$SPOOL" ann@example.com <<<Hi
  rm -f "$T/pony.yaml"
}
: >"$T/file"
printf 'spool: %s\nproviders: {a: {\n' "$T/file" | config
expect 78 sendmail ann@example.com <<<Hi
printf 'spool: %s\n' "$T/file" | config
code=0
sendmail ann@example.com <<<Hi 2>"$T/err" || code=$?
[[ $code == 73 || $code == 74 || $code == 77 ]] || fail "exit code $code without a spool"
settings

# --- Any input

fresh
accepts -t < <(printf 'To: a@example.com\n\n'; head -c 300000 /dev/urandom)
[[ $(count_in new) == 1 ]] || fail "noise was not taken"
fresh
head -c 200000 /dev/urandom | sendmail -t 2>/dev/null && code=0 || code=$?
[[ $code == 0 || $code == 65 ]] || fail "exit code $code for noise"
refuses 65 "the header of the message is larger than 4 MiB" -t < <(printf 'X: '; head -c 20000000 /dev/zero | tr '\0' x)
refuses 65 "the message is larger than 37.5 MiB" -t < <(printf 'X: '; head -c 50000000 /dev/zero | tr '\0' x)
refuses 65 "the message is larger than 37.5 MiB" a@example.com < <(printf 'X: y\n\n'; yes 0123456789 | head -c 40000000)
# The largest that is taken.
fresh
accepts -i a@example.com < <(printf 'Subject: large\n\n'; yes 0123456789 | head -c 39000000)
[[ $(count_in new) == 1 ]] || fail "a large mail was not taken"
expect 0 pony show "$(pony queue --ids)"
