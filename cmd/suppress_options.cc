#include "cmd/suppress_options.h"

#include <CLI/CLI.hpp>
#include <utility>

#include "core/address.h"
#include "core/json.h"

namespace pony {
namespace {

SuppressedFor reason_from(const std::string& text) {
  if (const auto reason = suppressed_for_from(text)) return *reason;
  throw CLI::ValidationError(
      "--reason", "there is no reason '" + printable(text, 40) +
                      "' (bounced, complained, unsubscribed or manual)");
}

}  // namespace

void add_suppression_reason(CLI::App& app, SuppressedFor& reason,
                            const std::string& help) {
  app.add_option_function<std::string>(
         "--reason",
         [&reason](const std::string& text) { reason = reason_from(text); },
         help)
      ->type_name("REASON");
}

void add_suppression_reasons(CLI::App& app,
                             std::vector<SuppressedFor>& reasons) {
  app.add_option_function<std::vector<std::string>>(
         "--reason",
         [&reasons](const std::vector<std::string>& texts) {
           for (const auto& text : texts) reasons.push_back(reason_from(text));
         },
         "bounced, complained, unsubscribed or manual; several with commas")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("REASON");
}

Result<std::vector<std::string>> addresses_from(
    const std::vector<std::string>& words) {
  std::vector<std::string> addresses;
  std::vector<Problem> problems;
  for (const auto& word : words) {
    auto address = parse_address(word);
    if (address) {
      addresses.push_back(std::move(address->email));
    } else {
      problems.push_back({{}, address.error().what, address.error().hint});
    }
  }
  if (problems.empty()) return addresses;
  const std::string what =
      problems.size() == 1
          ? problems.front().what
          : std::to_string(problems.size()) + " addresses are none";
  return fail(Error::Kind::bad_data, what, std::move(problems));
}

}  // namespace pony
