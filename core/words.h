// The small words that sentences for people share: how many of a thing, and
// lists.
//
// Promises: nothing but text out of its arguments. Doesn't know: what is fit
// for a terminal (printable() in core/json.h), nor what a report makes of large
// numbers (count_text in core/report/report_figures.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pony {

// "1 message", "2 messages"; with `many`, which stands for all but one of
// them, "2 addresses".
std::string counted(std::uint64_t count, std::string_view one,
                    std::string_view many = {});

// "de, en, es", or with something else between them.
std::string joined(const std::vector<std::string>& words,
                   std::string_view between = ", ");

// The first `shown` of them: "a, b, c and 12 more".
std::string joined_in_short(const std::vector<std::string>& words,
                            std::size_t shown);

}  // namespace pony
