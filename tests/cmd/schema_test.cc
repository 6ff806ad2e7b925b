// The schemas in schemas/ and the code know the same keys. What they say of
// values is tests/cmd/schema_test.sh's.
#include <doctest/doctest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "cmd/queue_format.h"
#include "core/config.h"
#include "core/event.h"
#include "core/json.h"
#include "core/message.h"
#include "tests/support/require_ok.h"

namespace pony {
namespace {

using Keys = std::set<std::string>;

Json schema_called(const std::string& name) {
  std::ifstream file(std::string(PONY_SOURCE_DIR "/schemas/") + name + ".json");
  REQUIRE(file.good());
  std::stringstream content;
  content << file.rdbuf();
  auto json = parse_json(content.str());
  REQUIRE_OK(json);
  return std::move(*json);
}

Keys members_of(const Json& object) {
  Keys keys;
  for (const auto& member : object.members) keys.insert(member.key);
  return keys;
}

const Json& at(const Json& json, std::initializer_list<const char*> path) {
  const Json* found = &json;
  for (const char* key : path) {
    found = found->find(key);
    REQUIRE_MESSAGE(found != nullptr, key);
  }
  return *found;
}

// What is in `some` and not in `others`, for people.
std::string missing(const Keys& some, const Keys& others) {
  std::string list;
  for (const auto& one : some)
    if (!others.contains(one)) list += (list.empty() ? "" : " ") + one;
  return list;
}

void check_same(const Keys& in_schema, const Keys& in_code) {
  INFO("in the code, not in the schema: ", missing(in_code, in_schema));
  INFO("in the schema, not in the code: ", missing(in_schema, in_code));
  CHECK(in_schema == in_code);
}

// The table of the reader, which has the spellings of other services too, as
// its source has it: nobody else needs to know it.
Keys keys_of_the_reader() {
  std::ifstream file(PONY_SOURCE_DIR "/core/message_reader.cc");
  REQUIRE(file.good());
  const std::regex entry(R"re(^ *\{"([a-z_]+)", &R::)re");
  Keys keys;
  std::smatch match;
  for (std::string line; std::getline(file, line);)
    if (std::regex_search(line, match, entry)) keys.insert(match[1]);
  return keys;
}

// The keys of pony.yaml as the schema has them, written as config_keys()
// does: "providers.*.host".
void add_config_keys(const Json& schema, const Json& object,
                     const std::string& prefix, Keys& keys) {
  const Json* node = &object;
  if (const Json* ref = node->find("$ref"))
    node = &at(schema, {"$defs", ref->text.substr(8).c_str()});
  for (const char* choice : {"anyOf"})
    if (const Json* list = node->find(choice))
      for (const Json& one : list->items)
        add_config_keys(schema, one, prefix, keys);
  if (const Json* items = node->find("items"))
    add_config_keys(schema, *items, prefix + "*.", keys);
  if (const Json* more = node->find("additionalProperties"))
    add_config_keys(schema, *more, prefix + "*.", keys);
  const Json* properties = node->find("properties");
  if (properties == nullptr) return;
  for (const auto& [key, value] : properties->members) {
    keys.insert(prefix + key);
    add_config_keys(schema, value, prefix + key + ".", keys);
  }
}

// An event with everything that an event can have.
Event a_full_event() {
  Event event;
  event.event = "attempted";
  event.id = event.by = event.provider = event.error = event.provider_id =
      event.recipient = event.reason = event.template_id = event.lang =
          event.pool = event.domain = "x";
  event.attempt = 1;
  event.outcome = Outcome::accepted;
  event.latency_ms = event.queue_ms = 1;
  event.status = 200;
  event.recipients = {{"x", Outcome::accepted, "x"}};
  event.reduced = event.tags = {"x"};
  event.next_at = event.ts;
  return event;
}

}  // namespace

TEST_SUITE_BEGIN("cmd");

TEST_CASE("the schema of a message has the keys that are read, and no other") {
  const Json schema = schema_called("message");
  const Keys in_schema = members_of(at(schema, {"properties"}));
  check_same(in_schema, keys_of_the_reader());
  for (const auto key : message_keys())
    CHECK(in_schema.contains(std::string(key)));
}

TEST_CASE("the schema of an event has what an event can have, and no more") {
  std::string line;
  append_line(line, a_full_event());
  auto json = parse_json(line);
  REQUIRE_OK(json);
  const Json schema = schema_called("event");
  check_same(members_of(at(schema, {"properties"})), members_of(*json));
  check_same(members_of(at(
                 schema, {"properties", "recipients", "items", "properties"})),
             members_of(at(*json, {"recipients"}).items.front()));
}

TEST_CASE("the schema of an event names all kinds of events, and no other") {
  const Json schema = schema_called("event");
  const std::string named =
      at(schema, {"properties", "event", "description"}).text;
  const std::regex word("[a-z_]+");
  Keys in_schema;
  for (auto it = std::sregex_iterator(named.begin(), named.end(), word);
       it != std::sregex_iterator(); ++it)
    in_schema.insert(it->str());
  Keys known{"attempting"};  // in a run's journal only
  for (const auto kind : event_kinds()) known.insert(std::string(kind));
  check_same(in_schema, known);
}

TEST_CASE("the schema of pony.yaml has the keys that are read, and no other") {
  const Json schema = schema_called("config");
  Keys in_schema;
  add_config_keys(schema, schema, "", in_schema);
  Keys known;
  for (const auto& key : config_keys()) known.insert(key);
  // Members of pools may stand without a list.
  in_schema.erase("pools.*.providers.name");
  in_schema.erase("pools.*.providers.weight");
  // Told by their parts.
  check_same(in_schema, known);
}

TEST_CASE("the schema of a listed message has what queue --json prints") {
  auto json = parse_json(queue_json(Listed()));
  REQUIRE_OK(json);
  const Json schema = schema_called("queue");
  check_same(members_of(at(schema, {"properties"})), members_of(*json));
}

TEST_SUITE_END();

}  // namespace pony
