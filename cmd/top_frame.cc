#include "cmd/top_frame.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "core/display_width.h"
#include "core/json.h"
#include "core/message.h"

namespace pony {
namespace {

// So many seconds are "now": a single one jumps too much to be read.
constexpr std::size_t k_now_seconds = 5;
constexpr std::size_t k_spark_column = 24;
constexpr std::size_t k_failures_shown = 8;
constexpr std::size_t k_reason_bytes = 300;

enum class Colour { none, bold, red, yellow, dim };

std::string_view code_of(Colour colour) {
  switch (colour) {
    case Colour::bold:
      return "\x1b[1m";
    case Colour::red:
      return "\x1b[31m";
    case Colour::yellow:
      return "\x1b[33m";
    case Colour::dim:
      return "\x1b[2m";
    case Colour::none:
      break;
  }
  return "";
}

class Frame {
 public:
  explicit Frame(const FrameStyle& style) : style_(style) {}

  void add(std::string_view text, Colour colour = Colour::none) {
    if (style_.height > 0 &&
        lines_.size() >= static_cast<std::size_t>(style_.height))
      return;
    std::string line = style_.width > 0
                           ? cut_to_width(text, std::size_t(style_.width))
                           : std::string(text);
    line.erase(line.find_last_not_of(' ') + 1);
    if (style_.colour && colour != Colour::none)
      line = std::string(code_of(colour)) + line + "\x1b[0m";
    lines_.push_back(std::move(line));
  }
  // Columns that are left of a line for what stands at the end of it.
  std::size_t room_behind(std::size_t column, std::size_t usual) const {
    if (style_.width == 0) return usual;
    const auto width = static_cast<std::size_t>(style_.width);
    return width > column ? std::min(usual, width - column) : 0;
  }
  const FrameStyle& style() const { return style_; }
  std::vector<std::string> take() { return std::move(lines_); }

