// The HTML of a template, with its partials put in: is it well-formed, do
// values stand where they can do no harm, and does the text part say the same?
#include <algorithm>
#include <array>
#include <set>

#include "core/html/check_html.h"
#include "core/html/tag_scan.h"
#include "core/json.h"
#include "core/lower_case.h"
#include "core/template/pattern_layout.h"
#include "core/template/template_check.h"
#include "core/template/wording.h"
#include "core/trimmed.h"

namespace pony {
namespace {

// Of a mail nobody reads as many; each is looked for in all of the other part.
constexpr std::size_t k_most_links = 1000;

// A name where HTML uses it.
struct Spot {
  enum class Where {
    text,
    quoted,    // an attribute's value
    unquoted,  // the same, without quotes
    tag,       // in a tag, and in no value
    comment,
    code,  // <script>, <style>
  };
  const PatternLayout::Name* name = nullptr;
  Where where = Where::text;
  std::string element;
  std::string attribute;
};

// Where a link of the HTML leads, names in braces.
struct Link {
  std::string address;
  std::size_t line = 1;
};

bool begins_with_without_case(std::string_view text, std::string_view lower) {
  return in_lower_case(text.substr(0, lower.size())) == lower;
}

// Walks over HTML once and notes what stands where.
class MarkupScan {
 public:
  explicit MarkupScan(const PatternLayout& layout)
      : layout_(layout), next_(layout.names.begin()) {}

  void run();
  std::vector<Spot> spots;
  std::vector<Link> links;
  std::string visible;  // texts and addresses: what a reader can come upon

 private:
  std::size_t offset_of(std::string_view part) const {
    return static_cast<std::size_t>(part.data() - layout_.text.data());
  }
  void take_tag(const HtmlToken& token);
  void take_text(const HtmlToken& token);
  // The names up to `end` that no spot was found for.
  void take_names(std::size_t end, Spot::Where where,
                  std::string_view attribute = {});
  void take_link(std::string_view value);

