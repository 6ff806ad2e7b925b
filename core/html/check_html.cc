// The tags are read one by one against a stack of what is open.
//
// The tree that browsers make is no help here: it is the page after all its
// faults have been mended, and says neither what was mended nor where.
#include "core/html/check_html.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/html/html_link.h"
#include "core/html/html_text.h"
#include "core/html/stripped_text.h"
#include "core/html/tag_scan.h"
#include "core/html/template_marks.h"
#include "core/json.h"
#include "core/lower_case.h"

namespace pony {
namespace {

constexpr std::size_t k_most_findings = 100;
constexpr std::size_t k_most_attributes = 500;
constexpr std::size_t k_deepest = 500;
constexpr std::size_t k_gmail_clips = 102'400;
constexpr std::size_t k_longest_shown = 80;
constexpr auto k_none = std::string_view::npos;

template <std::size_t N>
bool is_one_of(std::string_view name,
               const std::array<std::string_view, N>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_table_part(std::string_view name) {
  static constexpr std::array<std::string_view, 9> k_names = {
      "table", "caption", "colgroup", "thead", "tbody",
      "tfoot", "tr",      "td",       "th"};
  return is_one_of(name, k_names);
}

// HTML lets its end tag be left out.
bool may_stay_open(std::string_view name) {
  static constexpr std::array<std::string_view, 18> k_names = {
      "html",  "head",  "body",  "p",      "li",       "dt",
      "dd",    "rt",    "rp",    "option", "optgroup", "colgroup",
      "thead", "tbody", "tfoot", "tr",     "td",       "th"};
  return is_one_of(name, k_names);
}

// Where one of these begins, a paragraph has ended.
bool ends_paragraph(std::string_view name) {
  static constexpr std::array<std::string_view, 43> k_names = {
      "address",  "article",    "aside",  "blockquote", "center",  "dd",
      "details",  "dialog",     "dir",    "div",        "dl",      "dt",
      "fieldset", "figcaption", "figure", "footer",     "form",    "h1",
      "h2",       "h3",         "h4",     "h5",         "h6",      "header",
      "hgroup",   "hr",         "li",     "listing",    "main",    "menu",
      "nav",      "ol",         "p",      "pre",        "section", "table",
      "ul",       "td",         "th",     "tr",         "tbody",   "thead",
      "tfoot"};
  return is_one_of(name, k_names);
}

// Does `next`, when it begins, end an `open` element that is directly around
// it?
bool is_ended_by(std::string_view open, std::string_view next) {
  const bool is_row_group =
      next == "tbody" || next == "thead" || next == "tfoot";
  const bool is_row = is_row_group || next == "tr";
  if (open == "p") return ends_paragraph(next);
  if (open == "li") return next == "li";
  if (open == "dt" || open == "dd") return next == "dt" || next == "dd";
  if (open == "rt" || open == "rp") return next == "rt" || next == "rp";
  if (open == "option") return next == "option" || next == "optgroup";
  if (open == "optgroup") return next == "optgroup";
  if (open == "head") return next == "body";
  if (open == "colgroup") return is_table_part(next);
  if (open == "td" || open == "th")
    return is_row || next == "td" || next == "th";
  if (open == "tr") return is_row;
  if (open == "tbody" || open == "thead" || open == "tfoot")
    return is_row_group;
  return false;
}

bool is_dropped_element(std::string_view name) {
  static constexpr std::array<std::string_view, 6> k_names = {
      "script", "form", "iframe", "object", "embed", "applet"};
  return is_one_of(name, k_names);
}

bool is_event_handler(std::string_view name) {
  return name.size() > 4 && name.starts_with("on") &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return c >= 'a' && c <= 'z'; });
}

struct UrlProblem {
  std::string_view what;
  std::string_view hint;
};

// `after` is what follows "http:" or "https:".
std::optional<UrlProblem> web_problem(std::string_view after) {
  if (!after.starts_with("//"))
    return UrlProblem{"lacks the '//' behind its scheme", "write https://..."};
  const std::string_view host = after.substr(
      2, std::min(after.find_first_of("/?#", 2), after.size()) - 2);
  if (host.empty() || host.front() == ':')
    return UrlProblem{"names no host", "write https://example.com/..."};
  return std::nullopt;
}

// What is wrong with `url` (entities resolved, not empty). A value that a
// template puts in stands there as letters or as its $name.
std::optional<UrlProblem> url_problem(const std::string& url, bool has_value) {
  if (url.find_first_of(" \t\r\n") != k_none)
    return UrlProblem{"has a space in it", "write %20 for a space"};
  if (url.front() == '#') return std::nullopt;
  const std::string scheme = scheme_of(url);
  if (url.starts_with("//"))
    return UrlProblem{"has no scheme",
                      "a mail has no page around it: write "
                      "https:// in front"};
  if (scheme.empty() || scheme.find('.') != k_none || scheme == "localhost")
    return UrlProblem{"is relative",
                      "a mail has no page around it: write "
                      "https://... in full"};
  const std::string_view after =
      std::string_view(url).substr(std::min(scheme.size() + 1, url.size()));
  if (scheme == "http" || scheme == "https") return web_problem(after);
  if (scheme == "javascript" || scheme == "vbscript")
    return UrlProblem{"is a script", "mail programs run none"};
  if (scheme == "file")
    return UrlProblem{"is a file on one machine", "write https://..."};
  if (scheme == "data" && !after.starts_with("image/"))
    return UrlProblem{"holds data that is no image", ""};
  if (scheme == "mailto" && !has_value && !after.starts_with('?') &&
      after.find('@') == k_none && after.find("%40") == k_none)
    return UrlProblem{"names no address", "write mailto:name@example.com"};
  if (after.empty()) return UrlProblem{"has nothing behind its scheme", ""};
  return std::nullopt;
}

std::string shown(std::string_view text) {
  return printable(text, k_longest_shown);
}

class HtmlChecker {
 public:
  explicit HtmlChecker(std::string_view source)
      : source_(source),
        readable_(without_marks(source, SilentMarks::become_spaces)),
        inverted_(inverted_sections(source)),
        has_partials_(has_mark(source, ">")) {}

