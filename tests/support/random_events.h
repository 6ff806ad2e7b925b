// Lines of an event log as it may be in the world: most are events as pony
// writes them, some have members of others, another order or escapes, some are
// torn, damaged or no events at all. The same for the same seed.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "core/event.h"

namespace pony {

class RandomEvents {
 public:
  explicit RandomEvents(std::uint32_t seed) : random_(seed) {}

  // Of `messages` messages only, so that some are retried, and of few values,
  // so that rows have more than one event.
  Event event(std::size_t messages = 1000) {
    Event event;
    now_ += below(5'000);
    event.ts = Time{Milliseconds(now_ - below(100))};
    event.event =
        one_of({"queued", "attempted", "attempted", "sent", "sent", "deferred",
                "failed", "cancelled", "expired", "held", "skipped", "retried",
                "opened", "released", "suppressed", "bounced", "complained"});
    event.id = "01KB" + std::to_string(below(messages));
    if (chance(90)) event.by = "web1:" + std::to_string(below(3));
    const bool is_attempt = event.event == "attempted" || event.event == "sent";
    if (is_attempt || chance(10)) {
      event.attempt = 1 + static_cast<int>(below(3));
      event.provider = one_of({"main", "second", "relay"});
    }
    if (event.event == "attempted")
      event.outcome = static_cast<Outcome>(below(5));
    if (is_attempt) event.latency_ms = time();
    if (chance(60)) event.queue_ms = time();
    if (chance(30)) event.provider_id = text();
    if (chance(30)) event.status = 200 + static_cast<int>(below(400));
    if (chance(20)) event.error = text();
    if (chance(2))
      event.recipients = {{"a@b.example", Outcome::accepted, ""},
                          {text(), Outcome::rejected, text()}};
    if (chance(3)) event.recipient = one_of({"a@b.example", "c@d.example"});
    if (chance(3)) event.reduced = {"tags", text()};
    if (chance(5)) event.next_at = event.ts + Milliseconds(below(100'000));
    if (chance(20)) event.reason = text();
    if (chance(10)) event.reason = "a@b.example: " + text();
    if (chance(80)) event.template_id = one_of({"welcome", "reset"});
    if (chance(80)) event.lang = one_of({"en", "es", "pt-BR"});
    if (chance(80)) event.pool = one_of({"default", "bulk"});
    while (chance(50) && event.tags.size() < 4)
      event.tags.push_back(chance(90) ? one_of({"signup", "eu", "größe"})
                                      : text());
    if (chance(90))
      event.domain = one_of({"gmail.com", "example.com", "b.example", ""});
    return event;
  }

  // Without its '\n', and without any in it.
  std::string line(std::size_t messages = 1000) {
    std::string line;
    append_line(line, event(messages));
    line.pop_back();
    if (chance(60)) return line;
    switch (below(8)) {
      case 0:
        return line.substr(0, below(line.size()));
      case 1:
        line.insert(below(line.size()), 1, special());
        return line;
      case 2:
        line[below(line.size())] = special();
        return line;
      case 3:
        return line.substr(0, below(line.size())) + line;
      case 4:
        return line.substr(0, line.size() - 1) + R"(,"foreign":[{"a":null}]})";
      case 5:
        return R"({"tags":["first"],)" + line.substr(1);
      case 6:
        return one_of({"", "{}", "null", "x", "[1]", " " + line, line + "\r"});
      default:
        return with_escapes(line);
    }
  }

  std::size_t below(std::size_t limit) { return random_() % limit; }
  bool chance(std::size_t percent) { return below(100) < percent; }

 private:
  std::string one_of(const std::vector<std::string>& values) {
    return values[below(values.size())];
  }
  std::int64_t time() {
    const auto time = static_cast<std::int64_t>(below(100'000));
    return chance(3) ? -time : chance(3) ? time << 20 : time;
  }
  std::string text() {
    return one_of({"550 no such user", "mailbox full", "busy", "a \"quote\"",
                   "back\\slash", "tab\tor\nbreak", "naïve", "日本語 の 答え",
                   "\xF0\x9F\x90\xB4", "\x7F", "\xC3", "\"domain\":\"x",
                   std::string(100, 'x'), std::string(400, 'y'), ""});
  }
  char special() {
    constexpr std::string_view k_specials = "\"\\{}[],:\t\r\x01\x7F\xC3\xA9 0";
    return k_specials[below(k_specials.size())];
  }
  // A letter of a string spelled as an escape.
  std::string with_escapes(std::string line) {
    const std::size_t at = line.find_first_of("aeiou", below(line.size()));
    if (at == std::string::npos) return line;
    constexpr std::string_view k_digits = "0123456789abcdef";
    const auto byte = static_cast<unsigned char>(line[at]);
    return line.replace(
        at, 1,
        std::string("\\u00") + k_digits[byte >> 4U] + k_digits[byte & 15U]);
  }

  std::mt19937 random_;
  std::int64_t now_ = 1'795'219'200'000;  // 2026-11-21
};

}  // namespace pony
