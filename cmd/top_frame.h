// What `pony top` shows, as lines of text: a pure function of what was read.
// Whatever a provider or a message says is made printable, and no line is
// wider than the terminal.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "cmd/activity.h"
#include "cmd/provider_format.h"
#include "spool/census.h"

namespace pony {

struct TopView {
  Time now{};
  std::string spool;
  Census census;
  Milliseconds census_age{0};  // it is counted more seldom when it is long
  Happened happened;
  std::vector<ListedProvider> providers;
  std::map<std::string, std::uint64_t> in_flight;  // by provider
};

struct FrameStyle {
  int width = 0;   // 0: as wide as it gets
  int height = 0;  // 0: as many lines as it takes
  bool colour = false;
  bool unicode = false;
};

// The lines, without '\n'.
std::vector<std::string> top_frame(const TopView& view,
                                   const FrameStyle& style);
// One object, one line, with its '\n'.
std::string top_json(const TopView& view);

// A bar a count (or, in less room, a bar for several), scaled to the highest.
std::string sparkline(const Happened::Seconds& counts, std::size_t width,
                      bool unicode);
// The beginning of `text` that fits into so many cells.
std::string cut_to_width(std::string_view text, std::size_t cells);

}  // namespace pony