  std::vector<HtmlFinding> check();

 private:
  struct Open {
    std::string name;
    std::size_t line = 1;
    bool is_table_part = false;
  };

  void add(std::size_t line, std::string what, std::string hint, bool error);
  void add_structural(std::size_t line, std::string what,
                      std::string hint = {});
  void check_token(const HtmlToken& token);
  void check_start_tag(const HtmlToken& tag);
  void check_attributes(const HtmlToken& tag);
  void check_url(const TagAttribute& attribute, std::size_t line);
  void check_element(const HtmlToken& tag);
  void check_entities(std::string_view text);
  bool is_unknown_entity(std::string_view name);
  void open(const HtmlToken& tag);
  void close(const HtmlToken& tag);
  void close_down_to(std::size_t level, const std::string& name);
  void close_nothing(const std::string& name);
  void check_left_open();
  void check_size();

  std::size_t offset_of(std::string_view part) const {
    return static_cast<std::size_t>(part.data() - readable_.data());
  }
  std::string_view as_written(std::string_view part) const {
    return source_.substr(offset_of(part), part.size());
  }
  bool is_inverted(std::size_t offset) const;
  bool is_put_in(const TagAttribute& attribute) const {
    return begins_with_value(source_.substr(offset_of(attribute.name), 3));
  }
  const TagAttribute* find(const HtmlToken& tag, std::string_view name) const;
  std::size_t line_at(std::string_view part) const;

