#include "core/template/filling_words.h"

#include <utility>

#include "core/json.h"
#include "core/template/wording.h"

namespace pony {
namespace {

// The value given for `name`, or nullptr: null says as little as no value.
const Json* value_of(const Message& message, std::string_view name) {
  const Json* value = message.replacements.find(name);
  return value == nullptr || value->is(Json::Kind::null) ? nullptr : value;
}

// The keys that were given and that nothing in the template knows.
std::vector<std::string_view> unused_keys(const Message& message,
                                          const Template& of,
                                          const NamesInUse& names) {
  std::vector<std::string_view> unused;
  for (const auto& [key, value] : message.replacements.members) {
    // Another language may use what template.yaml lists.
    if (!names.contains(key) && !is_one_of(key, of.rules.optional) &&
        !is_one_of(key, of.rules.raw) && !is_one_of(key, of.rules.line_breaks))
      unused.push_back(key);
  }
  return unused;
}

std::string dollar_or_braces(const Template& of, const std::string& name) {
  return of.engine == Engine::simple ? "'$" + name + "'" : "'" + name + "'";
}

Problem missing_value(const Hole& hole, const Template& of,
                      const std::vector<std::string_view>& unused) {
  Problem problem{"template '" + of.id + "', " + hole.place,
                  dollar_or_braces(of, hole.name) + " has no value",
                  {}};
  // At the top only keys that nothing uses: the others are no misspellings.
  const std::string_view given =
      hole.in_item ? std::string_view(hole.meant) : nearest(hole.name, unused);
  if (!given.empty())
    problem.hint =
        "you gave " + quoted(given) + ": did you mean '" + hole.name + "'?";
  return problem;
}

Problem problem_of(const Hole& hole, const Template& of,
                   const std::vector<std::string_view>& unused) {
  const std::string used = "template '" + of.id + "', " + hole.place;
  const std::string place = "replacements." + hole.name;
  switch (hole.why) {
    case Hole::Why::missing:
      break;
    case Hole::Why::not_text:
      return {
          place, hole.what,
          "a string, a number, true or false can be filled in (" + used + ")"};
    case Hole::Why::control:
      return {place,
              "has a line break or another control character, and a header "
              "line uses it",
              used};
    case Hole::Why::bad_form:
      return {used, "'{{#" + hole.name + "}}': " + hole.what, {}};
    case Hole::Why::too_large:
      return {used, "the text grows beyond 16 MiB", "give shorter lists"};
  }
  return missing_value(hole, of, unused);
}

}  // namespace

std::vector<Problem> problems_of(const std::vector<Hole>& holes,
                                 const Message& message, const Template& of,
                                 const NamesInUse& names) {
  if (holes.empty()) return {};
  const auto unused = unused_keys(message, of, names);
  std::vector<Problem> problems;
  for (const auto& hole : holes)
    problems.push_back(problem_of(hole, of, unused));
  return problems;
}

std::vector<std::string> warnings_of(const Message& message, const Template& of,
                                     const NamesInUse& names) {
  std::vector<std::string> warnings;
  const auto unused = unused_keys(message, of, names);
  if (unused.empty()) return warnings;
  std::vector<std::string_view> wanting;
  for (const auto& name : names)
    if (value_of(message, name) == nullptr) wanting.push_back(name);
  for (const auto& name : of.rules.optional)
    if (value_of(message, name) == nullptr) wanting.push_back(name);
  for (const auto key : unused) {
    std::string line = "template '" + of.id + "' does not use " + quoted(key);
    if (const auto hint = did_you_mean(key, wanting); !hint.empty())
      line += " (" + hint + ")";
    warnings.push_back(std::move(line));
  }
  return warnings;
}

}  // namespace pony
