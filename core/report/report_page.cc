// The page; see report_page.h. How it looks is report_page_style.h's affair,
// the bars over time are time_chart.h's.
#include "core/report/report_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "core/html_escape.h"
#include "core/json.h"
#include "core/outcome.h"
#include "core/report/report_figures.h"
#include "core/report/report_page_style.h"
#include "core/report/row_order.h"
#include "core/report/time_chart.h"

namespace pony {
namespace {

// Nothing is fetched, run or sent, whatever a name or a reason holds.
constexpr std::string_view k_head =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
    "'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, "
    "initial-scale=1\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<meta name=\"referrer\" content=\"no-referrer\">\n"
    "<link rel=\"icon\" href=\"data:,\">\n";

// Text from outside, fit for the page: no control or direction mark survives.
std::string safe(std::string_view text) {
  return escape_html(printable(text, 400));
}

// Tables

// A part of a row's bar, in hundredths of its width.
struct BarPart {
  std::string_view name;  // a class
  double width = 0;
};

struct PageRow {
  std::string label;   // safe HTML
  std::string detail;  // the same, smaller, below; may be empty
  std::vector<std::string> cells;
  std::vector<BarPart> bar;  // one after the other
};

struct PageTable {
  std::string id;
  std::string title;
  std::string about;                  // in a few words: what is counted
  std::string label;                  // what a row is
  std::vector<std::string> headings;  // of the cells
  std::vector<PageRow> rows;
  std::vector<std::string> total;
  std::size_t left_out = 0;
};

void append_bar(std::string& out, const std::vector<BarPart>& bar) {
  if (bar.empty()) return;
  out +=
      "<svg class=\"bar\" viewBox=\"0 0 100 6\" preserveAspectRatio=\"none\" "
      "aria-hidden=\"true\">";
  double at = 0;
  for (const BarPart& part : bar) {
    if (part.width > 0)
      out += fmt::format(
          "<rect class=\"{}\" x=\"{:.2f}\" width=\"{:.2f}\" height=\"6\"/>",
          part.name, at, part.width);
    at += part.width;
  }
  out += "</svg>";
}

// These attributes are for mail programs that drop the style sheet.
void append_cells(std::string& out, const std::vector<std::string>& cells) {
  for (const std::string& cell : cells)
    out += "<td align=\"right\">" + cell + "</td>";
}

void append_row(std::string& out, const PageRow& row) {
  out += fmt::format(
      "<tr><th scope=\"row\" align=\"left\"><span class=\"name\" "
      "dir=\"auto\">{}</span>",
      row.label);
  append_bar(out, row.bar);
  if (!row.detail.empty()) out += fmt::format(" <small>{}</small>", row.detail);
  out += "</th>";
  append_cells(out, row.cells);
  out += "</tr>\n";
}

void append_table(std::string& out, const PageTable& table) {
  out += "<table cellpadding=\"6\">\n<thead><tr><th scope=\"col\">" +
         table.label + "</th>";
  for (const std::string& heading : table.headings)
    out += "<th scope=\"col\">" + heading + "</th>";
  out += "</tr></thead>\n<tbody>\n";
  for (const PageRow& row : table.rows) append_row(out, row);
  if (table.left_out > 0)
    out += fmt::format(
        "<tr class=\"more\"><td colspan=\"{}\">… and {} more</td></tr>\n",
        table.headings.size() + 1, count_text(table.left_out));
  out += "</tbody>\n";
  if (!table.total.empty()) {
    out += "<tfoot><tr><th scope=\"row\" align=\"left\">Total</th>";
    append_cells(out, table.total);
    out += "</tr></tfoot>\n";
  }
  out += "</table>\n";
}

void append_card(std::string& out, const PageTable& table) {
  if (table.rows.empty()) return;
  out += fmt::format(
      "<section id=\"{0}\" aria-labelledby=\"{0}-title\">\n"
      "<h2 id=\"{0}-title\">{1} <span>{2}</span></h2>\n",
      table.id, table.title, table.about);
  append_table(out, table);
  out += "</section>\n";
}

// Rows of a tally

std::uint64_t lost_of(const TallyRow& row) {
  return row.failed + row.expired;
}

double share(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 0
                    : static_cast<double>(part) / static_cast<double>(whole);
}

// A bar of two parts against the longest row's; what is not nothing is seen.
std::vector<BarPart> bar_of(std::uint64_t good, std::uint64_t bad,
                            std::uint64_t most) {
  const auto width = [most](std::uint64_t count) {
    constexpr double k_least = 1.5;
    return count == 0 ? 0.0 : std::max(k_least, 100 * share(count, most));
  };
  const double red = std::min(width(bad), 100.0);
  return {{"sent", std::min(width(good), 100 - red)}, {"failed", red}};
}

// A cell that counts what went wrong: bold, so that it stands out without
// colour too.
std::string bad_count(std::uint64_t count) {
  return count == 0 ? "0" : "<b>" + count_text(count) + "</b>";
}

// What a row counts, parted in good and bad, and how it is called.
struct Parts {
  std::uint64_t good = 0;
  std::uint64_t bad = 0;
  std::vector<std::string> cells = {};
};

std::vector<std::string> headings_of(TallyOf of) {
  switch (of) {
    case TallyOf::messages:
      return {"Sent", "Failed", "Rate"};
    case TallyOf::attempts:
      return {"Attempts", "Failed", "Rate"};
    case TallyOf::reasons:
      return {"Failed", "Deferred", "Other"};
    case TallyOf::events:
      return {"Events"};
  }
  return {};
}

Parts parts_of(const TallyRow& row, const Trouble& trouble, TallyOf of) {
  const std::uint64_t lost = lost_of(row);
  switch (of) {
    case TallyOf::messages:
      return {row.sent,
              lost,
              {count_text(row.sent), bad_count(lost),
               percent_text(row.failure_rate())}};
    case TallyOf::attempts:
      return {without(row.attempts, trouble.wrong),
              trouble.wrong,
              {count_text(row.attempts), bad_count(trouble.wrong),
               percent_text(row.failure_rate())}};
    case TallyOf::reasons:
      return {without(row.events, lost),
              lost,
              {bad_count(lost), count_text(row.deferred),
               count_text(without(row.events, lost + row.deferred))}};
    case TallyOf::events:
      return {without(row.events, trouble.wrong),
              trouble.wrong,
              {count_text(row.events)}};
  }
  return {};
}

// "signup", or of several keys "signup · es".
std::string label_of(const TallyKey& key) {
  std::string label;
  for (const std::string& value : key) {
    if (!label.empty()) label += " · ";
    label += value.empty() ? "–" : safe(value);
  }
  return label.empty() ? "all" : label;
}

// "400 unavailable, 12 throttled", or what else a row should tell.
std::string detail_of(const TallyRow& row, TallyOf of) {
  std::string detail;
  const auto add_count = [&detail](std::uint64_t count, std::string_view what) {
    if (count == 0) return;
    if (!detail.empty()) detail += ", ";
    detail += count_text(count) + " " + std::string(what);
  };
  if (of == TallyOf::messages) {
    add_count(row.unknown, "with unknown outcome");
  } else if (of == TallyOf::attempts) {
    for (const Outcome outcome : {Outcome::rejected, Outcome::unavailable,
                                  Outcome::throttled, Outcome::unknown})
      add_count(count_of(row, outcome), to_text(outcome));
  }
  return detail;
}

PageTable table_of(const Tally& tally, std::size_t top) {
  const TallyOf of = tally.of();
  PageTable table;
  table.headings = headings_of(of);
  const ChosenRows chosen = problems_first(tally, top);
  table.left_out = chosen.left_out;
  std::uint64_t most = 1;
  for (const auto& [key, row] : chosen.rows) {
    const Parts parts = parts_of(*row, trouble_of(tally, *key, *row), of);
    most = std::max(most, parts.good + parts.bad);
  }
  for (const auto& [key, row] : chosen.rows) {
    const Trouble trouble = trouble_of(tally, *key, *row);
    Parts parts = parts_of(*row, trouble, of);
    table.rows.push_back({label_of(*key), detail_of(*row, of),
                          std::move(parts.cells),
                          bar_of(parts.good, parts.bad, most)});
  }
  if (tally.rows().size() > 1)
    table.total =
        parts_of(tally.total(), trouble_of(tally, {}, tally.total()), of).cells;
  return table;
}

// Latency by provider: three bars that lie over each other, p99's below.
PageTable latency_of(const Tally& tally, std::size_t top) {
  PageTable table;
  for (const Percentile& percentile : k_percentiles)
    table.headings.push_back(
        fmt::format("<b class=\"dot {0}\"></b>{0}", percentile.name));
  const ChosenRows chosen = problems_first(tally, top);
  table.left_out = chosen.left_out;
  std::int64_t most = 1;
  for (const auto& [key, row] : chosen.rows)
    most = std::max(most, row->provider_ms.percentile(99).value_or(0));
  for (const auto& [key, row] : chosen.rows) {
    PageRow line;
    line.label = label_of(*key);
    double before = 0;
    for (const Percentile& percentile : k_percentiles) {
      const auto time = row->provider_ms.percentile(percentile.percent);
      const double width =
          std::max(before, 100 * static_cast<double>(time.value_or(0)) /
                               static_cast<double>(most));
      line.cells.push_back(time ? duration_text(time) : "–");
      line.bar.push_back({percentile.name, width - before});
      before = width;
    }
    table.rows.push_back(std::move(line));
  }
  return table;
}

// Sections

struct Section {
  TallyBy by;
  std::string_view id;
  std::string_view title;
  std::string_view about;
  std::string_view label;
};

constexpr std::array<Section, 5> k_sections = {
    {{TallyBy::provider, "providers", "Providers",
      "attempts, and those not accepted", "Provider"},
     {TallyBy::reason, "reasons", "Why not",
      "events that say why mail failed or had to wait", "Reason"},
     {TallyBy::tag, "tags", "Tags", "messages", "Tag"},
     {TallyBy::template_id, "templates", "Templates", "messages", "Template"},
     {TallyBy::domain, "domains", "Recipients’ domains", "messages",
      "Domain"}}};

bool is_of_page(const Tally& tally, const ReportSpan& span) {
  if (tally.by() == provider_time_keys(span)) return true;
  if (tally.by().size() != 1) return false;
  const TallyBy by = tally.by().front();
  return by == TallyBy::day || by == TallyBy::hour ||
         std::any_of(k_sections.begin(), k_sections.end(),
                     [by](const Section& one) { return one.by == by; });
}

std::string in_words(TallyOf of) {
  switch (of) {
    case TallyOf::messages:
      return "messages";
    case TallyOf::attempts:
      return "attempts, and those not accepted";
    case TallyOf::reasons:
      return "events that say why not";
    case TallyOf::events:
      return "events";
  }
  return {};
}

void append_others(std::string& out, const ReportPage& page) {
  int number = 0;
  for (const Tally& tally : page.tallies) {
    if (is_of_page(tally, page.span)) continue;
    PageTable table = table_of(tally, page.top);
    table.id = fmt::format("other-{}", ++number);
    table.title = "All together";
    for (std::size_t i = 0; i < tally.by().size(); ++i) {
      if (i == 0) table.title = "By ";
      if (i > 0) table.title += ", ";
      table.title += to_text(tally.by()[i]);
    }
    table.about = in_words(tally.of());
    table.label = "Row";
    append_card(out, table);
  }
}

void append_latency(std::string& out, const ReportPage& page) {
  const Tally* tally = find_tally(page, {TallyBy::provider});
  if (tally == nullptr || tally->total().provider_ms.count() == 0) return;
  PageTable table = latency_of(*tally, page.top);
  table.id = "latency";
  table.title = "Latency";
  table.about = "what 50, 95 and 99 % of attempts take at most";
  table.label = "Provider";
  append_card(out, table);
}

void append_sections(std::string& out, const ReportPage& page) {
  out += "<div class=\"cards\">\n";
  for (const Section& section : k_sections) {
    if (const Tally* tally = find_tally(page, {section.by})) {
      PageTable table = table_of(*tally, page.top);
      table.id = section.id;
      table.title = section.title;
      table.about = section.about;
      table.label = section.label;
      append_card(out, table);
    }
    if (section.by == TallyBy::provider) append_latency(out, page);
  }
  append_others(out, page);
  out += "</div>\n";
}

// Time

const Tally* time_tally(const ReportPage& page) {
  const Tally* by_hour = find_tally(page, {TallyBy::hour});
  return by_hour != nullptr ? by_hour : find_tally(page, {TallyBy::day});
}

PageTable figures_of(const TimeLine& line) {
  PageTable table;
  table.label = line.unit == TimeLine::Unit::hour ? "Hour" : "Day";
  table.headings = {"Queued", "Sent", "Failed"};
  for (const TimeBucket& one : line.buckets) {
    if (one.queued + one.sent + one.failed == 0) continue;
    table.rows.push_back(
        {bucket_text(one, line.unit),
         {},
         {count_text(one.queued), count_text(one.sent), bad_count(one.failed)},
         {}});
  }
  return table;
}

// Of the providers that the table of providers shows, in its order.
std::vector<ProviderStrip> strips_of(const ReportPage& page,
                                     const TimeLine& line) {
  std::vector<ProviderStrip> strips;
  const Tally* all = find_tally(page, {TallyBy::provider});
  const Tally* over_time = find_tally(page, provider_time_keys(page.span));
  if (all == nullptr || over_time == nullptr) return strips;
  for (const ReportRow& row : problems_first(*all, page.top).rows) {
    if (row.row->attempts > 0)
      strips.push_back({label_of(*row.key),
                        provider_line(*over_time, row.key->front(), line)});
  }
  return strips;
}

void append_time(std::string& out, const ReportPage& page) {
  const Tally* tally = time_tally(page);
  if (tally == nullptr) return;
  const TimeLine line = time_line(*tally, page.span);
  if (line.buckets.empty()) return;
  out +=
      "<section id=\"time\" aria-labelledby=\"time-title\">\n"
      "<h2 id=\"time-title\">Volume and failures <span>messages, times are "
      "UTC</span></h2>\n";
  if (line.is_cut)
    out += fmt::format("<p class=\"note\">Only the last {} are drawn.</p>\n",
                       k_most_buckets);
  append_time_charts(out, line, strips_of(page, line));
  out += "<details><summary>Figures</summary>\n";
  append_table(out, figures_of(line));
  out += "</details>\n</section>\n";
}

// The beginning

struct Tile {
  std::string_view name;
  std::string value;
  std::string about;
  bool is_bad = false;
};

std::string percentiles_text(const TimeHistogram& times) {
  const auto told = [&times](double percent) {
    std::string text = duration_text(times.percentile(percent));
    // A number stays with its unit.
    for (auto at = text.find(' '); at != std::string::npos;
         at = text.find(' ', at))
      text.replace(at, 1, "\u00a0");
    return text;
  };
  return fmt::format("median · p95\u00a0{} · p99\u00a0{}", told(95), told(99));
}

Tile time_tile(std::string_view name, const TimeHistogram& times) {
  if (times.count() == 0) return {name, "–", "nothing was timed"};
  return {name, duration_text(times.percentile(50)), percentiles_text(times)};
}

std::vector<Tile> tiles_of(const TallyRow& total) {
  const std::uint64_t lost = lost_of(total);
  std::string put_off;
  if (total.deferred > 0)
    put_off = fmt::format(" · deferred {}×", count_text(total.deferred));
  return {{"Sent", count_text(total.sent),
           fmt::format("{} queued{}", count_text(total.queued), put_off)},
          {"Failed or expired", count_text(lost),
           fmt::format("{} of what ended{}", percent_text(total.failure_rate()),
                       total.unknown > 0
                           ? " · " + count_text(total.unknown) + " unknown"
                           : ""),
           lost + total.unknown > 0},
          time_tile("Time in queue", total.queue_ms),
          time_tile("Providers’ time", total.provider_ms)};
}

void append_tiles(std::string& out, const ReportPage& page) {
  const Tally* tally = time_tally(page);
  if (tally == nullptr || tally->rows().empty()) return;
  out += "<dl class=\"tiles\">\n";
  for (const Tile& tile : tiles_of(tally->total())) {
    out += fmt::format(
        "<div{}><dt>{}</dt><dd><b>{}</b><br><small>{}</small></dd></div>\n",
        tile.is_bad ? " class=\"bad\"" : "", tile.name, tile.value, tile.about);
  }
  out += "</dl>\n";
}

// The sentences: of the messages as a whole, then of providers that fail.
void append_health(std::string& out, const ReportPage& page) {
  const ProviderTallies providers = {
      find_tally(page, {TallyBy::provider}),
      find_tally(page, provider_time_keys(page.span))};
  const Tally* messages = time_tally(page);
  ReportHealth health =
      health_of(messages != nullptr ? *messages : Tally(std::vector<TallyBy>{}),
                providers);
  if (health.whole.empty()) health.whole = "nothing was sent, nothing failed";
  out += health.mood == ReportHealth::Mood::bad ? "<div class=\"health bad\">\n"
                                                : "<div class=\"health\">\n";
  health.whole[0] = static_cast<char>(std::toupper(health.whole[0]));
  out += "<p><b>" + safe(health.whole) + ".</b></p>\n";
  for (const std::string& sentence : health.providers)
    out += "<p>" + safe(sentence) + ".</p>\n";
  out += "</div>\n";
}

void append_header(std::string& out, const ReportPage& page) {
  out += "<header>\n<h1>Mail report</h1>\n<p class=\"span\">" +
         safe(span_text(page.span));
  if (!page.selection.empty()) out += " · " + safe(page.selection);
  out += "</p>\n</header>\n";
}

}  // namespace

std::vector<std::vector<TallyBy>> page_keys(const ReportSpan& span) {
  std::vector<std::vector<TallyBy>> keys = {{time_key(span)},
                                            provider_time_keys(span)};
  for (const Section& section : k_sections) keys.push_back({section.by});
  return keys;
}

ReportPage empty_page(const ReportSpan& span) {
  ReportPage page;
  page.span = span;
  for (const auto& by : page_keys(span)) page.tallies.emplace_back(by);
  return page;
}

const Tally* find_tally(const ReportPage& page,
                        const std::vector<TallyBy>& by) {
  const auto found =
      std::find_if(page.tallies.begin(), page.tallies.end(),
                   [&by](const Tally& tally) { return tally.by() == by; });
  return found == page.tallies.end() ? nullptr : &*found;
}

void add(ReportPage& page, const Event& event) {
  for (Tally& tally : page.tallies) tally.add(event);
}

std::string to_html(const ReportPage& page) {
  std::string out(k_head);
  out += "<title>Mail report, " + safe(span_text(page.span)) + "</title>\n";
  out.append("<style>").append(k_report_page_style).append("</style>\n");
  out += "</head>\n<body>\n";
  append_header(out, page);
  append_health(out, page);
  append_tiles(out, page);
  out += "<main>\n";
  append_time(out, page);
  append_sections(out, page);
  out +=
      "</main>\n<footer>Made by pony. What went wrong comes first. A message "
      "with two tags is in two rows and once in the total. Times are at most "
      "2 % off.</footer>\n</body>\n</html>\n";
  return out;
}

}  // namespace pony
