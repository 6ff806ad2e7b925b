#include "core/mime/mail_header.h"

#include <algorithm>
#include <optional>

#include "core/lower_case.h"

namespace pony {
namespace {

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

// The first line of `text` with its line end.
std::string_view first_line_of(std::string_view text) {
  const std::size_t end = text.find('\n');
  return text.substr(0, end == std::string_view::npos ? end : end + 1);
}

std::string_view without_line_end(std::string_view line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// The size of the name that `line` begins with, if it is a field's first line
// (RFC 5322, 2.2; white space before the colon is 4.5.8's).
std::optional<std::size_t> name_size(std::string_view line) {
  const auto* const end = std::find_if(line.begin(), line.end(), [](char c) {
    return c <= ' ' || c >= '\x7f' || c == ':';
  });
  const auto size = static_cast<std::size_t>(end - line.begin());
  const std::size_t colon =
      std::min(line.find_first_not_of(" \t", size), line.size());
  if (size == 0 || colon == line.size() || line[colon] != ':') return {};
  return size;
}

}  // namespace

bool MailField::is(std::string_view other) const {
  return name.size() == other.size() &&
         in_lower_case(name) == in_lower_case(other);
}

Result<MailHeader> scan_mail_header(std::string_view mail) {
  MailHeader header;
  std::size_t number = 0;
  while (header.size < mail.size()) {
    const auto line = first_line_of(mail.substr(header.size));
    const auto text = without_line_end(line);
    ++number;
    if (text.empty()) {
      header.is_separated = true;
      header.body = header.size + line.size();
      return header;
    }
    if (header.size + line.size() > k_mail_header_limit &&
        (is_blank(text.front()) || name_size(text))) {
      return fail(Error::Kind::bad_data,
                  "the header of the message is larger than 4 MiB");
    }
    if (is_blank(text.front()) && !header.fields.empty()) {
      MailField& last = header.fields.back();
      last.raw = {last.raw.data(), last.raw.size() + line.size()};
      const char* const end = text.data() + text.size();
      last.value = {last.value.data(),
                    static_cast<std::size_t>(end - last.value.data())};
    } else if (const auto size = name_size(text)) {
      const std::size_t colon = text.find(':');
      header.fields.push_back(
          {text.substr(0, *size), text.substr(colon + 1), line, number});
    } else {
      break;
    }
    header.size += line.size();
  }
  header.body = header.size;
  return header;
}

std::string_view line_end_of(std::string_view mail) {
  const std::size_t end = mail.find('\n');
  const bool crlf =
      end != std::string_view::npos && end > 0 && mail[end - 1] == '\r';
  return crlf ? "\r\n" : "\n";
}

}  // namespace pony
