// Problems first; see row_order.h.
#include "core/report/row_order.h"

#include <algorithm>
#include <cstdint>
#include <string>

namespace pony {
namespace {

bool is_time(TallyBy by) {
  return by == TallyBy::day || by == TallyBy::hour;
}

struct Ranked {
  ReportRow row;
  TallyKey when;
  double trouble = 0;
  std::uint64_t volume = 0;
};

Ranked ranked(const Tally& tally, const TallyKey& key, const TallyRow& row) {
  Ranked one = {{&key, &row},
                {},
                trouble_of(tally, key, row).weight(),
                volume_of(row, tally.of())};
  for (std::size_t i = 0; i < key.size(); ++i) {
    if (is_time(tally.by()[i])) one.when.push_back(key[i]);
  }
  return one;
}

bool comes_first(const Ranked& a, const Ranked& b) {
  if (a.when != b.when) return a.when < b.when;
  if (a.trouble != b.trouble) return a.trouble > b.trouble;
  if (a.volume != b.volume) return a.volume > b.volume;
  return *a.row.key < *b.row.key;
}

// Takes away what is more than `top`; by time, what is oldest.
ChosenRows chosen(std::vector<ReportRow> rows, std::size_t top, bool by_time) {
  if (top == 0 || rows.size() <= top) return {std::move(rows), 0};
  const std::size_t left_out = rows.size() - top;
  const auto from =
      by_time ? rows.begin() : rows.begin() + static_cast<std::ptrdiff_t>(top);
  rows.erase(from, from + static_cast<std::ptrdiff_t>(left_out));
  return {std::move(rows), left_out};
}

}  // namespace

bool is_by_time(const Tally& tally) {
  return std::any_of(tally.by().begin(), tally.by().end(), is_time);
}

ChosenRows problems_first(const Tally& tally, std::size_t top) {
  std::vector<Ranked> all;
  all.reserve(tally.rows().size());
  for (const auto& [key, row] : tally.rows())
    all.push_back(ranked(tally, key, row));
  std::sort(all.begin(), all.end(), comes_first);
  std::vector<ReportRow> rows;
  rows.reserve(all.size());
  for (const Ranked& one : all) rows.push_back(one.row);
  return chosen(std::move(rows), top, is_by_time(tally));
}

ChosenRows by_key(const Tally& tally, std::size_t top) {
  if (top > 0 && tally.rows().size() > top) return problems_first(tally, top);
  ChosenRows all;
  for (const auto& [key, row] : tally.rows()) all.rows.push_back({&key, &row});
  return all;
}

}  // namespace pony
