# Sourced: programs of Debian 12 that call sendmail, each with the mails that a
# test asks of it. Every mail says "call-NAME" somewhere, by which
# compare_mail.py finds the two of a pair.
#
# Wants $SENDMAIL (a path), $MACHINE (not empty: it is this machine's sendmail,
# at its usual place, so no caller has to be told) and $WORK (a folder).
# Doesn't know whose sendmail it is.

# told WORD…: sets $words to them, unless the caller finds its sendmail itself.
told() { words=("$@") && [[ ! $MACHINE ]] || words=(); }

# called NAME COMMAND…: it succeeds; what it said is in $WORK/out.
called() {
  local code=0
  "${@:2}" >"$WORK/out" 2>&1 || code=$?
  ((code == 0)) || fail "the caller '$1' ended with $code: $(cat "$WORK/out")"
}

# recorded NAME ARGUMENT…: the call of a program that isn't installed, with the
# mail that it hands over. sendmail doesn't say a word.
recorded() {
  called "$1" "$SENDMAIL" "${@:2}"
  [[ ! -s $WORK/out ]] || fail "'$1' was told: $(cat "$WORK/out")"
}

# The calls of those that can be told where sendmail is.
portable_calls() {
  php_calls
  git_calls
  mutt_calls
  s_nail_calls
  mailx_calls
  swaks_calls
  perl_calls
  recorded_calls
  odd_calls
}

# The calls of those that find it at its usual place only, and need a machine
# of their own.
machine_calls() {
  anacron_calls
  called mdadm mdadm --monitor --test --oneshot --mail ops@example.com /dev/md-call-mdadm
  cron_calls
}

# PHP's mail(): "-t -i", with the fifth parameter after it.
php_calls() {
  local words name
  told -d "sendmail_path=$SENDMAIL -t -i"
  cat >"$WORK/mail.php" <<'PHP'
<?php
$bcc = "Bcc: audit@example.net, Dora <dora@example.net>";
$calls = [
  // As the manual says, CRLF between the headers.
  "crlf" => ["ann@example.com", "call-php-crlf", "one\r\n.\r\ntwo\r\n",
    "From: web@widgets.example\r\nReply-To: help@widgets.example\r\n$bcc"],
  // As many old scripts do.
  "lf" => ["Ann <ann@example.com>, bob@example.org", "call-php-lf =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=",
    "one\n.\n..two\n\nFrom here\nGrüße, and no end of the line",
    "From: =?UTF-8?B?SsO2cmcgTcO8bGxlcg==?= <web@widgets.example>\nCc: carla@example.com\n$bcc\n" .
    "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit"],
  "sender" => ["ann@example.com", "call-php-sender", "Hello",
    ["From" => "web@widgets.example", "X-Mailer" => "PHP"], "-fbounces+ann=example.com@widgets.example"],
  // A page of HTML in one line, which SMTP cannot carry.
  "long" => ["ann@example.com", "call-php-long", "<p>" . str_repeat("Grüße and more of it. ", 200) . "</p>\n",
    "From: web@widgets.example\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=UTF-8"],
  // Nothing but what mail() itself writes, and that not encoded.
  "plain" => ["ann@example.com", "call-php-plain Grüße", "Grüße\n"],
];
exit(mail(...$calls[$argv[1]]) ? 0 : 1);
PHP
  for name in crlf lf sender long plain; do
    called "php-$name" php -n "${words[@]}" "$WORK/mail.php" "$name"
  done
}

# git send-email: "-i" and the recipients, of whom Bcc is in no header.
git_calls() {
  local words
  told --smtp-server="$SENDMAIL"
  (
    export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
    export GIT_AUTHOR_DATE='2026-01-02 03:04:05 +0100' GIT_COMMITTER_DATE='2026-01-02 03:04:05 +0100'
    rm -rf "$WORK/repository"
    git init -q -b main "$WORK/repository" && cd "$WORK/repository"
    git config user.name 'Jörg Müller' && git config user.email joerg@example.org
    printf 'eins\n.\nGrüße\n' >file && git add file
    git commit -qm $'call-git-first\n\nSay Grüße.\n\nSigned-off-by: Zoë Ünal <zoe@example.org>'
    printf 'From the start\n' >>file
    git commit -qam call-git-second --author='Åsa Öberg <asa@example.net>'
    git format-patch -q --no-signature --root -o patches
    called git git send-email --quiet "${words[@]}" --8bit-encoding=UTF-8 --confirm=never \
      --to='"Lists, Kernel" <list@example.com>' --cc='Carla <carla@example.com>' --bcc=audit@example.net \
      --in-reply-to='<thread.fixed@example.com>' patches
    sed 's/call-git-first/call-git-envelope/' patches/0001-* >one.patch
    called git-envelope git send-email --quiet "${words[@]}" --confirm=never --suppress-cc=all \
      --envelope-sender=bounces@widgets.example --to=list@example.com one.patch
  )
}

