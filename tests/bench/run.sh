#!/usr/bin/env bash
# ./dev bench [NAME…]: pony beside its peers, in turns, on this machine. Prints
# a table and writes it to build/bench/results.md.
#
#   tests/bench/run.sh [enqueue] [enqueue8] [stream] [drain] [slow] [http] [start] [queue] [compose] [report]
#
#   BENCH_QUICK=1    fewer rounds and messages: does it run at all?
#   BENCH_ROUNDS=N   so many rounds instead of five
#   BENCH_TMP=DIR    where the spools are; /var/tmp unless set
#   BENCH_LOOP=0     use BENCH_TMP's own file system. Unless set, a scratch ext4
#                    on a file in BENCH_TMP: disks that are mounted with online
#                    discard take a millisecond for each unlink, and then the
#                    peers, who delete what they have sent, would look slow
#
# Needs root: the peers have their spools in fixed places, which they see in a
# mount namespace of their own. It has a network of its own too, so no mail can
# leave. Nothing of this machine's is changed, nothing is left behind.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
out=$root/build/bench

((EUID == 0)) || { echo "bench: needs root, for namespaces and mounts" >&2; exit 77; }
benches=(enqueue enqueue8 stream drain slow http start queue compose report)
for name; do
  [[ " ${benches[*]} " == *" $name "* ]] ||
    { echo "bench: no bench '$name', there are: ${benches[*]}" >&2; exit 64; }
done
(($#)) || set -- "${benches[@]}"
[[ -x $root/build/release/pony ]] ||
  { echo "bench: no build/release/pony; call ./dev bench" >&2; exit 66; }

mkdir -p "$out/debs"
for source in "$here"/*.cc; do
  [[ $source == */compose.cc ]] && continue  # is linked with pony's rooms
  program=$out/$(basename "$source" .cc)
  [[ $program -nt $source ]] ||
    g++ -std=c++20 -O2 -static -pthread -Wall -Wextra -o "$program" "$source"
done

# Copies: a build that goes on meanwhile must not change what is measured.
install "$root/build/release/pony" "$out/pony"
install "$root/build/release/tests/compose_bench" "$out/compose"

# nullmailer and dma cannot be installed beside postfix, nor beside what this
# machine may use for its mail: they are only unpacked.
fetch_peers() {
  local peer
  for peer in nullmailer dma; do
    compgen -G "$out/debs/${peer}_*.deb" >/dev/null ||
      (cd "$out/debs" && apt-get download -qq -o APT::Sandbox::User=root "$peer")
  done
}
if [[ " $* " == *" enqueue"* ]]; then
  fetch_peers || { apt-get update -qq && fetch_peers; }
fi

scratch=$(mktemp -d "${BENCH_TMP:-/var/tmp}/pony-bench.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
BENCH_COMMIT=$(git -C "$root" describe --always --dirty 2>/dev/null || echo unknown)
export BENCH_COMMIT BENCH_OUT=$out BENCH_SCRATCH=$scratch PONY_SOURCE=$root
# Whatever was started in there ends with it, and its mounts go.
unshare --mount --net --pid --fork --kill-child --mount-proc \
  --propagation private "$here/inside.sh" "$@"
