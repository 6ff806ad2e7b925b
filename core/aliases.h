// The alias file, as sendmail's and Postfix's (aliases(5)): which people a
// local name stands for.
//
// Promises: any bytes give an answer, bad lines are named; nothing that the
// file names is ever run, opened or written.
// Doesn't know: which domains are local, and what becomes of a name that is
// not in it (core/local_routes.h).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/result.h"

namespace pony {

class Aliases {
 public:
  using Targets = std::vector<std::string>;

  // No aliases at all.
  Aliases() = default;
  // Reads the content of the file `name`: "name: target, target", quoted or
  // not, "#" comments, lines that begin with a space continue the one before.
  // A name's case is ignored; of two entries for it the first counts.
  static Aliases parse(std::string_view text, std::string_view name);
  // The file at `path`; one that is not there has no aliases. Errors:
  // bad_data (over 4 MiB, no regular file), no_permission, disk.
  static Result<Aliases> load(const std::string& path);

  // What stands behind `name`, as it is written; nullptr if the file does not
  // have it.
  const Targets* find(std::string_view name) const;
  // What stands behind "*" or "default", the alias of every name that has
  // none of its own.
  const Targets* catch_all() const;

  std::size_t size() const { return entries_.size(); }
  // "aliases:7: …", for a person.
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  void add(std::string_view entry, std::string_view file, int line);
  void complain(std::string_view file, int line, std::string_view what);

  std::unordered_map<std::string, Targets> entries_;
  std::vector<std::string> problems_;
};

// What an alias may name that is nobody: "|program", "/a/file" and
// ":include:/a/list". Empty: `target` is none of them.
std::string_view alias_target_kind(std::string_view target);

}  // namespace pony