# mutt: "-oem -oi", and "-f" where it is told; the recipients after "--".
mutt_calls() {
  local words
  told -e "set sendmail='$SENDMAIL -oem -oi'"
  printf '\0\1\2\377\n' >"$WORK/data.bin"
  called mutt mutt -F /dev/null "${words[@]}" -e 'set realname="Röt Meister"' -e 'my_hdr From: Röt Meister <root@widgets.example>' \
    -s 'call-mutt-attached Größe' -c carla@example.com -b audit@example.net -a "$WORK/data.bin" -- ann@example.com bob@example.org \
    <<<$'Grüße\n.\nFrom mutt'
  called mutt mutt -F /dev/null "${words[@]}" -e 'set use_envelope_from envelope_from_address=bounces@widgets.example' \
    -e 'set dsn_notify="failure,delay" dsn_return=hdrs' -e 'my_hdr From: Root <root@widgets.example>' \
    -s call-mutt-dsn ann@example.com <<<Hello
}

# s-nail: "-i", with "-r" "-f SENDER", the recipients after "--".
s_nail_calls() {
  local words
  told -S "mta=$SENDMAIL"
  called s-nail s-nail -:/ "${words[@]}" -S v15-compat -S ttycharset=utf-8 -s 'call-s-nail Größe' -a "$WORK/data.bin" \
    -c carla@example.com -b audit@example.net -r 'Ann <ann@widgets.example>' bob@example.org <<<$'Grüße\n.\nlast'
  called s-nail s-nail -:/ "${words[@]}" -S v15-compat -s call-s-nail-short bob@example.org <<<Hello
}

# bsd-mailx, as a person and as smartd (8) calls it.
mailx_calls() {
  printf 'set sendmail=%s\n' "$SENDMAIL" >"$WORK/mailrc"
  [[ ! $MACHINE ]] || : >"$WORK/mailrc"
  (
    export MAILRC=$WORK/mailrc
    called mailx bsd-mailx -s 'call-mailx' -c carla@example.com -b audit@example.net ann@example.com bob@example.org \
      <<<$'Hello\n.\nlast'
    called mailx bsd-mailx -a 'From: Disk <disk@widgets.example>' -a 'Content-Type: text/plain; charset=UTF-8' \
      -s 'call-mailx-header' ann@example.com <<<'Grüße'
    called smartd bsd-mailx -s 'SMART error (EmailTest) detected on host: call-mailx-smartd' root <<'END'
This message was generated by the smartd daemon running on:

   host name:  box
   DNS domain: widgets.example

TEST EMAIL from smartd for device: /dev/sda
END
  )
}

# swaks speaks SMTP with "sendmail -bs"; a recipient that is no address is
# refused and the others get the mail.
swaks_calls() {
  printf '%s\n' 'Subject: call-swaks' 'From: web@widgets.example' 'To: ann@example.com' 'Date: Fri, 02 Jan 2026 03:04:05 +0100' \
    'Message-ID: <swaks.fixed@widgets.example>' '' 'one' '.' '..two' 'Grüße' >"$WORK/swaks.mail"
  swaks --pipe "$SENDMAIL -bs" --helo client.example --from web@widgets.example --to 'ann@example.com,bob example.org,carla@example.com' \
    --data "@$WORK/swaks.mail" >"$WORK/swaks.out" 2>&1 || fail "swaks ended with $?: $(cat "$WORK/swaks.out")"
  [[ $(grep -c '^<\*\* 5' "$WORK/swaks.out") == 1 ]] || fail "not one refusal: $(cat "$WORK/swaks.out")"
}

# Perl's Mail::Mailer: "-t" alone, and Bcc in the header.
perl_calls() {
  local words
  told "PERL_MAILERS=sendmail:$SENDMAIL"
  called perl env PERL_HASH_SEED=0 "${words[@]}" perl -MMail::Mailer -e '
    my $mail = Mail::Mailer->new("sendmail");
    $mail->open({From => "web\@widgets.example", To => ["ann\@example.com", "bob\@example.org"],
      Bcc => "audit\@example.net", Subject => "call-perl-mailer"});
    print $mail "Hello\n";
    $mail->close or die "sendmail said no: $!"'
}

