// The files below the templates' root, read so that nothing else can be.
//
// Promises: no path leaves the root, no symbolic link below it is followed
// (openat2 with RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS; on kernels before
// 5.6 component by component with O_NOFOLLOW), only regular files are read, at
// most 1 MiB each, and only if they are UTF-8. Doesn't know what they mean.
// The root itself may be a symbolic link: it is the administrator's word.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/fs.h"
#include "core/result.h"

namespace pony {

class TemplateFolder {
 public:
  // `root` need not exist.
  explicit TemplateFolder(std::string root);

  // The text of the file at `path` ("welcome/en/subject.txt") without a byte
  // order mark; nullopt when there is none. config: a link, no regular file,
  // too large or not UTF-8. no_permission: also when anyone can write the root.
  Result<std::optional<std::string>> read(const std::string& path);
  // The names of the folders at `path` ("." is the root), sorted; those with a
  // leading dot are left out. not_found when `path` is no folder.
  Result<std::vector<std::string>> folders(const std::string& path);
  // The same of what is no folder.
  Result<std::vector<std::string>> files(const std::string& path);
  // `path` as people find it: with the root.
  std::string full_path(const std::string& path) const;
  // Lets go of the root; the next call opens it anew.
  void close();

 private:
  // The root's descriptor.
  Result<int> open_root();
  Result<Fd> open(const std::string& path, int flags);
  enum class Entry { folder, file };
  Result<std::vector<std::string>> names(const std::string& path, Entry wanted);

  std::string root_;
  Fd root_fd_;
};

}  // namespace pony
