// What a provider's answer means: the contract's five outcomes, and a Verdict,
// which is one of them with the provider's own words.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace pony {

enum class Outcome {
  accepted,     // the provider has it
  rejected,     // this message will never be taken
  unavailable,  // the provider cannot now; another may
  throttled,    // too much at once; the provider rests, another may
  unknown,      // it may have been taken
};

std::string_view to_text(Outcome outcome);
std::optional<Outcome> outcome_from(std::string_view text);

// The better of two outcomes, from the sender's point of view: accepted,
// unknown, throttled, unavailable, rejected.
Outcome better(Outcome a, Outcome b);

struct Verdict {
  Outcome outcome = Outcome::unavailable;
  int status = 0;           // HTTP status or SMTP reply code; 0: none came
  std::string error;        // the provider's words, printable, at most 1 KiB
  std::string provider_id;  // the provider's own id for the message
  // How long the provider asked to be left alone (Retry-After), 1 s to 24 h.
  std::optional<std::chrono::seconds> rest = {};
  // False for trouble with one recipient (an SMTP 4yz to RCPT): that says
  // nothing about the provider's health.
  bool counts_against_provider = true;
};

// What a provider asked for, as Verdict::rest has it: 1 s to 24 h.
std::chrono::seconds clamped_rest(std::chrono::seconds asked);

}  // namespace pony
