#include "core/template/template_copy.h"

#include <string>

namespace pony {
namespace {

// Parses the texts of one template, and keeps everything that is wrong.
class Parser {
 public:
  explicit Parser(const Template& of) : of_(of) {}

  Pattern setting(std::string_view text, std::string label) {
    return parse({text, "template.yaml, " + std::move(label), of_.engine,
                  &of_.rules, nullptr, true});
  }
  Pattern file(std::string_view text, std::string label,
               const Pattern::Partials* partials = nullptr) {
    return parse({text, std::move(label), of_.engine, &of_.rules, partials});
  }
  // Of everything that was parsed.
  Result<> result() {
    if (problems_.empty()) return {};
    const auto& first = problems_.front();
    std::string what = "template '" + of_.id +
                       "' cannot be used: " + first.place + ": " + first.what;
    return fail(Error::Kind::config, std::move(what), std::move(problems_));
  }

 private:
  Pattern parse(const Pattern::Source& source) {
    auto pattern = Pattern::parse(source);
    if (pattern) return std::move(*pattern);
    for (auto& problem : pattern.error().problems)
      problems_.push_back(std::move(problem));
    return {};
  }

  const Template& of_;
  std::vector<Problem> problems_;
};

}  // namespace

Result<ParsedSettings> parse_settings(const Template& of) {
  Parser parser(of);
  ParsedSettings made;
  if (of.from) made.from_name = parser.setting(of.from->name, "from");
  if (of.reply_to)
    made.reply_to_name = parser.setting(of.reply_to->name, "reply_to");
  for (const auto& header : of.headers)
    made.headers.emplace_back(
        header.name, parser.setting(header.value, "headers." + header.name));
  for (const auto& uri : of.list_unsubscribe)
    made.list_unsubscribe.push_back(parser.setting(uri, "list_unsubscribe"));
  if (auto all = parser.result(); !all) return tl::unexpected(all.error());
  return made;
}

Result<ParsedText> parse_text(const Template& of, TemplateText source,
                              const PartialsByEnding& partials) {
  const Pattern::Partials in_text = [&](std::string_view name) {
    return partials(name, ".txt");
  };
  const Pattern::Partials in_html = [&](std::string_view name) {
    return partials(name, ".html");
  };
  Parser parser(of);
  ParsedText made;
  const std::string folder = source.lang + "/";
  made.subject = parser.file(source.subject, folder + "subject.txt");
  if (source.preheader)
    made.preheader = parser.file(*source.preheader, folder + "preheader.txt");
  if (source.body_text)
    made.body_text =
        parser.file(*source.body_text, folder + "body.txt", &in_text);
  if (source.body_html)
    made.body_html =
        parser.file(*source.body_html, folder + "body.html", &in_html);
  if (auto all = parser.result(); !all) return tl::unexpected(all.error());
  made.source = std::move(source);
  return made;
}

}  // namespace pony