  const PatternLayout& layout_;
  std::vector<PatternLayout::Name>::const_iterator next_;
  std::string element_;  // that the last tag opened; empty: it closed one
};

void MarkupScan::run() {
  TagScanner scanner(layout_.text);
  for (HtmlToken token; scanner.next(token);) {
    const auto end = offset_of(token.source) + token.source.size();
    switch (token.kind) {
      case HtmlToken::Kind::start_tag:
        element_ = token.name;
        take_tag(token);
        break;
      case HtmlToken::Kind::text:
        take_text(token);
        break;
      case HtmlToken::Kind::comment:
        // What Outlook alone reads is no comment to it.
        take_names(end, begins_with_without_case(token.source, "<!--[if")
                            ? Spot::Where::text
                            : Spot::Where::comment);
        break;
      case HtmlToken::Kind::end_tag:
        element_.clear();
        [[fallthrough]];
      case HtmlToken::Kind::unfinished:
        take_names(end, Spot::Where::tag);
        break;
    }
  }
}

void MarkupScan::take_text(const HtmlToken& token) {
  const bool is_code =
      token.is_raw && (element_ == "script" || element_ == "style");
  take_names(offset_of(token.source) + token.source.size(),
             is_code ? Spot::Where::code : Spot::Where::text);
  if (!token.is_raw) visible += token.source;
}

void MarkupScan::take_tag(const HtmlToken& token) {
  for (const auto& attribute : token.attributes) {
    if (attribute.value.empty()) continue;
    const auto begin = offset_of(attribute.value);
    take_names(begin, Spot::Where::tag);
    const char before = layout_.text[begin - 1];
    take_names(begin + attribute.value.size(),
               before == '"' || before == '\'' ? Spot::Where::quoted
                                               : Spot::Where::unquoted,
               attribute.name);
    const auto name = in_lower_case(attribute.name);
    if (name == "href" && (token.name == "a" || token.name == "area"))
      take_link(attribute.value);
    if (name == "alt") visible.append(attribute.value).append("\n");
  }
  take_names(offset_of(token.source) + token.source.size(), Spot::Where::tag);
}

void MarkupScan::take_names(std::size_t end, Spot::Where where,
                            std::string_view attribute) {
  for (; next_ != layout_.names.end() && next_->begin < end; ++next_)
    spots.push_back({&*next_, where, element_, in_lower_case(attribute)});
}

std::string with_plain_ampersands(std::string_view value) {
  std::string out(value);
  for (auto at = out.find("&amp;"); at != out.npos; at = out.find("&amp;", at))
    out.erase(++at, 4);
  return out;
}

void MarkupScan::take_link(std::string_view value) {
  if (links.size() == k_most_links) return;
  const auto line = static_cast<std::size_t>(std::count(
      layout_.text.begin(),
      layout_.text.begin() + static_cast<long>(offset_of(value)), '\n'));
  std::string address = with_plain_ampersands(trimmed(value));
  visible += address + "\n";
  for (const std::string_view scheme : {"mailto:", "tel:"})
    if (begins_with_without_case(address, scheme))
      address =
          address.substr(scheme.size(), address.find('?') - scheme.size());
  if (!address.empty() && address.front() != '#')
    links.push_back({std::move(address), line + 1});
}

// The addresses that stand in a plain text, names in braces.
std::vector<Link> links_in(std::string_view text) {
  std::vector<Link> links;
  std::size_t line = 1;
  std::size_t counted = 0;
  for (std::size_t at = text.find("http");
       at != text.npos && links.size() < k_most_links;
       at = text.find("http", at + 1)) {
    auto rest = text.substr(at);
    if (!rest.starts_with("http://") && !rest.starts_with("https://")) continue;
    const auto end = std::find_if(rest.begin(), rest.end(), [](char c) {
      return static_cast<unsigned char>(c) <= ' ' ||
             static_cast<unsigned char>(c) >= 0x7F || c == '<' || c == '>' ||
             c == '"';
    });
    rest = rest.substr(0, static_cast<std::size_t>(end - rest.begin()));
    while (!rest.empty() &&
           std::string_view(".,;:!?)]'").find(rest.back()) != rest.npos)
      rest.remove_suffix(1);
    line += static_cast<std::size_t>(
        std::count(text.begin() + static_cast<long>(counted),
                   text.begin() + static_cast<long>(at), '\n'));
    counted = at;
    links.push_back({std::string(rest), line});
    at += rest.size();
  }
  return links;
}

class MarkupCheck {
 public:
  MarkupCheck(const TemplateSource& source, const LanguageSource& language,
              TemplateFindings& findings)
      : source_(source),
        language_(language),
        findings_(findings),
        html_(layout_of(language.parsed->body_html, SectionTags::left_out)),
        text_(layout_of(language.parsed->body_text, SectionTags::left_out)),
        scan_(html_) {}

  void run();

 private:
  void check_html_itself();
  void check_spots();
  void check_spot(const Spot& spot);
  void compare_names();
  void compare_links();
  void add(Severity severity, std::string_view check, std::string_view place,
           std::string what, std::string hint = {}) {
    findings_.add(source_.finding_at(severity, check, &language_, place,
                                     std::move(what), std::move(hint)));
  }

