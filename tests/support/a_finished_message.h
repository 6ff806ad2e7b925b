// A finished message as programs hand one to sendmail, for tests of providers.
#pragma once

#include <memory>
#include <string>

#include "core/rendered_message.h"
#include "tests/support/an_attempt.h"

namespace pony {

// From Team by its header, from bounces@a.example by its envelope, to Ann; Eve
// is told of in a Bcc.
inline RenderedMessage a_finished_message() {
  RenderedMessage message;
  message.id = "01JD7Z3N8QW2E4R6T8Y0A1B2C3";
  message.from = {"", "bounces@a.example"};
  message.to = {{"", "ann@b.example"}};
  message.raw =
      "From: Team <team@a.example>\nTo: Ann <ann@b.example>\n"
      "Bcc: eve@b.example\nSubject: Hi\n\nHi Ann\n";
  message.parsed = std::make_shared<ParsedRaw>();
  return message;
}

// The same on the wire.
inline const std::string k_finished_wire =
    "From: Team <team@a.example>\r\nTo: Ann <ann@b.example>\r\n"
    "Subject: Hi\r\n\r\nHi Ann\r\n";

}  // namespace pony
