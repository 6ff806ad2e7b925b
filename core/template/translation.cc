#include "core/template/translation.h"

#define XXH_INLINE_ALL
#include <fmt/format.h>
#include <xxhash.h>

#include <utility>

#include "core/json.h"
#include "core/message.h"
#include "core/yaml_document.h"

namespace pony {
namespace {

using Kind = YamlNode::Kind;

// `text` as every checkout has it.
std::string normalized(std::string_view text) {
  std::string out(text);
  std::erase(out, '\r');
  while (out.ends_with('\n') || out.ends_with(' ')) out.pop_back();
  return out;
}

// Not a secret's hash: it only has to tell one text from the next.
std::string hash_of(std::string_view text) {
  const std::string same = normalized(text);
  return fmt::format("{:016x}", XXH3_64bits(same.data(), same.size()));
}

// The hashes of the files that say something: an empty one is as good as
// none.
std::map<std::string, std::string, std::less<>> hashes_of(
    const LanguageFiles& source) {
  std::map<std::string, std::string, std::less<>> hashes;
  for (const auto& [name, text] : source)
    if (is_text_file(name) && !text.empty())
      hashes.emplace(name, hash_of(text));
  return hashes;
}

std::string_view to_text(Lag::Change change) {
  switch (change) {
    case Lag::Change::changed:
      return "changed";
    case Lag::Change::added:
      return "added";
    case Lag::Change::removed:
      return "removed";
  }
  return "changed";
}

}  // namespace

std::string record(std::string_view from, const LanguageFiles& source) {
  std::string text =
      "# What this is a translation of, and a hash of each file at that time.\n"
      "# Written by: pony template translate\n";
  text += "from: " + std::string(from) + "\n";
  const auto hashes = hashes_of(source);
  for (const auto name : k_text_files)
    if (const auto hash = hashes.find(name); hash != hashes.end())
      text += std::string(name) + ": \"" + hash->second + "\"\n";
  return text;
}

Result<Translation> read_translation(std::string_view yaml,
                                     const std::string& file) {
  const auto document = read_yaml(yaml);
  if (!document.problems.empty()) {
    const auto& first = document.problems.front();
    return fail(Error::Kind::config,
                file + ":" + std::to_string(first.line) + ": " + first.what,
                first.hint);
  }
  Translation read;
  for (const auto& entry : document.root.entries) {
    if (!entry.value.is(Kind::text)) continue;
    if (entry.key == "from") read.from = entry.value.text;
    if (is_text_file(entry.key)) read.hashes[entry.key] = entry.value.text;
  }
  if (is_language(read.from)) return read;
  return fail(Error::Kind::config,
              "'" + printable(file) +
                  "' does not say which language it is "
                  "a translation of",
              "write 'from: en'");
}

std::vector<Lag> lags(const Translation& translation,
                      const LanguageFiles& source) {
  const auto now = hashes_of(source);
  std::vector<Lag> found;
  for (const auto name : k_text_files) {
    const auto was = translation.hashes.find(name);
    const auto is = now.find(name);
    const bool was_there = was != translation.hashes.end();
    const bool is_there = is != now.end();
    if (was_there && !is_there)
      found.push_back({std::string(name), Lag::Change::removed});
    else if (!was_there && is_there)
      found.push_back({std::string(name), Lag::Change::added});
    else if (was_there && was->second != is->second)
      found.push_back({std::string(name), Lag::Change::changed});
  }
  return found;
}

bool is_stale(const Translation& translation, const LanguageFiles& source) {
  return !lags(translation, source).empty();
}

Result<std::vector<StaleTranslation>> stale_translations(
    const TemplateFiles& files, const std::string& path) {
  std::vector<StaleTranslation> stale;
  for (const auto& [lang, texts] : files.languages) {
    const auto mark = texts.find(k_translation_file);
    if (mark == texts.end()) continue;
    const auto translation =
        read_translation(mark->second, path + "/" + lang + "/" +
                                           std::string(k_translation_file));
    if (!translation) return tl::unexpected(translation.error());
    const auto source = files.languages.find(translation->from);
    if (source == files.languages.end()) continue;
    auto found = lags(*translation, source->second);
    if (!found.empty())
      stale.push_back({lang, translation->from, std::move(found)});
  }
  return stale;
}

std::string to_text(const StaleTranslation& stale) {
  std::string text = stale.lang + " lags behind " + stale.from + ":";
  for (const auto& lag : stale.lags)
    text += (text.ends_with(':') ? " " : ", ") + lag.name + " " +
            std::string(to_text(lag.change)) + " since";
  return text;
}

}  // namespace pony
