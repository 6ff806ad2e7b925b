#include "cmd/suppress_input.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include "core/address.h"
#include "core/json.h"
#include "core/lower_case.h"
#include "core/trimmed.h"

namespace pony {
namespace {

constexpr std::size_t k_longest_record = std::size_t{64} << 10;
constexpr std::size_t k_most_fields = 200;
constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";

// "E-Mail_Address" and "email address" are one name: the letters count.
std::string letters_of(std::string_view text) {
  std::string letters;
  for (const char c : in_lower_case(text))
    if (c >= 'a' && c <= 'z') letters.push_back(c);
  return letters;
}

template <std::size_t N>
bool is_one_of(std::string_view word,
               const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The fields of a CSV record (RFC 4180), without their quotes. A quote within
// a field that does not begin with one is a quote.
std::vector<std::string> fields_of(std::string_view record, char separator) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  char before = separator;
  for (const char c : record) {
    if (c == '"' && (quoted || before == separator || before == '"')) {
      if (!quoted && before == '"') fields.back().push_back(c);
      quoted = !quoted;
    } else if (c == separator && !quoted) {
      if (fields.size() == k_most_fields) break;
      fields.emplace_back();
    } else {
      fields.back().push_back(c);
    }
    before = c;
  }
  return fields;
}

std::optional<std::int64_t> number_in(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

// "21 Oct 2011 11:02:55": the middle of an RFC 5322 date; the zone is UTC in
// whatever is exported.
Result<Time> parse_rfc5322_day(std::string_view text) {
  constexpr std::array<std::string_view, 12> k_months = {
      "jan", "feb", "mar", "apr", "may", "jun",
      "jul", "aug", "sep", "oct", "nov", "dec"};
  std::vector<std::string> words(1);
  for (const char c : in_lower_case(text)) {
    if (c != ' ')
      words.back().push_back(c);
    else if (!words.back().empty())
      words.emplace_back();
  }
  const auto no_date = [] {
    return fail(Error::Kind::bad_data, "it is no date");
  };
  if (words.size() < 4) return no_date();
  const auto month = std::find(k_months.begin(), k_months.end(), words[1]);
  if (month == k_months.end()) return no_date();
  const auto number = std::to_string(month - k_months.begin() + 1);
  const auto two = [](const std::string& digits) {
    return digits.size() == 1 ? "0" + digits : digits;
  };
  return parse_time(words[2] + "-" + two(number) + "-" + two(words[0]) + "T" +
                    words[3] + "Z");
}

tl::unexpected<Error> bad(std::string why, std::string hint = {}) {
  return fail(Error::Kind::bad_data, std::move(why), std::move(hint));
}

}  // namespace

Result<Time> parse_exported_time(std::string_view text) {
  text = trimmed(text);
  constexpr std::int64_t k_first_milliseconds = 100'000'000'000;  // 1973
  constexpr std::int64_t k_last_milliseconds = 253'402'300'799'999;
  if (const auto number = number_in(text)) {
    const std::int64_t milliseconds =
        *number < k_first_milliseconds ? *number * 1000 : *number;
    if (*number < 0 || milliseconds > k_last_milliseconds)
      return bad("it is no date");
    return Time(Milliseconds(milliseconds));
  }
  if (const auto comma = text.find(", "); comma != std::string_view::npos)
    return parse_rfc5322_day(text.substr(comma + 2));
  if (auto day = parse_day(text)) return day;
  std::string moment(text);
  if (moment.ends_with(" UTC")) moment.replace(moment.size() - 4, 4, "Z");
  if (moment.size() > 10 && moment[10] == ' ') moment[10] = 'T';
  if (auto time = parse_time(moment)) return time;
  if (auto time = parse_time(moment + "Z")) return time;
  return bad("it is no date");
}

std::optional<SuppressedFor> exported_reason(std::string_view text) {
  text = trimmed(text);
  const std::string word = letters_of(text);
  if (const auto known = suppressed_for_from(word)) return known;
  // A server's own words for why it refused: "550 5.1.1 …".
  if (text.starts_with('5') && text.size() > 3 && number_in(text.substr(0, 3)))
    return SuppressedFor::bounced;
  if (word.find("unsubscribe") != std::string::npos ||
      word.find("optout") != std::string::npos)
    return SuppressedFor::unsubscribed;
  if (word.find("complain") != std::string::npos ||
      word.find("spam") != std::string::npos ||
      word.find("abuse") != std::string::npos)
    return SuppressedFor::complained;
  if (word.find("bounce") != std::string::npos ||
      word.find("invalid") != std::string::npos)
    return SuppressedFor::bounced;
  if (word.starts_with("manual")) return SuppressedFor::manual;
  return {};
}

std::optional<SuppressionInput::Record> SuppressionInput::next() {
  while (auto text = next_text()) {
    std::string_view record = text->text;
    if (text->line == 1 && record.starts_with(k_byte_order_mark))
      record.remove_prefix(k_byte_order_mark.size());
    record = trimmed(record);
    if (!text->trouble.empty()) return Record{text->line, bad(text->trouble)};
    if (record.empty()) continue;
    if (format_ == Format::unknown) {
      if (record.starts_with('{')) {
        format_ = Format::json;
      } else if (is_header(record)) {
        format_ = Format::csv;
        continue;
      } else {
        format_ = Format::addresses;
      }
    }
    if (format_ == Format::addresses && record.starts_with('#')) continue;
    return Record{text->line, entry_in(record)};
  }
  return {};
}

// Where the record at start_ ends: at a line end that is in no quotes, else
// where the buffer does.
SuppressionInput::End SuppressionInput::end_of_record() const {
  End end{start_, 0, false};
  if (format_ != Format::csv) {
    end.at = std::min(buffer_.find('\n', start_), buffer_.size());
    return end;
  }
  char before = separator_;
  for (; end.at < buffer_.size(); ++end.at) {
    const char c = buffer_[end.at];
    // It opens a field, closes one, or is the second of two that mean one.
    if (c == '"' && (end.in_quotes || before == separator_ || before == '"'))
      end.in_quotes = !end.in_quotes;
    if (c == '\n') {
      if (!end.in_quotes) break;
      ++end.lines;
    }
    if (end.at - start_ > k_longest_record) break;
    before = c;
  }
  return end;
}

std::optional<SuppressionInput::Text> SuppressionInput::next_text() {
  if (skipping_) {
    const auto end = buffer_.find('\n', start_);
    if (end == std::string::npos) {
      buffer_.clear();
      start_ = 0;
      return {};
    }
    ++line_;
    start_ = end + 1;
    skipping_ = false;
  }
  const End end = end_of_record();
  const std::size_t size = end.at - start_;
  const bool whole = end.at < buffer_.size() || finished_;
  if (size <= k_longest_record && !whole) {
    buffer_.erase(0, std::exchange(start_, 0));
    return {};
  }
  if (start_ == buffer_.size()) return {};
  // Only its first line is given up: the others may be records.
  skipping_ = size > k_longest_record || end.in_quotes;
  if (size > k_longest_record)
    return Text{{}, line_, "it is longer than any entry"};
  if (end.in_quotes) return Text{{}, line_, "a quote is not closed"};
  Text text{buffer_.substr(start_, size), line_, {}};
  line_ += end.lines + 1;
  start_ = std::min(end.at + 1, buffer_.size());
  return text;
}

bool SuppressionInput::is_header(std::string_view line) {
  constexpr std::array<std::string_view, 5> k_address = {
      "email", "address", "emailaddress", "recipient", "emailid"};
  constexpr std::array<std::string_view, 4> k_reason = {
      "reason", "suppressionreason", "type", "error"};
  constexpr std::array<std::string_view, 8> k_since = {
      "created",   "createdat", "since",     "date",
      "timestamp", "time",      "createdon", "datetime"};
  for (const char separator : {',', ';', '\t'}) {
    Columns columns;
    const auto names = fields_of(line, separator);
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string name = letters_of(names[i]);
      if (is_one_of(name, k_address) && !columns.address) columns.address = i;
      if (is_one_of(name, k_reason) && !columns.reason) columns.reason = i;
      if (is_one_of(name, k_since) && !columns.since) columns.since = i;
    }
    if (!columns.address) continue;
    columns_ = columns;
    separator_ = separator;
    return true;
  }
  return false;
}

Result<Suppression> SuppressionInput::entry_in(std::string_view text) const {
  if (format_ == Format::csv) return entry_in_csv(text);
  if (format_ == Format::json) {
    auto entry = parse_suppression(text);
    if (!entry) return entry;
    if (auto ok = check_email(entry->address); !ok)
      return tl::unexpected(ok.error());
    return entry;
  }
  auto address = parse_address(text);
  if (!address) return tl::unexpected(address.error());
  return Suppression{address->email, reason_, now_, {}, {}, {}};
}

Result<Suppression> SuppressionInput::entry_in_csv(
    std::string_view text) const {
  const auto fields = fields_of(text, separator_);
  const auto field = [&](const std::optional<std::size_t>& column) {
    return column && *column < fields.size() ? trimmed(fields[*column])
                                             : std::string_view();
  };
  auto address = parse_address(field(columns_.address));
  if (!address) return tl::unexpected(address.error());
  Suppression entry{address->email, reason_, now_, {}, {}, {}};
  if (const auto since = field(columns_.since); !since.empty()) {
    const auto time = parse_exported_time(since);
    if (!time) return bad("'" + printable(since, 60) + "' is no date");
    entry.since = *time;
  }
  const auto reason = field(columns_.reason);
  if (const auto known = exported_reason(reason)) entry.reason = *known;
  // A word that says no more than our own is not kept.
  if (reason.find(' ') != std::string_view::npos)
    entry.note = printable(reason, 300);
  return entry;
}

}  // namespace pony
