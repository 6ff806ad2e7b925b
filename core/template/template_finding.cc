#include "core/template/template_finding.h"

#include <algorithm>
#include <tuple>

#include "core/template/language_fallback.h"

namespace pony {
namespace {

// More than anybody reads; a hostile body could bring as many as it has bytes.
constexpr std::size_t k_most_findings = 10'000;

}  // namespace

std::string_view to_text(Severity severity) {
  return severity == Severity::error ? "error" : "warning";
}

void TemplateFindings::add(TemplateFinding finding) {
  if (!lang_.empty() && !finding.lang.empty() &&
      !is_same_language(lang_, finding.lang))
    return;
  const auto place = finding.file + ":" + std::to_string(finding.line);
  if (list_.size() == k_most_findings) {
    ++left_out_;
  } else if (!said_.emplace(place, finding.what).second) {
    return;
  } else {
    list_.push_back(finding);
  }
  ++(finding.severity == Severity::error ? errors_ : warnings_);
}

std::vector<TemplateFinding> TemplateFindings::take() {
  std::stable_sort(list_.begin(), list_.end(),
                   [](const TemplateFinding& a, const TemplateFinding& b) {
                     return std::tie(a.template_id, a.file, a.line) <
                            std::tie(b.template_id, b.file, b.line);
                   });
  if (left_out_ > 0) {
    TemplateFinding rest;
    rest.check = "bounds";
    rest.what = "there are " + std::to_string(left_out_) + " findings more";
    list_.push_back(std::move(rest));
  }
  said_.clear();
  return std::move(list_);
}

}  // namespace pony
