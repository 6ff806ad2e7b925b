// What may come next on a command line, for the shells' completion: commands,
// options, their values. Asked of the parsers that the commands themselves
// build, so it cannot differ from what they take.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cmd/context.h"

namespace pony {

struct Candidate {
  std::string word;
  std::string meaning;  // may be empty
};

struct Candidates {
  std::vector<Candidate> words;
  enum class Names { none, files, folders };
  Names names = Names::none;  // the shell completes these itself
};

// `words` is what was typed behind "pony"; the last is the one that is being
// typed, and may be empty. Makes nothing and says nothing: what cannot be
// read has no candidates.
Candidates candidates_for(std::span<const std::string_view> words,
                          Context& context);

// `pony complete -- WORD…`, which only the completion scripts call: a line a
// candidate, its meaning behind a tab; ":files" or ":dirs" where the shell is
// to complete names of its own. Always 0.
int run_complete(std::span<const std::string_view> words, Context& context);

}  // namespace pony
