#include "core/html/html_link.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/hex_digit.h"
#include "core/lower_case.h"

namespace pony {
namespace {

// What browsers do first: controls and spaces around, tabs and line ends
// anywhere are not part of a URL.
std::string without_noise(std::string_view url) {
  const auto is_noise = [](char c) {
    return static_cast<unsigned char>(c) <= ' ';
  };
  while (!url.empty() && is_noise(url.front())) url.remove_prefix(1);
  while (!url.empty() && is_noise(url.back())) url.remove_suffix(1);
  std::string clean(url);
  std::erase_if(clean,
                [](char c) { return c == '\t' || c == '\n' || c == '\r'; });
  return clean;
}

bool is_scheme(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [&](char c) {
           return is_letter(c) || (c >= '0' && c <= '9') || c == '+' ||
                  c == '-' || c == '.';
         });
}

std::string as_one_word(std::string_view url) {
  std::string word;
  for (const char c : url) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte == 0x7F || c == '<' || c == '>' || c == '"')
      word += fmt::format("%{:02X}", byte);
    else
      word.push_back(c);
  }
  return word;
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const int high =
        text[at] == '%' && at + 2 < text.size() ? hex_value(text[at + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[at + 2]) : -1;
    if (low >= 0) {
      decoded.push_back(static_cast<char>(high * 16 + low));
      at += 2;
    } else {
      decoded.push_back(text[at]);
    }
  }
  return decoded;
}

// Without what two ways to write the same address differ in.
std::string bare(std::string_view address) {
  const std::string text = in_lower_case(without_noise(address));
  std::string_view rest = text;
  for (const std::string_view prefix :
       {"mailto:", "tel:", "http://", "https://", "www."})
    if (rest.starts_with(prefix)) rest.remove_prefix(prefix.size());
  while (rest.ends_with('/')) rest.remove_suffix(1);
  return std::string(rest);
}

// The digits of what looks like a phone number, else nothing.
std::string phone_digits(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c >= '0' && c <= '9')
      digits.push_back(c);
    else if (std::string_view("+-./() \xC2\xA0").find(c) ==
             std::string_view::npos)
      return {};
  }
  return digits;
}

}  // namespace

std::string scheme_of(std::string_view url) {
  const std::string clean = without_noise(url);
  const std::size_t colon = clean.find(':');
  if (colon == std::string::npos) return {};
  const std::string_view scheme = std::string_view(clean).substr(0, colon);
  return is_scheme(scheme) ? in_lower_case(scheme) : std::string();
}

std::string readable_address(std::string_view href) {
  static constexpr std::array<std::string_view, 7> k_nowhere = {
      "javascript", "vbscript", "data", "cid", "blob", "about", "livescript"};
  const std::string clean = without_noise(href);
  if (clean.empty() || clean.front() == '#') return {};
  const std::string scheme = scheme_of(clean);
  if (std::find(k_nowhere.begin(), k_nowhere.end(), scheme) != k_nowhere.end())
    return {};
  if (scheme == "tel" || scheme == "sms")
    return as_one_word(std::string_view(clean).substr(4));
  if (scheme != "mailto") return as_one_word(clean);
  std::string_view address = std::string_view(clean).substr(7);
  address = address.substr(0, address.find('?'));
  return as_one_word(percent_decoded(address));
}

bool is_same_address(std::string_view text, std::string_view address) {
  if (bare(text) == bare(address)) return true;
  const std::string digits = phone_digits(text);
  return !digits.empty() && digits == phone_digits(address);
}

}  // namespace pony