# anacron: "-FAnacron -odi USER", without -i.
anacron_calls() {
  rm -rf "$WORK/anacron" && mkdir "$WORK/anacron"
  cat >"$WORK/anacrontab" <<'END'
SHELL=/bin/sh
LANG=C.UTF-8
1 0 call-anacron echo Hello; echo 'and more'
MAILTO=ops@example.com
1 0 call-anacron-mailto echo Gruesse; echo ..; echo From here
END
  called anacron anacron -q -f -n -d -t "$WORK/anacrontab" -S "$WORK/anacron"
}

# cron: "-i -FCronDaemon -B8BITMIME -oem WHO". Its jobs for a start of the
# machine are run at once.
cron_calls() {
  rm -rf /run/crond.reboot /etc/cron.d /var/spool/cron
  mkdir -p /etc/cron.d /var/spool/cron/crontabs
  echo '@reboot root echo Hello from call-cron' >/etc/crontab
  cat >/etc/cron.d/mailto <<'END'
MAILTO=ops@example.com,dev@example.org
CONTENT_TYPE=text/plain; charset=UTF-8
CONTENT_TRANSFER_ENCODING=8bit
@reboot root printf 'Gr\303\274\303\237e\n.\ncall-cron-mailto\n'
END
  echo '@reboot echo Hello from call-cron-user' >/var/spool/cron/crontabs/ann
  chown ann:crontab /var/spool/cron/crontabs/ann
  chmod 600 /var/spool/cron/crontabs/ann
  env -i PATH="$PATH" cron -f &
  local cron=$! name
  for name in cron cron-mailto cron-user; do wait_until arrived "$name"; done
  kill "$cron" && wait "$cron" || true
}

