// See sample_values.h. First a tree of what the texts want of each name, then
// a walk through it beside the values that were given.
#include "core/template/sample_values.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

namespace pony {
namespace {

// As deep as sections can be; what is deeper stays a hole.
constexpr std::size_t k_max_depth = 32;
// Lists within lists multiply: from here on one item has to do.
constexpr std::size_t k_lists_of_two = 3;

// What the texts want of a name.
struct Wish {
  std::map<std::string, std::unique_ptr<Wish>, std::less<>> members;
  bool is_text = false;     // it is put in
  bool is_section = false;  // it is gone into: a list, or a condition
  bool is_object = false;   // a member is asked for with a dot
  bool has_texts = false;   // a list of texts
  bool is_uri = false;
  Formatter formatter = Formatter::none;
  bool is_alone = false;

  Wish* find(std::string_view name) {
    const auto found = members.find(name);
    return found == members.end() ? nullptr : found->second.get();
  }
  Wish& member(std::string_view name) {
    auto& made = members[std::string(name)];
    if (!made) made = std::make_unique<Wish>();
    return *made;
  }
};

std::vector<std::string_view> parts_of(std::string_view dotted) {
  std::vector<std::string_view> parts;
  while (!dotted.empty()) {
    const auto dot = std::min(dotted.find('.'), dotted.size());
    if (dot > 0) parts.push_back(dotted.substr(0, dot));
    dotted.remove_prefix(std::min(dot + 1, dotted.size()));
  }
  return parts;
}

bool is_of_a_calendar(Formatter formatter) {
  return formatter == Formatter::date || formatter == Formatter::time ||
         formatter == Formatter::datetime;
}

void wish_form(Wish& wish, const Pattern::Use& use) {
  if (use.formatter == Formatter::none || use.formatter == wish.formatter)
    return;
  if (wish.formatter == Formatter::none) {
    wish.formatter = use.formatter;
    wish.is_alone = use.is_alone;
  } else if (is_of_a_calendar(use.formatter) &&
             is_of_a_calendar(wish.formatter)) {
    // A date with a time is fit for all three.
    wish.formatter = Formatter::datetime;
    wish.is_alone = true;
  }
}

void wish_kind(Wish& wish, const Pattern::Use& use) {
  wish.is_text = wish.is_text || !use.is_section;
  wish.is_section = wish.is_section || (use.is_section && !use.is_inverted);
  wish.has_texts = wish.has_texts || use.has_texts;
  wish.is_uri =
      wish.is_uri || use.place.find("list_unsubscribe") != std::string::npos;
  wish_form(wish, use);
}

// The name where a filled pattern would find it: in the innermost section
// that is known to have it, else (made) in the innermost.
Wish& wish_of(std::string_view name, const std::vector<Wish*>& scopes) {
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope)
    if (auto* known = (*scope)->find(name)) return *known;
  return scopes.back()->member(name);
}

void add_use(Wish& root, const Pattern::Use& use) {
  const auto sections = parts_of(use.section);
  const auto names = parts_of(use.name);
  // Every text knows its language.
  if (names.empty() || use.name == "lang") return;
  if (sections.size() + names.size() > k_max_depth) return;
  std::vector<Wish*> scopes{&root};
  for (const auto section : sections)
    if (section != "lang") scopes.push_back(&wish_of(section, scopes));
  Wish* wish = &wish_of(names.front(), scopes);
  for (std::size_t i = 1; i < names.size(); ++i) {
    wish->is_object = true;
    wish = &wish->member(names[i]);
  }
  wish_kind(*wish, use);
}

Wish wishes_of(const std::vector<Pattern::Use>& uses) {
  // From the outside in, so that a name within a section is known to be the
  // same as one outside.
  std::vector<std::pair<std::size_t, const Pattern::Use*>> by_depth;
  by_depth.reserve(uses.size());
  for (const auto& use : uses)
    by_depth.emplace_back(parts_of(use.section).size(), &use);
  std::stable_sort(
      by_depth.begin(), by_depth.end(),
      [](const auto& a, const auto& b) { return a.first < b.first; });
  Wish root;
  for (const auto& [depth, use] : by_depth) add_use(root, *use);
  return root;
}

std::string text_for(const Wish& wish, std::string_view shown) {
  const auto named = [&](std::string_view part) {
    return shown.find(part) != std::string_view::npos;
  };
  switch (wish.formatter) {
    case Formatter::number:
      return "1234.5";
    case Formatter::money:
      if (wish.is_alone) return "19.90 EUR";
      return named("cur") ? "EUR" : "19.90";
    case Formatter::date:
      return "2026-11-21";
    case Formatter::time:
      return "10:00";
    case Formatter::datetime:
      if (wish.is_alone) return "2026-11-21T10:00:00Z";
      return named("time") ? "10:00" : "2026-11-21";
    case Formatter::none:
      break;
  }
  if (wish.is_uri) return "https://example.com/" + std::string(shown);
  return "‹" + std::string(shown) + "›";
}

Json* value_in(Json& object, std::string_view key) {
  for (auto& member : object.members)
    if (member.key == key && !member.value.is(Json::Kind::null))
      return &member.value;
  return nullptr;
}

Json& set_value(Json& object, const std::string& key, Json value) {
  for (auto& member : object.members)
    if (member.key == key) return member.value = std::move(value);
  return object.set(key, std::move(value));
}

bool is_condition(const Json& value) {
  if (value.is(Json::Kind::boolean)) return value.text == "true";
  return value.is(Json::Kind::number) ||
         (value.is_string() && !value.text.empty());
}

class Sampler {
 public:
  std::set<std::string> made_up;

