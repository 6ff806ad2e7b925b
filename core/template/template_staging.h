// A place beside the templates where the next state of one is put together,
// and the lock that lets one writer at a time do so.
//
// Promises: it lies below the templates' root, so that a rename puts what is
// in it in place; no reader looks there, for its name has a leading dot; it is
// gone with the object, and one that a crash left goes with the next. What is
// written is synced and has the root's group and permissions, whatever the
// umask. Doesn't know: whether it makes sense.
#pragma once

#include <sys/types.h>

#include <string>

#include "core/fs.h"
#include "core/result.h"
#include "core/template/template_files.h"

namespace pony {

class TemplateStaging {
 public:
  // Makes `root` if it is missing, waits for the lock, makes the folder.
  // no_permission: also when anyone can write `root`. cannot_create, disk.
  static Result<TemplateStaging> open(const std::string& root);
  TemplateStaging(TemplateStaging&&) = default;
  TemplateStaging(const TemplateStaging&) = delete;
  TemplateStaging& operator=(const TemplateStaging&) = delete;
  ~TemplateStaging();

  // Writes a whole template. Names must have been checked.
  Result<> write(const std::string& id, const TemplateFiles& files) const;
  // Copies what a template may include (_partials), so that it can be read
  // where it is put together.
  Result<> copy_partials() const;

  int root() const { return root_fd_.get(); }      // the templates'
  int folder() const { return folder_fd_.get(); }  // our own
  std::string path() const { return root_path_ + "/" + name_; }

 private:
  TemplateStaging() = default;
  Result<> make_folder();

  std::string root_path_;
  std::string name_;
  Fd root_fd_;  // holds the lock
  Fd folder_fd_;
  // Of what is written: the root's, without what is none of theirs.
  mode_t folder_mode_ = 0755;
  mode_t file_mode_ = 0644;
};

}  // namespace pony
