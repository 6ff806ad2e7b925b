#!/usr/bin/env bash
# pony starts as fast as a program that does nothing: only the C library is
# loaded with it, libcurl not before mail is delivered by SMTP.
source "$(dirname "$0")/support/shell.sh"
command -v ldd >/dev/null || exit 77
if ldd "$PONY" | grep -qE 'libasan|libtsan'; then exit 77; fi

libraries=$(ldd "$PONY" | awk '{print $1}' | grep -vE '^(linux-vdso|/lib.*/ld-linux|libc\.so|libm\.so)' || true)
[[ -z $libraries ]] || fail "pony loads $libraries at every start"

if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
  strace -f -e trace=openat -o "$T/trace" "$PONY" --config "$T/pony.yaml" \
    enqueue --to ann@example.com --subject Hello --text Hi >/dev/null
  ! grep -E 'libcurl|libssl|libcrypto' "$T/trace" || fail "enqueue opened libcurl"
fi