  std::string_view source_;
  // The source with mustache tags hidden; all positions are the same.
  std::string readable_;
  std::vector<ByteRange> inverted_;
  bool has_partials_;
  std::size_t token_offset_ = 0;
  std::size_t line_ = 1;  // of the token
  std::vector<Open> open_;
  std::size_t foreign_ = 0;  // open <svg> and <math>
  // Then nothing more is said of what is open.
  bool is_too_deep_ = false;
  // End tags still to come for what has been reported already.
  std::map<std::string, std::size_t> forgiven_;
  std::map<std::string, bool> unknown_entities_;
  std::vector<HtmlFinding> findings_;
  bool has_more_ = false;
};

std::vector<HtmlFinding> HtmlChecker::check() {
  check_size();
  TagScanner scanner(readable_);
  HtmlToken token;
  while (scanner.next(token)) {
    check_token(token);
    line_ += static_cast<std::size_t>(
        std::count(token.source.begin(), token.source.end(), '\n'));
    token_offset_ += token.source.size();
  }
  check_left_open();
  std::stable_sort(
      findings_.begin(), findings_.end(),
      [](const auto& a, const auto& b) { return a.line < b.line; });
  if (has_more_)
    findings_.push_back({line_, "there are more findings", "", false});
  return std::move(findings_);
}

void HtmlChecker::add(std::size_t line, std::string what, std::string hint,
                      bool error) {
  if (findings_.size() == k_most_findings) {
    has_more_ = true;
    return;
  }
  findings_.push_back({line, std::move(what), std::move(hint), error});
}

// A partial may open or close what seems to be missing.
void HtmlChecker::add_structural(std::size_t line, std::string what,
                                 std::string hint) {
  if (has_partials_ && hint.empty()) hint = "unless a partial does";
  add(line, std::move(what), std::move(hint), !has_partials_);
}

bool HtmlChecker::is_inverted(std::size_t offset) const {
  const auto after = std::upper_bound(
      inverted_.begin(), inverted_.end(), offset,
      [](std::size_t at, const ByteRange& range) { return at < range.begin; });
  return after != inverted_.begin() && offset < std::prev(after)->end;
}

std::size_t HtmlChecker::line_at(std::string_view part) const {
  const auto begin =
      readable_.begin() + static_cast<std::ptrdiff_t>(token_offset_);
  const auto end =
      readable_.begin() + static_cast<std::ptrdiff_t>(offset_of(part));
  return line_ + static_cast<std::size_t>(std::count(begin, end, '\n'));
}

const TagAttribute* HtmlChecker::find(const HtmlToken& tag,
                                      std::string_view name) const {
  for (const auto& each : tag.attributes)
    if (each.name.size() == name.size() && in_lower_case(each.name) == name)
      return &each;
  return nullptr;
}

void HtmlChecker::check_token(const HtmlToken& token) {
  // What stands in an inverted section stands there instead of something that
  // was counted already.
  const bool counts = !is_too_deep_ && !is_inverted(token_offset_);
  switch (token.kind) {
    case HtmlToken::Kind::text:
      if (!token.is_raw) check_entities(token.source);
      break;
    case HtmlToken::Kind::start_tag:
      check_start_tag(token);
      if (counts) open(token);
      break;
    case HtmlToken::Kind::end_tag:
      if (counts) close(token);
      break;
    case HtmlToken::Kind::comment:
      if (token.source.starts_with("<!--") && !token.source.ends_with('>'))
        add(line_, "the comment is never closed", "write --> behind it", true);
      break;
    case HtmlToken::Kind::unfinished:
      add(line_,
          fmt::format("the tag '<{}' is never closed", shown(token.name)),
          "is a quote or a '>' missing?", true);
      break;
  }
}

void HtmlChecker::check_start_tag(const HtmlToken& tag) {
  check_attributes(tag);
  check_element(tag);
}

void HtmlChecker::check_attributes(const HtmlToken& tag) {
  if (tag.attributes.size() > k_most_attributes)
    return add(line_,
               fmt::format("'<{}>' has more than {} attributes",
                           shown(tag.name), k_most_attributes),
               "is a quote missing?", true);
  std::set<std::string> names;
  for (const auto& attribute : tag.attributes) {
    if (is_put_in(attribute)) continue;
    const std::string name = in_lower_case(attribute.name);
    if (name == "href" || name == "src")
      check_url(attribute, line_at(attribute.name));
    if (is_event_handler(name))
      add(line_at(attribute.name),
          fmt::format("'{}' is dropped by mail programs", shown(name)),
          "they run no scripts", false);
    if (!is_inverted(offset_of(attribute.name)) && !names.insert(name).second)
      add(line_at(attribute.name),
          fmt::format("'<{}>' has '{}' twice", shown(tag.name), shown(name)),
          "only the first counts", true);
  }
}

void HtmlChecker::check_url(const TagAttribute& attribute, std::size_t line) {
  const std::string_view written = as_written(attribute.value);
  // A section may put in another address.
  if (begins_with_value(written) || has_mark(written, "#^>")) return;
  const std::string_view value = attribute.value;
  constexpr std::string_view k_spaces = " \t\r\n";
  const std::size_t begin = value.find_first_not_of(k_spaces);
  const std::string name = in_lower_case(attribute.name);
  if (begin == k_none) {
    add(line, fmt::format("'{}' is empty", name), "", true);
    return;
  }
  const std::string url = without_entities(
      value.substr(begin, value.find_last_not_of(k_spaces) + 1 - begin));
  const bool has_value =
      written.find("{{") != k_none || written.find('$') != k_none;
  if (const auto problem = url_problem(url, has_value))
    add(line, fmt::format("{} '{}' {}", name, shown(written), problem->what),
        std::string(problem->hint), true);
}

void HtmlChecker::check_element(const HtmlToken& tag) {
  const bool may_have_more =
      std::any_of(tag.attributes.begin(), tag.attributes.end(),
                  [&](const auto& each) { return is_put_in(each); });
  if (tag.name == "img" && !may_have_more && find(tag, "alt") == nullptr)
    add(line_, "'<img>' has no 'alt'",
        "say what the image shows, or alt=\"\" if it says nothing", false);
  if (tag.name == "html" && !may_have_more && find(tag, "lang") == nullptr)
    add(line_, "'<html>' has no 'lang'",
        "it tells screen readers how to speak: <html lang=\"en\">", false);
  if (!is_dropped_element(tag.name)) return;
  // Data for Gmail's markup is no script.
  const TagAttribute* type = find(tag, "type");
  if (tag.name == "script" && type != nullptr &&
      in_lower_case(type->value) == "application/ld+json")
    return;
  add(line_, fmt::format("'<{}>' is dropped by mail programs", tag.name),
      tag.name == "form" ? "link to a page that has it" : "", false);
}

void HtmlChecker::check_entities(std::string_view text) {
  constexpr std::size_t k_longest_name = 32;
  for (std::size_t at = text.find('&'); at != k_none;
       at = text.find('&', at + 1)) {
    std::size_t end = at + 1;
    while (end < text.size() && end - at <= k_longest_name &&
           ((text[end] >= 'a' && text[end] <= 'z') ||
            (text[end] >= 'A' && text[end] <= 'Z') ||
            (text[end] >= '0' && text[end] <= '9')))
      ++end;
    if (end == at + 1 || end == text.size() || text[end] != ';') continue;
    if (has_more_) return;
    const std::string_view name = text.substr(at + 1, end - at - 1);
    if (is_unknown_entity(name))
      add(line_at(text.substr(at)), fmt::format("no entity '&{};'", name),
          "write &amp; for &", false);
  }
}

bool HtmlChecker::is_unknown_entity(std::string_view name) {
  constexpr std::size_t k_most_names = 100;
  const auto known = unknown_entities_.find(std::string(name));
  if (known != unknown_entities_.end()) return known->second;
  if (unknown_entities_.size() == k_most_names) return false;
  // libgumbo has the list, and leaves as it is what is not in it.
  const std::string entity = fmt::format("&{};", name);
  const bool is_unknown = text_from_html(entity) == entity + "\n";
  return unknown_entities_.emplace(name, is_unknown).first->second;
}

void HtmlChecker::open(const HtmlToken& tag) {
  // "<o:p>": for Outlook, by other rules.
  if (is_void_element(tag.name) || tag.name.find(':') != k_none) return;
  const bool is_foreign = tag.name == "svg" || tag.name == "math";
  if (tag.closes_itself) {
    if (foreign_ == 0 && !is_foreign)
      add(line_, fmt::format("'<{}/>' does not close itself", shown(tag.name)),
          fmt::format("write <{0}></{0}>", shown(tag.name)), true);
    return;
  }
  while (!open_.empty() && is_ended_by(open_.back().name, tag.name))
    open_.pop_back();
  if (is_foreign) ++foreign_;
  open_.push_back({tag.name, line_, is_table_part(tag.name)});
  if (open_.size() < k_deepest) return;
  add(line_, fmt::format("more than {} elements are open", k_deepest),
      "close them", true);
  open_.clear();
  is_too_deep_ = true;
}

void HtmlChecker::close(const HtmlToken& tag) {
  if (tag.name.find(':') != k_none) return;
  if (is_void_element(tag.name)) {
    add(line_, fmt::format("'</{}>' closes nothing", tag.name),
        fmt::format("<{}> has no end tag", tag.name), false);
    return;
  }
  const bool is_part = is_table_part(tag.name);
  const bool reaches_out =
      tag.name == "html" || tag.name == "body" || tag.name == "table";
  for (std::size_t level = open_.size(); level-- > 0;) {
    const Open& one = open_[level];
    if (one.name == tag.name) return close_down_to(level, tag.name);
    // An end tag does not reach out of the table, or cell, that it stands in.
    if (!reaches_out && one.is_table_part && (!is_part || one.name == "table"))
      break;
  }
  close_nothing(tag.name);
}

void HtmlChecker::close_down_to(std::size_t level, const std::string& name) {
  for (std::size_t each = open_.size(); each-- > level;) {
    Open& one = open_[each];
    if (one.name == "svg" || one.name == "math") --foreign_;
    if (each == level || may_stay_open(one.name)) continue;
    add_structural(one.line,
                   fmt::format("'<{}>' is not closed before '</{}>' in line {}",
                               shown(one.name), shown(name), line_));
    ++forgiven_[one.name];
  }
  open_.resize(level);
}

void HtmlChecker::close_nothing(const std::string& name) {
  const auto forgiven = forgiven_.find(name);
  if (forgiven != forgiven_.end() && forgiven->second > 0) {
    --forgiven->second;
    return;
  }
  std::string hint;
  if (name == "p")
    hint = "a <p> ends where a block such as <div>, <ul> or <table> begins";
  add_structural(line_, fmt::format("'</{}>' closes nothing", shown(name)),
                 std::move(hint));
}

void HtmlChecker::check_left_open() {
  for (const auto& one : open_) {
    if (may_stay_open(one.name)) continue;
    add_structural(one.line,
                   fmt::format("'<{}>' is never closed", shown(one.name)));
    if (has_more_) return;
  }
}

void HtmlChecker::check_size() {
  if (source_.size() > k_gmail_clips)
    add(1,
        fmt::format("the page has {} bytes, Gmail shows the first {}",
                    source_.size(), k_gmail_clips),
        "", false);
}

}  // namespace

std::vector<HtmlFinding> check_html(std::string_view source) {
  return HtmlChecker(source).check();
}

}  // namespace pony
