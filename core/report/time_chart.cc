// Bars; see time_chart.h.
#include "core/report/time_chart.h"

#include <date/date.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <string_view>

#include "core/html_escape.h"
#include "core/report/report_figures.h"

namespace pony {
namespace {

using Unit = TimeLine::Unit;

Milliseconds length_of(Unit unit) {
  return unit == Unit::hour ? Milliseconds(std::chrono::hours(1))
                            : Milliseconds(std::chrono::hours(24));
}

Time begin_of(Time time, Unit unit) {
  const Milliseconds length = length_of(unit);
  Milliseconds into = time.time_since_epoch() % length;
  if (into < Milliseconds(0)) into += length;
  return time - into;
}

std::map<Time, const TallyRow*> rows_by_time(const Tally& tally, Unit unit) {
  std::map<Time, const TallyRow*> rows;
  for (const auto& [key, row] : tally.rows()) {
    const auto begin = unit == Unit::hour ? parse_minute(key.front() + ":00Z")
                                          : parse_day(key.front());
    if (begin) rows[*begin] = &row;
  }
  return rows;
}

std::string date_text(Time time, const char* format) {
  const std::string text =
      date::format(format, date::floor<std::chrono::seconds>(time));
  return text.substr(text.find_first_not_of(' '));  // %e fills with one
}

// The scale

// The next round number that can be halved without a fraction: 1, 2, 4, 6, 8,
// then 10, 12, 16, 20, 30, 40, 50, 60, 80 times a power of ten.
std::uint64_t scale_for(std::uint64_t most) {
  constexpr std::uint64_t k_end = 100'000'000'000'000'000U;
  for (const std::uint64_t small : {1U, 2U, 4U, 6U, 8U}) {
    if (most <= small) return small;
  }
  for (std::uint64_t ten = 1; ten < k_end; ten *= 10) {
    for (const std::uint64_t step :
         {10U, 12U, 16U, 20U, 30U, 40U, 50U, 60U, 80U}) {
      if (most <= step * ten) return step * ten;
    }
  }
  return most;
}

// "9,000", "12k", "1.5M".
std::string compact_text(std::uint64_t count) {
  const auto of = [count](double unit, char name) {
    return fmt::format("{:.3g}{}", static_cast<double>(count) / unit, name);
  };
  if (count < 10'000) return count_text(count);
  if (count < 1'000'000) return of(1e3, 'k');
  if (count < 1'000'000'000) return of(1e6, 'M');
  return of(1e9, 'G');
}

struct Tick {
  double at;  // a fraction of the axis
  std::string text;
};

std::vector<Tick> value_ticks(std::uint64_t scale) {
  std::vector<Tick> ticks = {{0, compact_text(scale)}};
  if (scale % 2 == 0) ticks.push_back({0.5, compact_text(scale / 2)});
  ticks.push_back({1, "0"});
  return ticks;
}

// How many buckets from one label to the next, so that there are few.
std::size_t label_step(const TimeLine& line) {
  constexpr std::size_t k_labels = 6;
  static constexpr std::array<std::size_t, 8> hours = {1,  2,  3,  6,
                                                       12, 24, 48, 168};
  static constexpr std::array<std::size_t, 8> days = {1,  2,  3,  7,
                                                      14, 28, 70, 140};
  const auto& steps = line.unit == Unit::hour ? hours : days;
  const auto fits = [&line](std::size_t step) {
    return line.buckets.size() <= step * k_labels;
  };
  const auto step = std::find_if(steps.begin(), steps.end(), fits);
  return step == steps.end() ? steps.back() : *step;
}

bool has_label(const TimeLine& line, std::size_t index, std::size_t step) {
  if (line.unit == Unit::day) return index % step == 0;
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(
      line.buckets[index].begin.time_since_epoch());
  return static_cast<std::size_t>(hours.count()) % step == 0;
}

std::string label_text(const TimeLine& line, Time begin, std::size_t step) {
  if (line.unit == Unit::day)
    return date_text(begin, step >= 70 ? "%b %Y" : "%e %b");
  const bool is_midnight = begin == begin_of(begin, Unit::day);
  return date_text(begin, is_midnight ? "%e %b" : "%H:%M");
}

std::vector<Tick> time_ticks(const TimeLine& line) {
  const std::size_t step = label_step(line);
  std::vector<Tick> ticks;
  for (std::size_t i = 0; i < line.buckets.size(); ++i) {
    if (!has_label(line, i, step)) continue;
    ticks.push_back({(static_cast<double>(i) + 0.5) /
                         static_cast<double>(line.buckets.size()),
                     label_text(line, line.buckets[i].begin, step)});
  }
  return ticks;
}

// The picture

struct Bars {
  std::string_view name;   // a class, and part of an id
  std::string_view title;  // what is counted
  std::uint64_t TimeBucket::*count;
};

// What is not nothing is seen.
double height_of(std::uint64_t count, std::uint64_t scale) {
  constexpr double k_least = 1.5;
  if (count == 0) return 0;
  return std::max(
      k_least, 100 * static_cast<double>(count) / static_cast<double>(scale));
}

void append_ticks(std::string& out, std::string_view axis,
                  std::string_view side, const std::vector<Tick>& ticks) {
  out += fmt::format("<div class=\"{}\" aria-hidden=\"true\">", axis);
  for (const Tick& tick : ticks) {
    out += fmt::format("<i style=\"{}:{:.2f}%\"{} data-t=\"{}\"></i>", side,
                       tick.at * 100, tick.at > 0.94 ? " class=\"end\"" : "",
                       escape_html(tick.text));
  }
  out += "</div>\n";
}

void append_bars(std::string& out, const TimeLine& line, const Bars& bars,
                 std::uint64_t scale) {
  const double gap = line.buckets.size() > 120 ? 0.06 : 0.14;
  out += fmt::format("<path class=\"{}\" d=\"", bars.name);
  for (std::size_t i = 0; i < line.buckets.size(); ++i) {
    const double height = height_of(line.buckets[i].*bars.count, scale);
    if (height > 0)
      out += fmt::format("M{:.2f} 100v-{:.2f}h{:.2f}V100z",
                         static_cast<double>(i) + gap, height, 1 - 2 * gap);
  }
  out += "\"/>\n";
}

std::string told(const TimeBucket& bucket, Unit unit) {
  return fmt::format("{}: {} sent, {} failed or expired",
                     bucket_text(bucket, unit), count_text(bucket.sent),
                     count_text(bucket.failed));
}

// What the pointer shows of a bucket.
void append_hints(std::string& out, const TimeLine& line) {
  out += "<g class=\"hints\">";
  for (std::size_t i = 0; i < line.buckets.size(); ++i) {
    if (line.buckets[i].sent + line.buckets[i].failed == 0) continue;
    out += fmt::format(
        "<rect x=\"{}\" width=\"1\" height=\"100\"><title>{}</title></rect>", i,
        told(line.buckets[i], line.unit));
  }
  out += "</g>";
}

std::string description(const TimeLine& line, const Bars& bars) {
  const auto most =
      std::max_element(line.buckets.begin(), line.buckets.end(),
                       [&bars](const TimeBucket& a, const TimeBucket& b) {
                         return a.*bars.count < b.*bars.count;
                       });
  return fmt::format("From {} to {}. Most: {}, at {}. The table below has all.",
                     bucket_text(line.buckets.front(), line.unit),
                     bucket_text(line.buckets.back(), line.unit),
                     count_text((*most).*bars.count),
                     bucket_text(*most, line.unit));
}

void append_picture(std::string& out, const TimeLine& line, const Bars& bars,
                    std::uint64_t scale) {
  out += fmt::format(
      "<svg viewBox=\"0 0 {0} 100\" preserveAspectRatio=\"none\" role=\"img\" "
      "aria-labelledby=\"{1}-title {1}-desc\"><title id=\"{1}-title\">{2} by "
      "{3}</title><desc id=\"{1}-desc\">{4}</desc>\n"
      "<path class=\"grid\" d=\"M0 0H{0}M0 50H{0}\"/>\n",
      line.buckets.size(), bars.name, bars.title,
      line.unit == Unit::hour ? "hour" : "day", description(line, bars));
  append_bars(out, line, bars, scale);
  out += fmt::format("<path class=\"base\" d=\"M0 100H{}\"/>\n",
                     line.buckets.size());
  append_hints(out, line);
  out += "</svg>\n";
}

// Drawn, too: the picture has a title for who cannot see it.
void append_caption(std::string& out, std::string_view dot,
                    std::string_view title, std::string_view about) {
  out += "<figcaption aria-hidden=\"true\">";
  if (!dot.empty()) out += fmt::format("<b class=\"dot {}\"></b>", dot);
  out += fmt::format(
      "<i data-t=\"{}\"></i> <i class=\"soft\" data-t=\"{}\"></i>"
      "</figcaption>\n",
      title, about);
}

void append_chart(std::string& out, const TimeLine& line, const Bars& bars) {
  std::uint64_t most = 1;
  for (const TimeBucket& bucket : line.buckets)
    most = std::max(most, bucket.*bars.count);
  const std::uint64_t scale = scale_for(most);
  out += fmt::format("<figure class=\"chart of-{0}\">\n", bars.name);
  append_caption(out, bars.name, bars.title,
                 line.unit == Unit::hour ? "each hour" : "each day");
  out += "<div class=\"plot\">\n";
  append_ticks(out, "values", "top", value_ticks(scale));
  append_picture(out, line, bars, scale);
  out += "</div>\n</figure>\n";
}

// Strips

double faults_share(const ProviderBucket& bucket) {
  if (bucket.faults == 0) return 0;
  return 100 * static_cast<double>(bucket.faults) /
         static_cast<double>(bucket.attempts);
}

// Cells from `from` to `to` of a hundred, both counted from the top.
void append_cell(std::string& out, std::size_t index, double from, double to) {
  if (to > from)
    out += fmt::format("M{} {:.1f}h.96V{:.1f}h-.96z", index, from, to);
}

// "sendgrid: most attempts failed at 21 Nov 02:00, 100.0 %".
std::string description(const ProviderStrip& strip, const TimeLine& line) {
  const auto worst =
      std::max_element(strip.buckets.begin(), strip.buckets.end(),
                       [](const ProviderBucket& a, const ProviderBucket& b) {
                         return faults_share(a) < faults_share(b);
                       });
  if (worst == strip.buckets.end() || worst->faults == 0)
    return strip.label + ": no attempt failed";
  const auto index = static_cast<std::size_t>(worst - strip.buckets.begin());
  return fmt::format("{}: most attempts failed at {}, {}", strip.label,
                     bucket_text(line.buckets[index], line.unit),
                     percent_text(faults_share(*worst) / 100));
}

void append_strip(std::string& out, const ProviderStrip& strip,
                  const TimeLine& line) {
  out += fmt::format(
      "<div class=\"strip\"><i aria-hidden=\"true\" data-t=\"{}\"></i><svg "
      "viewBox=\"0 0 {} 100\" preserveAspectRatio=\"none\" role=\"img\" "
      "aria-label=\"{}\"><path class=\"fine\" d=\"",
      strip.label, strip.buckets.size(), description(strip, line));
  std::string failed;
  std::string hints;
  for (std::size_t i = 0; i < strip.buckets.size(); ++i) {
    const ProviderBucket& bucket = strip.buckets[i];
    if (bucket.attempts == 0) continue;
    const double share = faults_share(bucket);
    append_cell(out, i, share, 100);
    append_cell(failed, i, 0, share);
    hints += fmt::format(
        "<rect x=\"{}\" width=\"1\" height=\"100\"><title>{}: {} of {} "
        "attempts failed</title></rect>",
        i, bucket_text(line.buckets[i], line.unit), count_text(bucket.faults),
        count_text(bucket.attempts));
  }
  out += "\"/><path class=\"failed\" d=\"" + failed +
         "\"/><g class=\"hints\">" + hints + "</g></svg></div>\n";
}

void append_strips(std::string& out, const TimeLine& line,
                   const std::vector<ProviderStrip>& strips) {
  if (strips.empty()) return;
  out += "<figure class=\"strips\">\n";
  append_caption(out, "", "Providers",
                 "the share of attempts that failed by their doing");
  for (const ProviderStrip& strip : strips) append_strip(out, strip, line);
  out += "</figure>\n";
}

bool has_failed(const TimeBucket& bucket) {
  return bucket.failed > 0;
}

}  // namespace

TimeLine time_line(const Tally& tally, const ReportSpan& span) {
  TimeLine line;
  line.unit = tally.by().front() == TallyBy::hour ? Unit::hour : Unit::day;
  const auto rows = rows_by_time(tally, line.unit);
  if (rows.empty()) return line;
  const Milliseconds length = length_of(line.unit);
  const Time end = std::min(span.until.value_or(span.now), span.now);
  // `until` itself is not part of the span.
  const Time last =
      begin_of(span.until == end ? end - Milliseconds(1) : end, line.unit);
  const Time oldest =
      last - length * static_cast<std::int64_t>(k_most_buckets - 1);
  const Time wanted =
      span.since ? begin_of(*span.since, line.unit) : rows.begin()->first;
  line.is_cut = rows.begin()->first < oldest;
  for (Time at = std::max(wanted, oldest); at <= last; at += length) {
    const auto row = rows.find(at);
    line.buckets.push_back(
        row == rows.end()
            ? TimeBucket{at}
            : TimeBucket{at, row->second->queued, row->second->sent,
                         row->second->failed + row->second->expired});
  }
  return line;
}

std::string bucket_text(const TimeBucket& bucket, Unit unit) {
  return date_text(bucket.begin,
                   unit == Unit::hour ? "%e %b %H:%M" : "%e %b %Y");
}

std::vector<ProviderBucket> provider_line(const Tally& over_time,
                                          const std::string& provider,
                                          const TimeLine& line) {
  std::vector<ProviderBucket> buckets(line.buckets.size());
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    std::string when = line.unit == Unit::hour
                           ? format_minute(line.buckets[i].begin)
                           : format_day(line.buckets[i].begin);
    if (line.unit == Unit::hour)
      when.resize(std::string_view("2026-11-21T10").size());
    const auto row = over_time.rows().find({provider, when});
    if (row != over_time.rows().end())
      buckets[i] = {row->second.attempts, faults_of(row->second)};
  }
  return buckets;
}

void append_time_charts(std::string& out, const TimeLine& line,
                        const std::vector<ProviderStrip>& strips) {
  if (line.buckets.empty()) return;
  append_chart(out, line, {"sent", "Sent", &TimeBucket::sent});
  if (std::any_of(line.buckets.begin(), line.buckets.end(), has_failed))
    append_chart(out, line,
                 {"failed", "Failed or expired", &TimeBucket::failed});
  append_strips(out, line, strips);
  append_ticks(out, "times", "left", time_ticks(line));
}

}  // namespace pony
