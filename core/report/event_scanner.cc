// A walk over the members of a line in the one order that append_line() writes;
// see event_scanner.h. Every byte is looked at, as a line that is no JSON is no
// event.
#include "core/report/event_scanner.h"

#include <bit>
#include <cstring>
#include <string>

#include "core/clock.h"
#include "core/json.h"
#include "core/outcome.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace pony {
namespace {

constexpr std::size_t k_time_size =
    std::string_view("2026-11-21T10:00:00.123Z").size();

constexpr std::uint64_t each_byte(std::uint64_t byte) {
  return byte * 0x0101010101010101U;
}

// The high bit of each byte of `word` that is below `limit` (at most 128); of
// the lowest such byte and those before it that is exact.
std::uint64_t bytes_below(std::uint64_t word, std::uint64_t limit) {
  return (word - each_byte(limit)) & ~word;
}

bool is_special(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '"' || byte == '\\' || byte < 0x20 || byte >= 0x80;
}

// The first byte that is a quote, a backslash, a control or not ASCII: eight at
// a time.
const char* first_special(const char* at, const char* end) {
  while (end - at >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    const std::uint64_t found = (bytes_below(word ^ each_byte('"'), 1) |
                                 bytes_below(word ^ each_byte('\\'), 1) |
                                 bytes_below(word, 0x20) | word) &
                                each_byte(0x80);
    if (found != 0) {
      if constexpr (std::endian::native == std::endian::little)
        return at + (std::countr_zero(found) >> 3);
      break;
    }
    at += 8;
  }
  while (at != end && !is_special(*at)) ++at;
  return at;
}

enum class Escapes { refused, skipped };

// What is left of a line.
class Cursor {
 public:
  explicit Cursor(std::string_view text)
      : at_(text.data()), end_(text.data() + text.size()) {}

  // Takes `literal` if it comes next.
  template <std::size_t Size>
  bool takes(const char (&literal)[Size]) {
    constexpr std::size_t k_size = Size - 1;
    if (left() < k_size || std::memcmp(at_, literal, k_size) != 0) return false;
    at_ += k_size;
    return true;
  }

  // Takes a string behind its opening quote, with the closing one.
  bool text(std::string_view& value, Escapes escapes = Escapes::refused) {
    const char* begin = at_;
    const char* stop = first_special(at_, end_);
    if (stop == end_) return false;
    if (*stop != '"' && !rare_end(stop, escapes)) return false;
    value = std::string_view(begin, static_cast<std::size_t>(stop - begin));
    at_ = stop + 1;
    return true;
  }
  bool skip_text() {
    std::string_view value;
    return text(value, Escapes::skipped);
  }

  // Takes digits as JSON has them: no sign, no zero in front, at most 18.
  bool number(std::int64_t& value) {
    constexpr int k_most_digits = 18;
    const char* begin = at_;
    value = 0;
    while (at_ != end_ && *at_ >= '0' && *at_ <= '9' &&
           at_ - begin < k_most_digits)
      value = value * 10 + (*at_++ - '0');
    return at_ != begin && (*begin != '0' || at_ - begin == 1);
  }

  // Takes strings behind their '[', with the ']'.
  template <class Each>
  bool list(Escapes escapes, const Each& each) {
    do {
      std::string_view value;
      if (!takes("\"") || !text(value, escapes)) return false;
      each(value);
    } while (takes(","));
    return takes("]");
  }

  bool time(std::string_view& value) {
    if (left() <= k_time_size || at_[k_time_size] != '"') return false;
    value = std::string_view(at_, k_time_size);
    at_ += k_time_size + 1;
    return true;
  }

