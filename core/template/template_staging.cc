#include "core/template/template_staging.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/filesystem.hpp>
#include <cerrno>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/template/wording.h"

namespace pony {
namespace {

namespace bfs = boost::filesystem;

constexpr std::string_view k_staging_prefix = ".pony-";
constexpr std::string_view k_partials = "_partials";
// Of a root that pony makes; copy is no secret.
constexpr mode_t k_root_mode = 0755;

struct Modes {
  mode_t folder;
  mode_t file;
};

void remove_tree(const std::string& path) {
  boost::system::error_code ignored;
  bfs::remove_all(path, ignored);  // follows no symbolic link
}

Result<Fd> open_root(const std::string& root) {
  const std::string doing = "cannot open template folder " + quoted_path(root);
  // The root itself may be a symbolic link (template_folder.h).
  constexpr int k_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
  Fd fd(::open(root.c_str(), k_flags));
  if (!fd && errno == ENOENT) {
    if (::mkdir(root.c_str(), k_root_mode) != 0 && errno != EEXIST) {
      auto error =
          fail_errno(errno, "cannot make template folder " + quoted_path(root));
      error.value().kind = Error::Kind::cannot_create;
      return error;
    }
    ::chmod(root.c_str(), k_root_mode);
    fd = Fd(::open(root.c_str(), k_flags));
  }
  if (!fd) return fail_errno(errno, doing);
  return fd;
}

// A name that make_folder() gives; what people call ".pony-notes" is theirs.
bool is_staging_name(std::string_view name) {
  if (!name.starts_with(k_staging_prefix)) return false;
  name.remove_prefix(k_staging_prefix.size());
  return name.size() == 16 &&
         name.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

void remove_leftovers(int root_fd, const std::string& root) {
  std::vector<std::string> names;
  (void)for_each_name(root_fd, [&](const char* name) {
    if (is_staging_name(name)) names.emplace_back(name);
    return true;
  });
  for (const auto& name : names) remove_tree(root + "/" + name);
}

Result<Fd> make_folder_in(int at, const std::string& name, mode_t mode) {
  if (::mkdirat(at, name.c_str(), 0700) != 0 && errno != EEXIST)
    return fail_errno(errno, "cannot make folder " + quoted_path(name));
  auto fd = open_folder(at, name);
  if (fd && ::fchmod(fd->get(), mode) != 0)
    return fail_errno(errno, "cannot set the mode of " + quoted_path(name));
  return fd;
}

Result<> write_file(int at, const std::string& name, std::string_view text,
                    mode_t mode) {
  Fd fd(::openat(at, name.c_str(),
                 O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return fail_errno(errno, "cannot make " + quoted_path(name));
  if (::fchmod(fd.get(), mode) != 0)
    return fail_errno(errno, "cannot set the mode of " + quoted_path(name));
  if (auto done = write_all(fd.get(), text, name); !done) return done;
  if (auto done = sync_all(fd.get(), name); !done) return done;
  return fd.close(name);
}

Result<> write_language(int at, const std::string& lang,
                        const LanguageFiles& files, const Modes& modes) {
  auto folder = make_folder_in(at, lang, modes.folder);
  if (!folder) return tl::unexpected(folder.error());
  for (const auto& [name, text] : files)
    if (auto done = write_file(folder->get(), name, text, modes.file); !done)
      return done;
  return sync_all(folder->get(), lang);
}

}  // namespace

TemplateStaging::~TemplateStaging() {
  // Only what was made: without a name the path would be the root's.
  if (folder_fd_) remove_tree(path());
}

Result<TemplateStaging> TemplateStaging::open(const std::string& root) {
  auto fd = open_root(root);
  if (!fd) return tl::unexpected(fd.error());
  struct stat info {};
  if (::fstat(fd->get(), &info) != 0)
    return fail_errno(errno, "cannot look at " + quoted_path(root));
  // As the reader says it, before anything is written.
  if ((info.st_mode & S_IWOTH) != 0)
    return fail(
        Error::Kind::no_permission,
        "template folder " + quoted_path(root) + " can be written by anyone",
        "chmod o-w '" + root + "'");
  if (auto locked = lock_whole(fd->get(), quoted_path(root)); !locked)
    return tl::unexpected(locked.error());

  TemplateStaging made;
  made.root_path_ = root;
  made.folder_mode_ = (info.st_mode & 02775) | 0700;
  made.file_mode_ = (info.st_mode & 0664) | 0600;
  // Nobody else holds the lock, so nobody needs them.
  remove_leftovers(fd->get(), root);
  made.root_fd_ = std::move(*fd);
  if (auto done = made.make_folder(); !done)
    return tl::unexpected(done.error());
  return made;
}

Result<> TemplateStaging::make_folder() {
  std::uint64_t number = 0;
  if (::getrandom(&number, sizeof number, 0) != sizeof number)
    return fail_errno(errno, "cannot get random bytes");
  name_ = fmt::format("{}{:016x}", k_staging_prefix, number);
  if (::mkdirat(root(), name_.c_str(), 0700) != 0)
    return fail_errno(errno, "cannot write to " + quoted_path(root_path_));
  auto fd = open_folder(root(), name_);
  if (!fd) return tl::unexpected(fd.error());
  folder_fd_ = std::move(*fd);
  return {};
}

Result<> TemplateStaging::write(const std::string& id,
                                const TemplateFiles& files) const {
  const Modes modes{folder_mode_, file_mode_};
  auto folder = make_folder_in(folder_fd_.get(), id, modes.folder);
  if (!folder) return tl::unexpected(folder.error());
  if (!files.settings.empty()) {
    auto done = write_file(folder->get(), std::string(k_settings_file),
                           files.settings, modes.file);
    if (!done) return done;
  }
  for (const auto& [lang, texts] : files.languages) {
    auto done = write_language(folder->get(), lang, texts, modes);
    if (!done) return done;
  }
  return sync_all(folder->get(), id);
}

Result<> TemplateStaging::copy_partials() const {
  const std::string partials(k_partials);
  struct stat info {};
  if (::fstatat(root(), partials.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
      !S_ISDIR(info.st_mode))
    return {};
  boost::system::error_code error;
  const bfs::path to = bfs::path(path()) / partials;
  bfs::copy(bfs::path(root_path_) / partials, to,
            bfs::copy_options::recursive | bfs::copy_options::skip_symlinks,
            error);
  if (error)
    return fail(Error::Kind::disk,
                "cannot copy " + quoted_path(root_path_ + "/" + partials) +
                    ": " + error.message());
  return {};
}

}  // namespace pony
