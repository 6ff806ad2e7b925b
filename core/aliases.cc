#include "core/aliases.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/address.h"
#include "core/fs.h"
#include "core/json.h"
#include "core/lower_case.h"
#include "core/trimmed.h"

namespace pony {
namespace {

constexpr std::size_t k_file_limit = std::size_t{4} << 20;
constexpr std::size_t k_most_problems = 100;

// The end of the part that begins at `begin`: the next `mark` that no quotes
// hold, or the text's end. Nothing when a quote is never closed.
std::optional<std::size_t> end_of_part(std::string_view text, std::size_t begin,
                                       char mark) {
  bool in_quotes = false;
  for (std::size_t i = begin; i < text.size(); ++i) {
    if (text[i] == '\\' && in_quotes) {
      ++i;
    } else if (text[i] == '"') {
      in_quotes = !in_quotes;
    } else if (text[i] == mark && !in_quotes) {
      return i;
    }
  }
  if (in_quotes) return std::nullopt;
  return text.size();
}

// `"|program with, arguments"` → `|program with, arguments`.
std::string unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"')
    return std::string(text);
  text = text.substr(1, text.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

// "Ann <ann@example.com>" → "ann@example.com".
std::string_view without_name(std::string_view target) {
  const std::size_t bracket = target.rfind('<');
  if (!target.ends_with('>') || bracket == std::string_view::npos)
    return target;
  return trimmed(target.substr(bracket + 1, target.size() - bracket - 2));
}

// Is a mail to `target` conceivable? What aliases may name besides people is.
bool is_sensible(std::string_view target) {
  if (!alias_target_kind(target).empty()) return true;
  if (target.starts_with('\\')) target.remove_prefix(1);
  if (target.find('@') != std::string_view::npos)
    return check_email(target).has_value();
  return !target.empty() && !has_control(target) &&
         target.find_first_of(" \t#<>()") == std::string_view::npos;
}

}  // namespace

std::string_view alias_target_kind(std::string_view target) {
  if (target.starts_with('|')) return "a program";
  if (target.starts_with('/')) return "a file";
  if (in_lower_case(target.substr(0, 9)) == ":include:") return "a list";
  return {};
}

Aliases Aliases::parse(std::string_view text, std::string_view name) {
  Aliases aliases;
  std::string entry;
  int entry_line = 1;
  int number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    // Comments and empty lines stand in the middle of an entry too.
    if (line.starts_with('#') || trimmed(line).empty()) continue;
    if (line.front() == ' ' || line.front() == '\t') {
      entry.append(" ").append(trimmed(line));
      continue;
    }
    aliases.add(entry, name, entry_line);
    entry = trimmed(line);
    entry_line = number;
  }
  aliases.add(entry, name, entry_line);
  return aliases;
}

Result<Aliases> Aliases::load(const std::string& path) {
  auto text = read_linked(path, k_file_limit);
  if (text) return parse(*text, path);
  if (text.error().kind == Error::Kind::not_found) return Aliases();
  return wrap(text.error(), "cannot read the aliases");
}

void Aliases::complain(std::string_view file, int line, std::string_view what) {
  if (problems_.size() == k_most_problems) return;
  problems_.push_back(std::string(file) + ":" + std::to_string(line) + ": " +
                      std::string(what));
}

void Aliases::add(std::string_view entry, std::string_view file, int line) {
  if (entry.empty()) return;
  const auto colon = end_of_part(entry, 0, ':');
  if (!colon) return complain(file, line, "a quote is not closed");
  if (*colon == entry.size())
    return complain(file, line, "there is no ':' behind the name");
  const std::string name =
      in_lower_case(unquoted(trimmed(entry.substr(0, *colon))));
  if (name.empty()) return complain(file, line, "the name is empty");

  Targets targets;
  for (std::size_t begin = *colon + 1; begin <= entry.size();) {
    const auto end = end_of_part(entry, begin, ',');
    if (!end) return complain(file, line, "a quote is not closed");
    const std::string target(
        without_name(unquoted(trimmed(entry.substr(begin, *end - begin)))));
    begin = *end + 1;
    if (target.empty()) continue;
    if (!is_sensible(target))
      complain(file, line, "'" + printable(target, 80) + "' is no address");
    targets.push_back(target);
  }
  if (targets.empty())
    return complain(file, line,
                    "'" + printable(name, 80) + "' stands for nobody");
  if (!entries_.try_emplace(name, std::move(targets)).second)
    complain(file, line, "'" + printable(name, 80) + "' is there twice");
}

const Aliases::Targets* Aliases::find(std::string_view name) const {
  const auto found = entries_.find(in_lower_case(name));
  return found == entries_.end() ? nullptr : &found->second;
}

const Aliases::Targets* Aliases::catch_all() const {
  const Targets* all = find("*");
  return all != nullptr ? all : find("default");
}

}  // namespace pony
