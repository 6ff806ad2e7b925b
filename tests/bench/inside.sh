#!/usr/bin/env bash
# Called by run.sh in namespaces of its own. Makes the scratch volume, shows the
# peers their configuration and spools on it, and starts bench.py.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ip link set lo up

# Sparse enough inodes for 100,000 messages twice over, and none of the writes
# that ext4 does in the background on a new volume.
make_volume() {
  fallocate -l 4G "$BENCH_SCRATCH/image" &&
    mkfs.ext4 -q -F -N 1000000 -E lazy_itable_init=1,nodiscard \
      "$BENCH_SCRATCH/image" &&
    mount -o loop,nodiscard,noinit_itable "$BENCH_SCRATCH/image" "$volume"
}

volume=$BENCH_SCRATCH/volume
mkdir "$volume"
kind=$(stat -f -c %T "$BENCH_SCRATCH")
if [[ ${BENCH_LOOP:-1} == 1 ]] && make_volume; then
  where="ext4 on a loop file in ${BENCH_TMP:-/var/tmp} ($kind), nodiscard"
else
  where="a folder in ${BENCH_TMP:-/var/tmp} ($kind), no loop volume"
fi
export BENCH_VOLUME=$volume BENCH_WHERE=$where

mkdir "$volume"/{etc,etc-work,spool,log,postfix,peers}
mount -t overlay overlay \
  -o "lowerdir=/etc,upperdir=$volume/etc,workdir=$volume/etc-work" /etc
mount --bind "$volume/spool" /var/spool
mount --bind "$volume/log" /var/log
chown postfix "$volume/postfix"
mount --bind "$volume/postfix" /var/lib/postfix
echo bench.example >/etc/mailname

# Postfix as it comes, with a relay and one way in; its own defaults for
# everything that decides its speed.
mkdir -p /etc/postfix /var/spool/postfix
grep -vE '^(smtp +inet|#)' /usr/share/postfix/master.cf.dist >/etc/postfix/master.cf
echo '127.0.0.1:2526 inet n - n - - smtpd' >>/etc/postfix/master.cf
cat >/etc/postfix/main.cf <<'CF'
compatibility_level = 3.6
myhostname = bench.example
mydestination =
relayhost = [127.0.0.1]:2525
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
inet_protocols = ipv4
smtp_dns_support_level = disabled
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
smtpd_client_message_rate_limit = 0
maillog_file = /var/log/mail.log
alias_maps =
local_recipient_maps =
CF
install -o postfix /dev/null /var/log/mail.log # postsuper is not root then
postfix check >/dev/null 2>&1 || true           # makes its folders

# The owners and modes in the packages are those of a real installation.
for package in "$BENCH_OUT"/debs/*.deb; do
  [[ -e $package ]] && dpkg -x "$package" "$volume/peers"
done
export NULLMAILER_QUEUE=$volume/peers/usr/sbin/nullmailer-queue
mkdir -p /etc/nullmailer /var/spool/nullmailer/{queue,tmp,failed}
mkfifo -m 622 /var/spool/nullmailer/trigger
chown -R mail:mail /var/spool/nullmailer
echo bench.example >/etc/nullmailer/me
echo '127.0.0.1 smtp --port=2525' >/etc/nullmailer/remotes

mkdir -p /etc/dma /var/spool/dma
chown root:mail /var/spool/dma
chmod 2775 /var/spool/dma
cat >/etc/dma/dma.conf <<'CF'
SMARTHOST 127.0.0.1
PORT 2525
SPOOLDIR /var/spool/dma
MAILNAME bench.example
DEFER
CF

# Not exec: this shell is the namespace's init and reaps postfix's daemons.
code=0
python3 "$here/bench.py" "$@" || code=$?
cd /
exit "$code"
