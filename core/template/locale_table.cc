// Finding a language's rows and reading their lines; see locale_table.h.
#include "core/template/locale_table.h"

#include <algorithm>
#include <cstddef>

namespace pony {
namespace {

char folded(char c) {
  if (c == '_') return '-';
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool comes_before(std::string_view a, std::string_view b) {
  return std::lexicographical_compare(
      a.begin(), a.end(), b.begin(), b.end(),
      [](char x, char y) { return folded(x) < folded(y); });
}

std::string_view tag_of(const LocaleRow& row) {
  return row.tag.data();
}

const LocaleRow* row_of(std::string_view tag) {
  const auto rows = locale_rows();
  const auto found =
      std::lower_bound(rows.begin(), rows.end(), tag,
                       [](const LocaleRow& row, std::string_view wanted) {
                         return comes_before(tag_of(row), wanted);
                       });
  const bool is_it = found != rows.end() && !comes_before(tag, tag_of(*found));
  return is_it ? &*found : nullptr;
}

const LocaleRow* nearest_row(std::string_view lang) {
  while (true) {
    if (const LocaleRow* row = row_of(lang)) return row;
    const auto cut = lang.find_last_of("-_");
    if (cut == std::string_view::npos) return nullptr;
    lang = lang.substr(0, cut);
  }
}

// The member of `form` that a mark fills; nullptr for '<' and 'c'.
std::string_view* member_of(LocaleForm& form, char mark) {
  switch (mark) {
    case '.':
      return &form.decimal;
    case ',':
      return &form.group;
    case '#':
      return &form.sizes;
    case ':':
      return &form.money_decimal;
    case ';':
      return &form.money_group;
    case '$':
      return &form.money_sizes;
    case '-':
      return &form.minus;
    case 'p':
      return &form.money;
    case 'n':
      return &form.negative_money;
    case 'l':
      return &form.long_date;
    case 's':
      return &form.short_date;
    case 't':
      return &form.time;
    case 'j':
      return &form.join_long;
    case 'k':
      return &form.join_short;
    case 'm':
      return &form.months;
    case 'a':
      return &form.am_pm;
    case 'b':
      return &form.day_periods;
    case 'x':
      return &form.exceptions;
    default:
      return nullptr;
  }
}

// Reads the lines of `text` into what `form` doesn't know yet, its signs to
// `symbols`. Answers with the tag of the row that has the rest.
std::string_view read_row(std::string_view text, LocaleForm& form,
                          std::string_view& symbols) {
  std::string_view parent;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view value = text.substr(1, end - 1);
    if (text[0] == '<') parent = value;
    if (text[0] == 'c') symbols = value;
    if (auto* member = member_of(form, text[0]); member && member->empty())
      *member = value;
    text.remove_prefix(end + 1);
  }
  return parent;
}

// What "EUR€|USD$" says of `currency`; empty when it is not there.
std::string_view entry_of(std::string_view list, std::string_view currency) {
  while (!list.empty()) {
    const auto end = std::min(list.find('|'), list.size());
    if (list.starts_with(currency))
      return list.substr(currency.size(), end - currency.size());
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return {};
}

}  // namespace

std::string_view LocaleForm::symbol(std::string_view currency) const {
  for (const std::string_view known : symbols)
    if (const auto sign = entry_of(known, currency); !sign.empty()) return sign;
  const auto sign = entry_of(common_symbols(), currency);
  return sign.empty() ? currency : sign;
}

std::string_view LocaleForm::exception(std::string_view currency) const {
  return entry_of(exceptions, currency);
}

std::optional<LocaleForm> find_locale(std::string_view lang) {
  const LocaleRow* row = nearest_row(lang);
  if (row == nullptr) return std::nullopt;
  LocaleForm form;
  for (std::string_view& symbols : form.symbols) {
    const auto parent = read_row(locale_row_text(*row), form, symbols);
    if (parent.empty()) break;
    row = row_of(parent);
  }
  return form;
}

}  // namespace pony
