#include "core/template/replay_check.h"

#include <utility>

#include "core/list_unsubscribe.h"
#include "core/template/wording.h"

namespace pony {
namespace {

constexpr std::string_view k_check = "data";
// Keys come from messages: anybody's.
constexpr std::size_t k_most_tallies = 1000;
// Gmail shows no more of a mail.
constexpr std::size_t k_clipped_at = 102'400;
constexpr std::size_t k_long_subject = 150;

std::string_view top_of(std::string_view name) {
  return name.substr(0, name.find('.'));
}

// "4,000".
std::string with_commas(std::size_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string what_of(const Hole& hole) {
  switch (hole.why) {
    case Hole::Why::missing:
      return quoted_name(hole.name) + " has no value";
    case Hole::Why::not_text:
      return quoted_name(hole.name) + " " + hole.what +
             ", and a text is wanted";
    case Hole::Why::control:
      return quoted_name(hole.name) +
             " has a line break or another control character, and a header "
             "line uses it";
    case Hole::Why::bad_form:
      return "'{{#" + hole.name + "}}': " + hole.what;
    case Hole::Why::too_large:
      return "the text grows beyond 16 MiB";
  }
  return {};
}

}  // namespace

template <class Make>
void ReplayCheck::count(const std::string& key, std::string_view example,
                        const Make& make) {
  auto found = tallies_.find(key);
  if (found == tallies_.end()) {
    if (tallies_.size() == k_most_tallies) return;
    found = tallies_.emplace(key, make()).first;
    found->second.example = printable(example, 100);
  }
  ++found->second.count;
}

void ReplayCheck::add(const Json& values, std::string_view lang,
                      std::string_view example) {
  ++messages_;
  count_unused(values, example);
  if (const auto* language = source_.language_for(lang)) {
    fill(*language, values, example);
    return;
  }
  count("language", example, [&] {
    Tally made;
    made.single = "there is no copy in " + quoted_name(lang) +
                  ", nor in the default language";
    return made;
  });
}

void ReplayCheck::add_to_all(const Json& values, std::string_view example) {
  ++messages_;
  count_unused(values, example);
  for (const auto& language : source_.languages)
    fill(language, values, example);
}

void ReplayCheck::fill(const LanguageSource& language, const Json& values,
                       std::string_view example) {
  ++by_language_[&language];
  if (!language.parsed) return;  // that has been said
  Filling filling(values, language.lang, language.lang);
  std::string subject;
  std::string html;
  std::vector<std::string> uris;
  std::string rest;
  for_each_pattern(source_.parsed_settings, *language.parsed,
                   [&](const Pattern& pattern, As as) {
                     if (&pattern == &language.parsed->subject)
                       filling.fill(pattern, as, subject);
                     else if (&pattern == &language.parsed->body_html)
                       filling.fill(pattern, as, html);
                     else if (as == As::uri)
                       uris.push_back(filling.fill(pattern, as));
                     else
                       filling.fill(pattern, as, rest);
                   });
  for (const auto& hole : filling.holes())
    count_hole(language, hole, values, example);
  if (!filling.holes().empty()) return;
  check_size(language, subject, html, example);
  for (const auto& uri : uris) check_unsubscribe(uri, example);
}

void ReplayCheck::check_size(const LanguageSource& language,
                             std::string_view subject, std::string_view html,
                             std::string_view example) {
  const auto note = [&](std::string_view file, Severity severity,
                        std::string what) {
    const auto place = language.lang + "/" + std::string(file);
    count(place, example, [&] {
      Tally made;
      made.severity = severity;
      made.language = &language;
      made.place = place;
      made.single = std::move(what);
      return made;
    });
  };
  if (subject.find_first_not_of(" \t") == std::string_view::npos)
    note("subject.txt", Severity::error, "the subject is empty");
  else if (characters_in(subject) > k_long_subject)
    note("subject.txt", Severity::warning,
         "the subject has more than 150 characters");
  if (html.size() > k_clipped_at)
    note("body.html", Severity::warning,
         "the HTML is larger than 102,400 bytes: Gmail cuts it off there");
}

void ReplayCheck::check_unsubscribe(std::string_view uri,
                                    std::string_view example) {
  const auto fit = check_unsubscribe_uri(uri);
  if (fit) return;
  count("list_unsubscribe", example, [&] {
    Tally made;
    made.place = k_settings_file;
    made.single = "list_unsubscribe: " + fit.error().what;
    made.hint = fit.error().hint;
    return made;
  });
}

void ReplayCheck::count_hole(const LanguageSource& language, const Hole& hole,
                             const Json& values, std::string_view example) {
  const auto key = language.lang + "\n" + hole.name + "\n" +
                   std::to_string(static_cast<int>(hole.why));
  count(key, example, [&] {
    Tally made;
    made.language = &language;
    made.place = hole.place;
    made.single = what_of(hole);
    if (hole.why != Hole::Why::missing) return made;
    made.lacks = hole.name;
    const std::string_view given =
        hole.in_item ? std::string_view(hole.meant)
                     : nearest(hole.name, unused_keys(values));
    if (!given.empty())
      made.hint = "you gave " + quoted_name(given) + ": did you mean " +
                  quoted_name(hole.name) + "?";
    return made;
  });
}

void ReplayCheck::count_unused(const Json& values, std::string_view example) {
  for (const auto unused : unused_keys(values)) {
    count("\n" + printable(unused, 60), example, [&] {
      std::vector<std::string_view> wanting;
      for (const auto& name : names())
        if (values.find(name) == nullptr) wanting.push_back(name);
      Tally made;
      made.severity = Severity::warning;
      made.place = k_settings_file;
      made.single = "nothing uses " + quoted_name(unused) + ", which was given";
      made.hint = did_you_mean(unused, wanting);
      return made;
    });
  }
}

std::vector<std::string_view> ReplayCheck::unused_keys(const Json& values) {
  std::vector<std::string_view> unused;
  for (const auto& [key, value] : values.members)
    if (!names().contains(key)) unused.push_back(key);
  return unused;
}

const ReplayCheck::Names& ReplayCheck::names() {
  if (!names_.empty()) return names_;
  names_.insert("lang");
  for (const auto& language : source_.languages) {
    if (!language.parsed) continue;
    for_each_pattern(source_.parsed_settings, *language.parsed,
                     [&](const Pattern& pattern, As) {
                       for (const auto& use : pattern.uses())
                         names_.emplace(top_of(use.name));
                     });
  }
  const auto& rules = source_.settings.rules;
  for (const auto* listed : {&rules.raw, &rules.optional, &rules.line_breaks})
    for (const auto& name : *listed) names_.emplace(top_of(name));
  return names_;
}

void ReplayCheck::report(TemplateFindings& findings) const {
  for (const auto& [key, tally] : tallies_) {
    const auto by_language = by_language_.find(tally.language);
    const bool is_about_language =
        tally.language != nullptr && by_language != by_language_.end();
    const auto of = is_about_language ? by_language->second : messages_;
    std::string what = tally.single;
    if (of > 1) {
      const auto where =
          is_about_language ? " in " + tally.language->lang : std::string();
      const auto some =
          with_commas(tally.count) + " of " + with_commas(of) + " messages";
      what = tally.lacks.empty()
                 ? some + where + ": " + tally.single
                 : some + " lack " + quoted_name(tally.lacks) + where;
      what += " (" + tally.example + ")";
    }
    auto finding = source_.finding_at(tally.severity, k_check, tally.language,
                                      tally.place, std::move(what), tally.hint);
    finding.messages = {tally.count, of, tally.example};
    findings.add(std::move(finding));
  }
}

}  // namespace pony
