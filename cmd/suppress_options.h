// What the `pony suppress` commands have in common on the command line.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "spool/suppressions.h"

namespace CLI {
class App;
}

namespace pony {

// --reason REASON: one of the four. Checked while the command line is read;
// what it fills in must outlive the parser.
void add_suppression_reason(CLI::App& app, SuppressedFor& reason,
                            const std::string& help);
// The same, any number of them.
void add_suppression_reasons(CLI::App& app,
                             std::vector<SuppressedFor>& reasons);

// `words` as addresses; bad_data names every one that is none. Nothing is
// looked up.
Result<std::vector<std::string>> addresses_from(
    const std::vector<std::string>& words);

}  // namespace pony
