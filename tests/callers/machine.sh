# Sourced: a machine for the callers, in namespaces that its caller has made
# (mounts, processes, host name), and Postfix on it.
#
# Promises: nothing of the real machine is written; all of it is gone with the
# namespaces.

# The folders that the callers and Postfix write to become copies in $T, with
# the users, names and aliases of the test.
#   make_machine ORIGIN ALIASES
make_machine() {
  local folder folders=(/etc /var/spool /var/mail /var/log /var/lib/postfix)
  hostname box
  for folder in "${folders[@]}"; do
    mkdir -p "$T/machine$folder"
  done
  cp -a /etc/. "$T/machine/etc"
  chown postfix "$T/machine/var/lib/postfix"
  for folder in "${folders[@]}"; do
    mount --bind "$T/machine$folder" "$folder"
  done
  mount -t tmpfs run /run

  mkdir "$T/home"
  chown 4711:4711 "$T/home"
  chmod 755 "$T"
  sed -i '/^root:\|^ann:/d' /etc/passwd
  printf '%s\n' "root:x:0:0:root:$T/home:/bin/bash" \
    "ann:x:4711:4711:Ann Example,,,:$T/home:/bin/bash" >>/etc/passwd
  echo 'ann:x:4711:' >>/etc/group
  sed -i 's/^mail:.*[^:]$/&,/; s/^mail:.*/&ann/' /etc/group
  echo 'ann:*:20000:0:99999:7:::' >>/etc/shadow
  printf 'auth required pam_permit.so\naccount required pam_permit.so\nsession required pam_permit.so\n' >/etc/pam.d/cron
  printf '127.0.0.1 localhost\n127.0.1.1 box.widgets.example box\n' >/etc/hosts
  echo "$1" >/etc/mailname
  cp "$2" /etc/aliases
  rm -f /etc/Muttrc.d/* /etc/s-nail.rc /etc/mail.rc
  touch /etc/mail.rc
}

# Postfix as it comes with Debian, which relays all that is not local.
#   start_postfix PORT    of the server on 127.0.0.1 that gets its mail
start_postfix() {
  mkdir /var/spool/postfix
  grep -vE '^(smtp +inet|#)' /usr/share/postfix/master.cf.dist >/etc/postfix/master.cf
  cat >/etc/postfix/main.cf <<CF
compatibility_level = 3.6
myhostname = box.widgets.example
myorigin = /etc/mailname
mydestination = \$myorigin, \$myhostname, box, localhost
append_dot_mydomain = no
alias_maps = hash:/etc/aliases
alias_database = hash:/etc/aliases
relayhost = [127.0.0.1]:$1
smtp_dns_support_level = disabled
inet_interfaces = loopback-only
inet_protocols = ipv4
maillog_file = /var/log/mail.log
CF
  install -o postfix /dev/null /var/log/mail.log
  newaliases
  postfix check >"$T/postfix.log" 2>&1 || true # makes its folders
  postfix start >>"$T/postfix.log" 2>&1 || fail "Postfix: $(cat "$T/postfix.log" /var/log/mail.log)"
}
