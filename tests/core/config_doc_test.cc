// The manual's page about pony.yaml and the keys that the code knows.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include "core/config.h"

namespace pony {
namespace {

constexpr const char* k_page = PONY_SOURCE_DIR "/man/pony.yaml.5";

// "providers.*.host" → "host".
std::string last_component(const std::string& key) {
  return key.substr(key.rfind('.') + 1);
}

// "password_file" → "password", if that is a key as well: the page explains
// the two other ways to give a secret once, for all of them.
std::string documented_as(const std::string& key,
                          const std::set<std::string>& keys) {
  for (const std::string_view suffix : {"_file", "_command"}) {
    if (!key.ends_with(suffix)) continue;
    const std::string base = key.substr(0, key.size() - suffix.size());
    if (keys.contains(base)) return base;
  }
  return key;
}

std::set<std::string> known_keys() {
  std::set<std::string> all;
  for (const std::string& key : config_keys()) all.insert(last_component(key));
  std::set<std::string> keys;
  for (const std::string& key : all) keys.insert(documented_as(key, all));
  return keys;
}

// The words of the page's ".It Sy key , key" lines.
std::set<std::string> documented_keys() {
  std::ifstream page(k_page);
  REQUIRE_MESSAGE(page.good(), k_page);
  std::set<std::string> keys;
  for (std::string line; std::getline(page, line);) {
    constexpr std::string_view k_item = ".It Sy ";
    if (!line.starts_with(k_item)) continue;
    std::istringstream words(line.substr(k_item.size()));
    for (std::string word; words >> word;)
      if (word != ",") keys.insert(word);
  }
  return keys;
}

// What is in `some` and not in `others`, for people.
std::string missing(const std::set<std::string>& some,
                    const std::set<std::string>& others) {
  std::string list;
  for (const std::string& one : some)
    if (!others.contains(one)) list += (list.empty() ? "" : " ") + one;
  return list;
}

}  // namespace

TEST_SUITE_BEGIN("core");

TEST_CASE("every key of pony.yaml is in its page, and no other") {
  // Sections are told in the text and in items alike.
  std::set<std::string> known = known_keys();
  std::set<std::string> documented = documented_keys();
  for (const char* section : {"providers", "pools", "webhook"}) {
    REQUIRE(known.erase(section) == 1);
    documented.erase(section);
  }

  CHECK(missing(known, documented) == "");
  CHECK(missing(documented, known) == "");
}

TEST_CASE("the page of pony.yaml tells the sections and the ways of a secret") {
  std::ifstream page(k_page);
  std::stringstream content;
  content << page.rdbuf();

  for (const char* text : {".Sy providers\n", ".Sy pools\n", ".Sy webhook",
                           "Sy _file\n", "Sy _command\n"}) {
    CAPTURE(text);
    CHECK(content.str().find(text) != std::string::npos);
  }
}

TEST_SUITE_END();

}  // namespace pony