  const TemplateSource& source_;
  const LanguageSource& language_;
  TemplateFindings& findings_;
  PatternLayout html_;
  PatternLayout text_;
  MarkupScan scan_;
};

void MarkupCheck::run() {
  if (html_.text.empty()) return;
  check_html_itself();
  scan_.run();
  check_spots();
  if (text_.text.empty()) return;
  compare_names();
  compare_links();
}

void MarkupCheck::check_html_itself() {
  const auto layout =
      layout_of(language_.parsed->body_html, SectionTags::shown);
  for (auto& found : check_html(layout.text))
    add(found.error ? Severity::error : Severity::warning, "html",
        layout.place_of(found.line), std::move(found.what),
        std::move(found.hint));
}

void MarkupCheck::check_spots() {
  for (const auto& spot : scan_.spots) check_spot(spot);
}

void MarkupCheck::check_spot(const Spot& spot) {
  const auto& node = *spot.name->node;
  const auto place = language_.parsed->body_html.place_of(node);
  const auto name = quoted_name(node.text);
  const auto attribute = printable(spot.attribute, 40);
  switch (spot.where) {
    case Spot::Where::text:
      break;
    case Spot::Where::unquoted:
      add(Severity::error, "html", place,
          name + " stands in the attribute '" + attribute +
              "' without quotes: a space in it would end the value",
          "put quotes around it: " + attribute + "=\"…\"");
      break;
    case Spot::Where::quoted:
      if (node.raw)
        add(Severity::error, "html", place,
            name + " is put into the attribute '" + attribute +
                "' as HTML: a quote in it would end the value",
            "only between tags can a value be HTML");
      break;
    case Spot::Where::tag:
      add(Severity::error, "html", place,
          name + " stands within a tag, and not in an attribute's value",
          "a value cannot be a tag or an attribute, only what is between "
          "quotes");
      break;
    case Spot::Where::comment:
      add(Severity::warning, "html", place,
          name + " stands in a comment, where whoever reads the source sees it",
          "take it out, or write {{! a comment of the template}}");
      break;
    case Spot::Where::code:
      add(Severity::warning, "html", place,
          name + " stands in <" + spot.element +
              ">, where escaping for HTML does not help",
          "put it into a style attribute");
      break;
  }
}

// Does a reader of the HTML get to see what this name stands for? Pictures,
// colours and sizes have no place in a text.
bool is_content(const Spot& spot) {
  if (spot.name->node->raw) return false;
  if (spot.where == Spot::Where::text) return spot.element != "title";
  return (spot.where == Spot::Where::quoted ||
          spot.where == Spot::Where::unquoted) &&
         (spot.attribute == "href" || spot.attribute == "alt");
}

std::set<std::string, std::less<>> names_used(const Pattern& pattern) {
  std::set<std::string, std::less<>> names;
  for (auto& use : pattern.uses()) names.insert(std::move(use.name));
  return names;
}

void MarkupCheck::compare_names() {
  const auto& html = language_.parsed->body_html;
  const auto& text = language_.parsed->body_text;
  // The same, said once.
  auto in_text = names_used(text);
  for (const auto& spot : scan_.spots) {
    const auto& node = *spot.name->node;
    if (!is_content(spot) || node.text == "." || node.text == "lang" ||
        !in_text.insert(node.text).second)
      continue;
    add(Severity::warning, "text", html.place_of(node),
        "the text part does not use " + quoted_name(node.text) +
            ", which stands here",
        "see " + source_.path(language_, "body.txt"));
  }
  auto in_html = names_used(html);
  for (const auto& name : text_.names) {
    const auto& node = *name.node;
    if (node.text == "." || node.text == "lang" ||
        !in_html.insert(node.text).second)
      continue;
    add(Severity::warning, "text", text.place_of(node),
        "the HTML does not use " + quoted_name(node.text) +
            ", which stands here",
        "see " + source_.path(language_, "body.html"));
  }
}

void MarkupCheck::compare_links() {
  std::set<std::string> said;
  const auto is_new = [&](const std::string& address) {
    return said.insert(address).second;
  };
  for (const auto& link : scan_.links)
    if (text_.text.find(link.address) == std::string::npos &&
        is_new(link.address))
      add(Severity::warning, "text", html_.place_of(link.line),
          "the text part lacks the link to '" + printable(link.address, 120) +
              "'",
          "see " + source_.path(language_, "body.txt"));
  const auto visible = with_plain_ampersands(scan_.visible);
  for (const auto& link : links_in(text_.text))
    if (visible.find(link.address) == std::string::npos && is_new(link.address))
      add(Severity::warning, "text", text_.place_of(link.line),
          "the HTML lacks the link to '" + printable(link.address, 120) + "'",
          "see " + source_.path(language_, "body.html"));
}

}  // namespace

void check_markup(const TemplateSource& source, TemplateFindings& findings) {
  for (const auto& language : source.languages)
    if (language.parsed) MarkupCheck(source, language, findings).run();
}

}  // namespace pony
