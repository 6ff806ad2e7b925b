#include "core/report/event_filter.h"

#include <algorithm>

#include "core/lower_case.h"
#include "core/report/event_facts.h"

namespace pony {

bool is_any_of(std::string_view value, const std::vector<std::string>& wanted) {
  return wanted.empty() ||
         std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

bool has_any_part(std::string_view why,
                  const std::vector<std::string>& wanted) {
  if (wanted.empty()) return true;
  const std::string text = in_lower_case(why);
  return std::any_of(wanted.begin(), wanted.end(), [&](const auto& part) {
    return text.find(in_lower_case(part)) != std::string::npos;
  });
}

bool EventFilter::matches(const Event& event) const {
  const bool has_tag =
      tags.empty() ||
      std::any_of(event.tags.begin(), event.tags.end(),
                  [this](const auto& tag) { return is_any_of(tag, tags); });
  return (!since || event.ts >= *since) && (!until || event.ts < *until) &&
         has_tag && is_any_of(event.event, events) &&
         is_any_of(event.template_id, templates) &&
         is_any_of(event.provider, providers) && is_any_of(event.pool, pools) &&
         is_any_of(event.lang, langs) && is_any_of(event.domain, domains) &&
         has_any_part(beginning_of(why_of(event), k_kept_reason_bytes),
                      reasons);
}

}  // namespace pony
