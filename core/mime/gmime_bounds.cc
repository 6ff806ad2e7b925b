#include "core/mime/gmime_bounds.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/lower_case.h"
#include "core/mime/header_decoding.h"
#include "core/raw_message.h"

namespace pony {
namespace {

// Bounds on what GMime is given: it takes a kilobyte for a part and some
// hundred bytes for a field, and a message of 25 MB can hold millions of
// either.
constexpr std::size_t k_largest_header = std::size_t{1} << 20;
constexpr std::size_t k_most_boundaries = 50'000;
constexpr std::size_t k_most_fields = 200'000;
// GMime reads a group inside a group by calling itself, in each message that is
// anywhere in the one that it reads.
constexpr std::size_t k_most_groups = 500;
// A Content-Type with a million parameters is a million objects.
constexpr std::size_t k_longest_description = std::size_t{64} << 10;
constexpr std::array<std::string_view, 8> k_address_fields = {
    "from", "sender", "reply-to", "to",
    "cc",   "bcc",    "resent-",  "disposition-notif"};

std::string_view next_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size() - 1);
  const std::string_view line = rest.substr(0, end + 1);
  rest.remove_prefix(end + 1);
  return line;
}

bool looks_like_field(std::string_view line) {
  const std::size_t colon = line.substr(0, 80).find(':');
  return colon != std::string_view::npos && colon > 0 &&
         line.substr(0, colon).find(' ') == std::string_view::npos;
}

bool begins_addresses(std::string_view line) {
  const std::string begin = in_lower_case(line.substr(0, 20));
  return std::any_of(
      k_address_fields.begin(), k_address_fields.end(),
      [&](std::string_view name) { return begin.starts_with(name); });
}

// Measures the fields that GMime takes apart, line by line.
class FieldGauge {
 public:
  // Why this is too much for it; nothing when it is not.
  std::optional<std::string> add(std::string_view line) {
    const bool continues = line.starts_with(' ') || line.starts_with('\t');
    if (!continues) {
      holds_addresses_ = begins_addresses(line);
      describes_content_ =
          in_lower_case(line.substr(0, 8)).starts_with("content-");
      groups_ = 0;
      size_ = 0;
    }
    if (holds_addresses_)
      groups_ +=
          static_cast<std::size_t>(std::count(line.begin(), line.end(), ':'));
    if (groups_ > k_most_groups)
      return fmt::format("a list of addresses has over {} groups",
                         k_most_groups);
    if (describes_content_) size_ += line.size();
    if (size_ > k_longest_description)
      return fmt::format("a Content field has over {} bytes",
                         k_longest_description);
    return std::nullopt;
  }

 private:
  bool holds_addresses_ = false;
  bool describes_content_ = false;
  std::size_t groups_ = 0;
  std::size_t size_ = 0;
};

}  // namespace

Result<> check_for_gmime(std::string_view wire) {
  if (const auto size = header_of(wire).size(); size > k_largest_header)
    return fail(Error::Kind::bad_data,
                fmt::format("its header has {} bytes, over {}", size,
                            k_largest_header));
  std::size_t boundaries = 0;
  std::size_t fields = 0;
  FieldGauge gauge;
  while (!wire.empty()) {
    const std::string_view line = next_line(wire);
    boundaries += line.starts_with("--") ? 1 : 0;
    fields += looks_like_field(line) ? 1 : 0;
    if (auto why = gauge.add(line))
      return fail(Error::Kind::bad_data, std::move(*why));
    if (boundaries > k_most_boundaries)
      return fail(Error::Kind::bad_data,
                  fmt::format("it has over {} parts", k_most_boundaries));
    if (fields > k_most_fields)
      return fail(
          Error::Kind::bad_data,
          fmt::format("it has over {} lines of headers", k_most_fields));
  }
  return {};
}

std::string prepared_for_gmime(std::string wire) {
  if (!has_b_words(wire)) return wire;
  std::string out;
  out.reserve(wire.size() + wire.size() / 8);
  std::string_view rest = wire;
  std::string_view line;
  while (!rest.empty()) {
    line = next_line(rest);
    out.append(line);
    if (!line.starts_with("--") ||
        !in_lower_case(rest.substr(0, 8)).starts_with("content-")) {
      continue;
    }
    const std::string_view header = header_of(rest.substr(0, k_largest_header));
    out.append(with_q_words(header));
    rest.remove_prefix(header.size());
  }
  return out;
}

}  // namespace pony