# Programs that aren't installed here, or not of this system.
recorded_calls() {
  # cronie, with MAILTO
  recorded cronie -FCronDaemon -i -odi -oem -oi -t -f root <<'END'
From: "(Cron Daemon)" <root>
To: ops@example.com
Subject: Cron <root@box> echo call-cronie
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Auto-Submitted: auto-generated
Precedence: bulk
X-Cron-Env: <LANG=C.UTF-8>

call-cronie
.
Grüße
END
  # OpenBSD's
  recorded openbsd-cron -FCronDaemon -odi -oem -oi -t <<'END'
From: root (Cron Daemon)
To: root
Subject: Cron <root@box> echo call-openbsd-cron
Auto-Submitted: auto-generated

call-openbsd-cron
END
  recorded systemd-cron -i -B 8BITMIME ops@example.com <<'END'
Content-Transfer-Encoding: 8bit
Date: Fri, 02 Jan 2026 03:04:05 +0100
From: root (systemd-cron)
To: ops@example.com
Subject: [box] job cron-root-0: call-systemd-cron failed
MIME-Version: 1.0
Content-Type: text/plain; charset="utf-8"

Grüße
END
  recorded anacron-of-cronie -FAnacron -odi root <<'END'
From: "Anacron" <root>
To: root
Subject: Anacron job 'call-anacron-of-cronie' on box
Content-Type: text/plain; charset="UTF-8"

one
.
not a word of this
END
  recorded atd -i root <<'END'
Subject: Output from your job        3
To: root

call-atd
END
  recorded logwatch -t <<'END'
To: root
From: logwatch@widgets.example
Subject: Logwatch for box (Linux)
Precedence: bulk
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Transfer-Encoding: 7bit
Content-Type: text/plain; charset="iso-8859-1"

 ################### Logwatch 7.7 (call-logwatch) ####################
END
  recorded fail2ban -f fail2ban root <<'END'
Subject: [Fail2Ban] sshd: banned 192.0.2.1 from box
Date: Fri, 02 Jan 2026 03:04:05 +0000
From: Fail2Ban <fail2ban>
To: root

Hi,

The IP 192.0.2.1 has just been banned by Fail2Ban after
5 attempts against call-fail2ban.
END
  recorded reportbug -f ann@widgets.example -oi -oem submit@example.org ann@widgets.example <<'END'
Content-Type: text/plain; charset="us-ascii"
MIME-Version: 1.0
Content-Transfer-Encoding: 7bit
From: Ann Example <ann@widgets.example>
To: Bug Tracking System <submit@example.org>
Subject: call-reportbug: it does not work
Message-ID: <176.fixed@box.widgets.example>
X-Mailer: reportbug 12.0.0
Date: Fri, 02 Jan 2026 03:04:05 +0000
X-Debbugs-Cc: ann@widgets.example

Package: widgets
.
Version: 1
END
  recorded unattended-upgrades -oi -t <<'END'
Subject: [package on hold] unattended-upgrades result for box: SUCCESS
From: root
To: root
Auto-Submitted: auto-generated
MIME-Version: 1.0
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

Unattended upgrade result: call-unattended-upgrades =E2=80=A6
END
  recorded sudo -t <<'END'
To: root
From: ann
Auto-Submitted: auto-generated
Subject: *** SECURITY information for box ***

box : Jan  2 03:04:05 : ann : user NOT in sudoers ; COMMAND=/call-sudo
END
  # MIME::Lite and CGI scripts: no From line, a list over two lines, Bcc.
  recorded mime-lite -t -oi -oem <<'END'
From: "Müller, Jörg" <joerg@example.org>
To: Ann <ann@example.com>,
	"Bob, the second" <bob@example.org>
Cc: team: carla@example.com, (a comment) dora@example.com;
Bcc: audit@example.net,
 erin@example.net
Subject: call-mime-lite
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="_----fixed"

This is a multi-part message in MIME format.

--_----fixed
Content-Type: text/plain

Hello
--_----fixed
Content-Type: application/octet-stream
Content-Transfer-Encoding: base64

AAEC/w==
--_----fixed--
END
  # Symfony's mailer and Python scripts: -f, then -t, and recipients too.
  recorded symfony -f bounces@widgets.example -t <<'END'
From: Web <web@widgets.example>
To: ann@example.com
Subject: call-symfony
Message-ID: <symfony.fixed@widgets.example>
Date: Fri, 02 Jan 2026 03:04:05 +0000

Hello
END
  recorded script -oi -t -fbounces@widgets.example bob@example.org,carla@example.com <<'END'
From: Web <web@widgets.example>
To: ann@example.com
Subject: call-script-both

Hello
END
  # An mbox's first line, no end at the last one; the null sender.
  printf 'From ann@example.com Fri Jan  2 03:04:05 2026\nReturn-Path: <ann@example.com>\nFrom: ann@example.com\nTo: bob@example.org\nSubject: call-mbox\n\nHello' |
    recorded mbox -i -f '' bob@example.org
  # To a person who is in no header, by a caller who gives a name only.
  printf 'Subject: call-undisclosed\n\nHello\n' | recorded undisclosed -F 'Disk Watch' ann@example.com
  printf 'call-no-header\n\nHello\n' | recorded no-header ann@example.com
  printf 'Subject: call-latin1\n\nGr\374\337e\n' | recorded latin1 -i ann@example.com
  {
    printf 'From: web@widgets.example\nSubject: call-forwarded\nTo: ann@example.com\nCc: carla@example.com\n'
    printf 'Date: Fri, 02 Jan 2026 03:04:05 +0000\nMessage-ID: <first.fixed@widgets.example>\n'
    printf 'Resent-From: ann@example.com\nResent-To: bob@example.org\nResent-Bcc: audit@example.net\n\nHello\n'
  } | recorded forwarded -t
}

# What scripts hand over, and nobody should.
odd_calls() {
  printf 'Subject: call-no-body\nTo: ann@example.com\n' | recorded no-body -t
  recorded empty -F 'call-empty' ann@example.com </dev/null
  printf 'Subject: call-broken-header\nno field\nTo: bob@example.org\n\nHello\n' | recorded broken-header ann@example.com
  printf '\nHello\nSubject: call-blank-first\n' | recorded blank-first ann@example.com
  printf 'To: ann@example.com\nSubject: call-twice\n\nHello\n' | recorded twice -t ann@example.com,bob@example.org ann@EXAMPLE.com
  printf 'Subject: call-full-name\n\nHello\n' | recorded full-name -F "Ann 'the' Example, Jr. (IT)" ann@example.com
  printf 'Subject: call-foreign-name\n\nHello\n' | recorded foreign-name -F 'Jörg Müller' ann@example.com
  printf 'To: ann@example.com\nSubject: call-crlf\nX-Folded: one\n two\n\none\n.\ntwo\n' | sed 's/$/\r/' | recorded crlf -t -i
  recorded names -t <<'END'
From: "Root, the" <root>
Sender: root (the machine)
Reply-To: Ann <ann>, bob@example.org
To: Ann <ann@example.com>, staff: "root" <root>, bob@example.org;
Cc: ann@localhost
Errors-To: root
Return-Receipt-To: root
Disposition-Notification-To: root
Mail-Followup-To: root
Subject : call-names
Content-Length: 7
Status: RO
Lines: 1

Hello
END
}