  // Gives `object` the members that it lacks. `path` is what to call it, with
  // a dot at its end; `shown` how the texts call it.
  void complete(const Wish& wish, Json& object, const std::string& path,
                const std::string& shown) {
    scopes_.push_back(&object);
    for (const auto& [name, member] : wish.members)
      complete_member(*member, name, object, path, shown);
    scopes_.pop_back();
  }

 private:
  void complete_member(const Wish& wish, const std::string& name, Json& object,
                       const std::string& path, const std::string& shown) {
    Json* value = value_in(object, name);
    if (value == nullptr && is_further_out(name)) return;
    if (value == nullptr) {
      // Put in first: what is made for its members must be found in scope.
      value = &set_value(object, name, empty_for(wish));
      make(wish, *value, path + name, shown + name);
    } else if (value->is_object()) {
      complete(wish, *value, path + name + ".", inner(wish, shown + name));
    } else if (value->is_array()) {
      for (auto& item : value->items)
        if (item.is_object()) complete(wish, item, path + name + ".", {});
    }
    // Within a condition names are looked for outside of it.
    if (!wish.is_object && is_condition(*value))
      for (const auto& [inside, member] : wish.members)
        complete_member(*member, inside, object, path, shown);
  }

  static Json empty_for(const Wish& wish) {
    if (wish.is_object) return Json::object();
    if (wish.is_text) return Json::string({});
    if (wish.has_texts || (wish.is_section && !wish.members.empty()))
      return Json::array();
    return Json::boolean(wish.is_section);
  }

  void make(const Wish& wish, Json& value, const std::string& path,
            const std::string& shown) {
    if (value.is_object())
      return complete(wish, value, path + ".", inner(wish, shown));
    if (value.is_array()) return make_items(wish, value, path, shown);
    made_up.insert(path);
    if (value.is_string()) value.text = text_for(wish, shown);
  }

  void make_items(const Wish& wish, Json& list, const std::string& path,
                  const std::string& shown) {
    const std::size_t count = lists_ < k_lists_of_two ? 2 : 1;
    ++lists_;
    if (wish.members.empty()) made_up.insert(path);
    for (std::size_t i = 1; i <= count; ++i) {
      if (wish.members.empty()) {
        list.items.push_back(
            Json::string(text_for(wish, shown + " " + std::to_string(i))));
      } else {
        list.items.push_back(Json::object());
        complete(wish, list.items.back(), path + ".", {});
      }
    }
    --lists_;
  }

  // What stands before the names of its members in the texts.
  static std::string inner(const Wish& wish, const std::string& shown) {
    return wish.is_object ? shown + "." : std::string();
  }

  bool is_further_out(const std::string& name) {
    for (const auto* scope : scopes_)
      if (scope != scopes_.back() && scope->find(name) != nullptr) return true;
    return false;
  }

  std::vector<Json*> scopes_;
  std::size_t lists_ = 0;  // that are being made, one in the other
};

}  // namespace

SampleValues with_samples(Json given, const std::vector<Pattern::Use>& uses) {
  SampleValues made;
  made.values = given.is_object() ? std::move(given) : Json::object();
  const Wish root = wishes_of(uses);
  Sampler sampler;
  sampler.complete(root, made.values, {}, {});
  made.made_up.assign(sampler.made_up.begin(), sampler.made_up.end());
  return made;
}

}  // namespace pony
