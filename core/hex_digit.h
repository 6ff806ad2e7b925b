// Hexadecimal digits, as quoted-printable, percent-encoding and JSON write
// bytes.
#pragma once

namespace pony {

// What the digit `c` stands for, in either case; -1 when it is none.
constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace pony
