// Which events somebody asks for. Values of one field are alternatives;
// different fields must all hold. Doesn't know options: cmd/event_filter.h
// reads these.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/event.h"

namespace pony {

struct EventFilter {
  std::optional<Time> since;  // at it or later
  std::optional<Time> until;  // before it
  std::vector<std::string> events;
  std::vector<std::string> tags;
  std::vector<std::string> templates;
  std::vector<std::string> providers;
  std::vector<std::string> pools;
  std::vector<std::string> langs;
  std::vector<std::string> domains;
  // Parts of what says why not (why_of()), in small letters or capitals.
  std::vector<std::string> reasons;

  bool matches(const Event& event) const;
};

// Empty `wanted`: any.
bool is_any_of(std::string_view value, const std::vector<std::string>& wanted);
// Has `why` one of `wanted` in it? Case is ignored, of A to Z.
bool has_any_part(std::string_view why, const std::vector<std::string>& wanted);

}  // namespace pony