  bool at_end() const { return at_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  std::string_view rest() const { return {at_, left()}; }

 private:
  // Where a string with other characters than ASCII, or with escapes, ends.
  bool rare_end(const char*& stop, Escapes escapes) const {
    for (const char* begin = at_; stop != end_;
         stop = first_special(stop, end_)) {
      if (*stop == '"')
        return is_utf8({begin, static_cast<std::size_t>(stop - begin)});
      if (*stop == '\\') {
        constexpr std::string_view k_known = "\"\\/bfnrt";
        if (escapes == Escapes::refused || end_ - stop < 2 ||
            k_known.find(stop[1]) == std::string_view::npos)
          return false;
        stop += 2;
      } else if (static_cast<unsigned char>(*stop) < 0x20) {
        return false;
      } else {
        ++stop;
      }
    }
    return false;
  }

  const char* at_;
  const char* end_;
};

// The bytes of Event::natural_key(), without a string. False: too long.
class KeyBytes {
 public:
  void add(std::string_view text) {
    if (text.size() + 1 > bytes_.size() - size_) {
      fits_ = false;
      return;
    }
    if (!text.empty())
      std::memcpy(bytes_.data() + size_, text.data(), text.size());
    size_ += text.size();
    bytes_[size_++] = '\t';
  }
  void add(std::int64_t number) {
    std::array<char, 20> digits{};
    std::size_t at = digits.size();
    do {
      digits[--at] = static_cast<char>('0' + number % 10);
      number /= 10;
    } while (number != 0);
    add(std::string_view(digits.data() + at, digits.size() - at));
  }
  bool fits() const { return fits_; }
  // Without the last tab.
  std::uint64_t hash() const { return XXH3_64bits(bytes_.data(), size_ - 1); }