 private:
  FrameStyle style_;
  std::vector<std::string> lines_;
};

std::string time_text(std::int64_t ms) {
  if (ms < 1'000) return fmt::format("{}ms", ms);
  if (ms < 60'000)
    return fmt::format("{:.1f}s", static_cast<double>(ms) / 1'000);
  return format_age(Milliseconds(ms));
}

std::string latency_text(const std::optional<Milliseconds>& latency) {
  return latency ? time_text(latency->count()) : "-";
}

void add_rate(Frame& frame, std::string_view name,
              const Happened::Seconds& counts, Colour colour) {
  const double now = rate_of(counts, k_now_seconds);
  std::string line = fmt::format("{:<11}{:>9.1f}/s  ", name, now);
  line += sparkline(counts, frame.room_behind(k_spark_column, k_seconds_shown),
                    frame.style().unicode);
  frame.add(line, now > 0 ? colour : Colour::none);
}

std::string lanes(std::string_view name,
                  const std::array<std::uint64_t, 3>& counts) {
  std::string text = fmt::format(
      "{} {}", name,
      std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
  std::string parts;
  if (counts[0] > 0) parts += fmt::format("high {}", counts[0]);
  if (counts[2] > 0)
    parts += fmt::format("{}bulk {}", parts.empty() ? "" : ", ", counts[2]);
  return parts.empty() ? text : text + " (" + parts + ")";
}

void add_queue(Frame& frame, const TopView& view) {
  const Census& census = view.census;
  std::string line = "queue      " + lanes("new", census.fresh) + "  " +
                     lanes("deferred", census.deferred);
  line += fmt::format("  claimed {}  held {}", census.claimed, census.held);
  if (census.oldest_since)
    line += "  oldest " + format_age(view.now - *census.oldest_since);
  if (view.census_age > std::chrono::seconds(3))
    line += "  (" + format_age(view.census_age) + " ago)";
  frame.add(line);
}

void add_times(Frame& frame, const TopView& view) {
  const auto part = [](std::string_view name, const Percentiles& times) {
    if (times.count == 0) return fmt::format("{} -", name);
    return fmt::format("{} p50 {} p95 {}", name, time_text(times.p50),
                       time_text(times.p95));
  };
  frame.add("times      " + part("in queue", view.happened.queue) + "   " +
            part("at providers", view.happened.provider) +
            "   (last 5 minutes)");
}

std::uint64_t in_flight_of(const TopView& view, const std::string& provider) {
  const auto it = view.in_flight.find(provider);
  return it == view.in_flight.end() ? 0 : it->second;
}

Happened::Attempts attempts_of(const TopView& view,
                               const std::string& provider) {
  const auto it = view.happened.attempts.find(provider);
  return it == view.happened.attempts.end() ? Happened::Attempts{} : it->second;
}

void add_providers(Frame& frame, const TopView& view) {
  std::size_t width = 8;
  for (const auto& one : view.providers)
    width = std::max(width, one.config->name.size());
  frame.add("");
  frame.add(
      fmt::format("{:<{}}  {:<15} {:>9} {:>7} {:>7} {:>7} {:>7}", "PROVIDER",
                  width, "STATE", "IN FLIGHT", "1 MIN", "FAILED", "P50", "P95"),
      Colour::bold);
  for (const auto& one : view.providers) {
    const auto& health = one.health;
    const auto state = provider_state(health, view.now);
    const auto until = resting_until(health, view.now);
    std::string state_text(state);
    if (until && *until != Time::max())
      state_text += " " + format_age(*until - view.now);
    const auto attempts = attempts_of(view, one.config->name);
    frame.add(fmt::format("{:<{}}  {:<15} {:>9} {:>7} {:>7} {:>7} {:>7}",
                          one.config->name, width, state_text,
                          in_flight_of(view, one.config->name), attempts.all,
                          attempts.failed,
                          latency_text(health.latency.percentile(50)),
                          latency_text(health.latency.percentile(95))),
              state == "ok"     ? Colour::none
              : state == "open" ? Colour::red
                                : Colour::yellow);
    if (const auto why = why_resting(health, view.now); !why.empty())
      frame.add("    (" + printable(why, k_reason_bytes) + ")", Colour::dim);
  }
}

void add_failures(Frame& frame, const TopView& view) {
  if (view.happened.last_failures.empty()) return;
  frame.add("");
  frame.add("LAST FAILURES", Colour::bold);
  std::size_t shown = 0;
  for (const auto& failure : view.happened.last_failures) {
    if (++shown > k_failures_shown) break;
    frame.add(
        fmt::format("{:>4} ago  {}  {}: {}", format_age(view.now - failure.at),
                    printable(failure.id, 26), printable(failure.what, 20),
                    printable(failure.reason, k_reason_bytes)));
  }
}

// --- JSON

std::string json_of(const Percentiles& times) {
  if (times.count == 0) return "null";
  std::string text;
  JsonWriter(text)
      .field("count", static_cast<std::int64_t>(times.count))
      .field("p50", times.p50)
      .field("p95", times.p95)
      .end();
  return text;
}

std::string json_of(const Happened::Seconds& counts) {
  std::string text;
  JsonWriter(text)
      .raw("per_s", fmt::format("{:.3f}", rate_of(counts, k_now_seconds)))
      .field("last_minute",
             std::accumulate(counts.begin(), counts.end(), std::int64_t{0}))
      .end();
  return text;
}

std::string json_of(const std::array<std::uint64_t, 3>& counts) {
  std::string text;
  JsonWriter writer(text);
  constexpr std::array k_priorities = {Priority::high, Priority::normal,
                                       Priority::bulk};
  for (std::size_t i = 0; i < counts.size(); ++i)
    writer.field(to_text(k_priorities[i]),
                 static_cast<std::int64_t>(counts[i]));
  writer.end();
  return text;
}

void latency_field(JsonWriter& writer, std::string_view name,
                   const std::optional<Milliseconds>& latency) {
  if (latency) {
    writer.field(name, std::int64_t{latency->count()});
  } else {
    writer.null(name);
  }
}

std::string providers_json(const TopView& view) {
  std::string list = "[";
  for (const auto& one : view.providers) {
    if (list.size() > 1) list.push_back(',');
    const auto attempts = attempts_of(view, one.config->name);
    const auto p50 = one.health.latency.percentile(50);
    const auto p95 = one.health.latency.percentile(95);
    JsonWriter writer(list);
    writer.field("name", one.config->name)
        .field("state", provider_state(one.health, view.now))
        .field("in_flight",
               static_cast<std::int64_t>(in_flight_of(view, one.config->name)))
        .field("attempts", static_cast<std::int64_t>(attempts.all))
        .field("failed", static_cast<std::int64_t>(attempts.failed));
    latency_field(writer, "p50_ms", p50);
    latency_field(writer, "p95_ms", p95);
    writer.end();
  }
  return list + "]";
}

std::string failures_json(const TopView& view) {
  std::string list = "[";
  for (const auto& failure : view.happened.last_failures) {
    if (list.size() > 1) list.push_back(',');
    JsonWriter(list)
        .field("ts", format_time(failure.at))
        .field("id", failure.id)
        .field("event", failure.what)
        .field("reason", failure.reason)
        .end();
  }
  return list + "]";
}

}  // namespace

std::string cut_to_width(std::string_view text, std::size_t cells) {
  std::size_t used = 0;
  std::size_t bytes = 0;
  while (bytes < text.size()) {
    const Character character = first_character(text.substr(bytes));
    const std::size_t width = display_width(character.code);
    if (used + width > cells) break;
    used += width;
    bytes += character.bytes.size();
  }
  return std::string(text.substr(0, bytes));
}

std::string sparkline(const Happened::Seconds& counts, std::size_t width,
                      bool unicode) {
  constexpr std::array<std::string_view, 9> k_bars = {" ", "▁", "▂", "▃", "▄",
                                                      "▅", "▆", "▇", "█"};
  constexpr std::array<std::string_view, 9> k_plain = {" ", ".", ":", "-", "=",
                                                       "+", "*", "#", "@"};
  if (width == 0) return {};
  const std::size_t each = (counts.size() + width - 1) / width;
  // From the end: the last bar is the last seconds, whatever is left over.
  std::vector<std::uint64_t> bars;
  for (std::size_t end = counts.size(); end > 0;) {
    const std::size_t begin = end > each ? end - each : 0;
    std::uint64_t sum = 0;
    for (std::size_t i = begin; i < end; ++i) sum += counts[i];
    bars.push_back(sum);
    end = begin;
  }
  std::reverse(bars.begin(), bars.end());
  const auto highest = *std::max_element(bars.begin(), bars.end());
  std::string text;
  for (const auto bar : bars) {
    // What is there at all can be seen.
    const std::size_t level =
        bar == 0 ? 0 : std::max<std::size_t>(1, bar * 8 / highest);
    text += (unicode ? k_bars : k_plain)[level];
  }
  return text;
}

std::vector<std::string> top_frame(const TopView& view,
                                   const FrameStyle& style) {
  Frame frame(style);
  frame.add("pony top   " + format_time(view.now).substr(0, 19) + "Z   " +
                printable(view.spool, 200),
            Colour::bold);
  add_rate(frame, "arrivals", view.happened.arrivals, Colour::none);
  add_rate(frame, "deliveries", view.happened.deliveries, Colour::none);
  add_rate(frame, "failures", view.happened.failures, Colour::red);
  add_queue(frame, view);
  add_times(frame, view);
  add_providers(frame, view);
  add_failures(frame, view);
  return frame.take();
}

std::string top_json(const TopView& view) {
  const Census& census = view.census;
  std::string line;
  JsonWriter writer(line);
  writer.field("ts", format_time(view.now))
      .raw("arrivals", json_of(view.happened.arrivals))
      .raw("deliveries", json_of(view.happened.deliveries))
      .raw("failures", json_of(view.happened.failures))
      .raw("new", json_of(census.fresh))
      .raw("deferred", json_of(census.deferred))
      .field("claimed", static_cast<std::int64_t>(census.claimed))
      .field("held", static_cast<std::int64_t>(census.held));
  if (census.oldest_since) {
    writer.field(
        "oldest_s",
        std::max(view.now - *census.oldest_since, Milliseconds(0)).count() /
            1000);
  } else {
    writer.null("oldest_s");
  }
  writer.raw("queue_ms", json_of(view.happened.queue))
      .raw("provider_ms", json_of(view.happened.provider))
      .raw("providers", providers_json(view))
      .raw("last_failures", failures_json(view))
      .end();
  return line + "\n";
}

}  // namespace pony