 private:
  std::array<char, 512> bytes_;
  std::size_t size_ = 0;
  bool fits_ = true;
};

// The members between "id" and "template".
struct Middle {
  std::string_view provider, outcome, error, recipient, reason;
  std::int64_t attempt = 0;
  std::int64_t latency_ms = -1;  // none
  std::int64_t queue_ms = -1;    // none
};

bool scan_attempt(Cursor& in, Middle& middle) {
  if (in.takes(",\"by\":\"") && !in.skip_text()) return false;
  if (in.takes(",\"attempt\":")) {
    constexpr std::int64_t k_most_attempts = 1'000'000'000;
    if (!in.number(middle.attempt) || middle.attempt > k_most_attempts)
      return false;
  }
  if (in.takes(",\"provider\":\"") && !in.text(middle.provider)) return false;
  if (in.takes(",\"outcome\":\"") &&
      (!in.text(middle.outcome) || !outcome_from(middle.outcome)))
    return false;
  if (in.takes(",\"latency_ms\":") && !in.number(middle.latency_ms))
    return false;
  return !in.takes(",\"queue_ms\":") || in.number(middle.queue_ms);
}

bool scan_answer(Cursor& in, Middle& middle) {
  std::int64_t status = 0;
  if (in.takes(",\"provider_id\":\"") && !in.skip_text()) return false;
  if (in.takes(",\"status\":") && !in.number(status)) return false;
  // It is wanted when there is no reason.
  if (in.takes(",\"error\":\"") && !in.text(middle.error)) return false;
  // Events with "recipients" are few: parse_event() reads them.
  return !in.takes(",\"recipient\":\"") || in.text(middle.recipient);
}

bool scan_why(Cursor& in, Middle& middle) {
  if (in.takes(",\"reduced\":[") &&
      !in.list(Escapes::skipped, [](std::string_view) {}))
    return false;
  std::string_view next_at;
  if (in.takes(",\"next_at\":\"") &&
      (!in.time(next_at) || !parse_time(next_at)))
    return false;
  return !in.takes(",\"reason\":\"") || in.text(middle.reason);
}

// What is left of a line behind the middle: the traits, then the domain.
bool scan_end(std::string_view rest, ScannedLine& scanned) {
  constexpr std::string_view k_domain = ",\"domain\":\"";
  if (!rest.ends_with('}')) return false;
  rest.remove_suffix(1);
  scanned.traits = rest;
  scanned.domain = {};
  if (!rest.ends_with('"')) return true;  // tags, or nothing at all
  const std::size_t quote = rest.rfind('"', rest.size() - 2);
  if (quote == std::string_view::npos || quote + 1 < k_domain.size())
    return false;
  const std::size_t begin = quote + 1 - k_domain.size();
  if (rest.substr(begin, k_domain.size()) != k_domain) return true;
  Cursor domain(rest.substr(quote + 1));
  if (!domain.text(scanned.domain) || !domain.at_end()) return false;
  scanned.traits = rest.substr(0, begin);
  return true;
}

bool set_key(std::string_view id, std::string_view ts, const Middle& middle,
             ScannedLine& scanned) {
  KeyBytes key;
  key.add(id);
  key.add(scanned.event);
  key.add(middle.attempt);
  key.add(middle.provider);
  if (!middle.recipient.empty()) key.add(address_in_key(middle.recipient));
  if (middle.attempt == 0) key.add(ts);
  scanned.key = key.hash();
  return key.fits();
}

void set_time(const Middle& middle, ScannedLine& scanned) {
  const std::int64_t time = scanned.event == "sent"        ? middle.queue_ms
                            : scanned.event == "attempted" ? middle.latency_ms
                                                           : -1;
  scanned.time = time < 0 ? k_no_time : kept_time(time);
}

}  // namespace

// `text` has k_time_size bytes. Only the spelling that format_time() writes.
bool EventScanner::read_time(const char* text, std::int64_t& ts) {
  if (std::memcmp(text, minute_.data(), minute_.size()) != 0) {
    const auto minute =
        parse_minute(std::string(text, minute_.size()).append("Z"));
    if (!minute) return false;
    std::memcpy(minute_.data(), text, minute_.size());
    minute_ms_ = minute->time_since_epoch().count();
  }
  const auto digit = [text](std::size_t at) {
    return static_cast<unsigned>(static_cast<unsigned char>(text[at])) - '0';
  };
  const unsigned ten = digit(17), one = digit(18);
  const unsigned tenth = digit(20), hundredth = digit(21), ms = digit(22);
  if (text[16] != ':' || text[19] != '.' || text[23] != 'Z' || ten > 5 ||
      one > 9 || tenth > 9 || hundredth > 9 || ms > 9)
    return false;
  ts = minute_ms_ +
       ((ten * 10 + one) * 1000 + tenth * 100 + hundredth * 10 + ms);
  return true;
}

bool EventScanner::scan(std::string_view line, ScannedLine& scanned) {
  Cursor in(line);
  std::string_view ts;
  std::string_view id;
  if (!in.takes("{\"ts\":\"") || !in.time(ts) ||
      !read_time(ts.data(), scanned.ts) || !in.takes(",\"event\":\"") ||
      !in.text(scanned.event) || !in.takes(",\"id\":\"") || !in.text(id) ||
      scanned.event.empty() || id.empty())
    return false;
  Middle middle;
  if (!scan_attempt(in, middle) || !scan_answer(in, middle) ||
      !scan_why(in, middle) || !scan_end(in.rest(), scanned))
    return false;
  scanned.message = XXH3_64bits(id.data(), id.size());
  scanned.outcome = middle.outcome;
  scanned.provider = middle.provider;
  scanned.why =
      beginning_of(middle.reason.empty() ? middle.error : middle.reason,
                   k_kept_reason_bytes);
  set_time(middle, scanned);
  return set_key(id, ts, middle, scanned);
}

bool EventScanner::scan_traits(std::string_view traits,
                               ScannedTraits& scanned) {
  Cursor in(traits);
  scanned.template_id = scanned.lang = scanned.pool = {};
  scanned.tags.clear();
  if (in.takes(",\"template\":\"") && !in.text(scanned.template_id))
    return false;
  if (in.takes(",\"lang\":\"") && !in.text(scanned.lang)) return false;
  if (in.takes(",\"pool\":\"") && !in.text(scanned.pool)) return false;
  if (in.takes(",\"tags\":[") &&
      !in.list(Escapes::refused,
               [&](std::string_view tag) { scanned.tags.push_back(tag); }))
    return false;
  return in.at_end();
}

}  // namespace pony
