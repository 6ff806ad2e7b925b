#include "core/template/template_writer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "core/fs.h"
#include "core/json.h"
#include "core/lower_case.h"
#include "core/message.h"
#include "core/template/template_staging.h"
#include "core/template/template_store.h"
#include "core/template/wording.h"

namespace pony {
namespace {

// As TemplateFolder: what is larger would never be read.
constexpr std::size_t k_max_file_bytes = std::size_t{1024} * 1024;

// --- reading back --------------------------------------------------------

// `text` with every `from` as `to`: paths as they will be.
void replace_all(std::string& text, const std::string& from,
                 const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

// The problems of one language, or with no language of the template itself.
struct Finding {
  std::string lang;
  Problem problem;

  bool operator==(const Finding& other) const {
    return lang == other.lang && problem.place == other.problem.place &&
           problem.what == other.problem.what;
  }
};

// What reading the template `id` below `root` as the runner will meets, in
// all its languages; paths are told as if they were below `shown_root`.
std::vector<Finding> findings_in(const std::string& root,
                                 const std::string& shown_root,
                                 const std::string& id,
                                 const std::string& default_lang) {
  std::vector<Finding> findings;
  const auto add = [&](const std::string& lang, Problem problem) {
    replace_all(problem.place, root, shown_root);
    replace_all(problem.what, root, shown_root);
    findings.push_back({lang, std::move(problem)});
  };
  const auto add_all = [&](const std::string& lang, const Error& error) {
    if (error.problems.empty()) add(lang, {{}, error.what, error.hint});
    for (const auto& problem : error.problems) add(lang, problem);
  };
  TemplateStore store(root, default_lang);
  const auto found = store.find(id);
  if (!found) {
    add_all({}, found.error());
    return findings;
  }
  if ((*found)->languages.empty())
    add({}, {{},
             "it has no language",
             "a folder such as '" + default_lang +
                 "' with subject.txt and body.txt or body.html"});
  for (const auto& lang : (*found)->languages)
    if (const auto text = store.text(**found, lang); !text)
      add_all(lang, text.error());
  return findings;
}

Result<> refused_for(const std::string& id,
                     const std::vector<Finding>& findings) {
  if (findings.empty()) return {};
  std::vector<Problem> problems;
  for (const auto& finding : findings) problems.push_back(finding.problem);
  return fail(Error::Kind::bad_data,
              "template " + quoted(id) + " could not be used",
              std::move(problems));
}

// Is what has been put together a template, all of it?
Result<> read_back(const TemplateStaging& staging, const std::string& root,
                   const std::string& id, const std::string& default_lang) {
  if (auto copied = staging.copy_partials(); !copied) return copied;
  return refused_for(id, findings_in(staging.path(), root, id, default_lang));
}

// The same for a change to the languages `touched` ("": the settings) of a
// template that is there: what was wrong elsewhere before does not stand in
// the way of mending it file by file.
Result<> read_back_change(const TemplateStaging& staging,
                          const std::string& root, const std::string& id,
                          const std::string& default_lang,
                          const std::vector<std::string>& touched) {
  if (auto copied = staging.copy_partials(); !copied) return copied;
  auto findings = findings_in(staging.path(), root, id, default_lang);
  const auto before = findings_in(root, root, id, default_lang);
  std::erase_if(findings, [&](const Finding& finding) {
    return std::find(touched.begin(), touched.end(), finding.lang) ==
               touched.end() &&
           std::find(before.begin(), before.end(), finding) != before.end();
  });
  return refused_for(id, findings);
}

// What can be said before anything is written: names that could lead
// elsewhere, files that would not be read.
Result<> check_language(const std::string& lang, const LanguageFiles& files,
                        std::vector<Problem>& problems) {
  if (auto fits = check_new_language(lang); !fits) return fits;
  for (const auto& [name, text] : files) {
    const bool known = name == k_translation_file || is_text_file(name);
    const std::string place = lang + "/" + printable(name, 100);
    if (!known) problems.push_back({place, "is no file of a template", {}});
    if (text.size() > k_max_file_bytes)
      problems.push_back(
          {place, "is larger than a template may be (1 MiB)", {}});
    if (!is_utf8(text)) problems.push_back({place, "is not UTF-8", {}});
  }
  return {};
}

bool is_same_tag(std::string_view a, std::string_view b) {
  return in_lower_case(a) == in_lower_case(b);
}

Result<> check_files(const std::string& id, const TemplateFiles& files) {
  if (auto fits = check_new_id(id); !fits) return fits;
  std::vector<Problem> problems;
  if (files.settings.size() > k_max_file_bytes)
    problems.push_back({std::string(k_settings_file),
                        "is larger than a template may be (1 MiB)",
                        {}});
  std::vector<std::string_view> seen;
  for (const auto& [lang, texts] : files.languages) {
    if (auto fits = check_language(lang, texts, problems); !fits) return fits;
    for (const auto other : seen)
      if (is_same_tag(lang, other))
        problems.push_back(
            {lang, "is the language " + quoted(other) + " again", {}});
    seen.push_back(lang);
  }
  if (problems.empty()) return {};
  return fail(Error::Kind::bad_data,
              "template " + quoted(id) + " could not be used",
              std::move(problems));
}

// --- putting in place ----------------------------------------------------

// A rename that replaces nothing; where the file system does not know how, a
// folder still never replaces one that has something in it.
int rename_new(int from, const char* name, int to, const char* new_name) {
  if (::renameat2(from, name, to, new_name, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
  return ::renameat(from, name, to, new_name);
}

bool is_taken(int error_number) {
  return error_number == EEXIST || error_number == ENOTEMPTY;
}

Result<Fd> open_template(int root, const std::string& id) {
  auto folder = open_folder(root, id);
  if (folder) return folder;
  if (folder.error().kind == Error::Kind::not_found)
    return fail(Error::Kind::not_found, "no template " + quoted(id));
  return folder;
}

Result<TemplateFiles> read_now(const std::string& root, const std::string& id) {
  TemplateFolder folder(root);
  auto files = read_template_files(folder, id);
  if (!files && files.error().kind == Error::Kind::not_found)
    return fail(Error::Kind::not_found, "no template " + quoted(id));
  return files;
}

// The text of `path` ("en/body.html") in `files`; nullopt when it is not
// there.
std::optional<std::string> text_at(const TemplateFiles& files,
                                   const std::string& path) {
  if (path == k_settings_file)
    return files.settings.empty() ? std::nullopt
                                  : std::optional(files.settings);
  const auto slash = path.find('/');
  const auto lang = files.languages.find(path.substr(0, slash));
  if (lang == files.languages.end()) return std::nullopt;
  const auto text = lang->second.find(path.substr(slash + 1));
  if (text == lang->second.end()) return std::nullopt;
  return text->second;
}

void set_text(TemplateFiles& files, const std::string& path,
              const std::string& text) {
  if (path == k_settings_file) {
    files.settings = text;
    return;
  }
  const auto slash = path.find('/');
  files.languages[path.substr(0, slash)][path.substr(slash + 1)] = text;
}

// The languages that `changes` touch; "" is template.yaml's.
std::vector<std::string> languages_of(const std::vector<FileChange>& changes) {
  std::vector<std::string> languages;
  for (const auto& one : changes)
    languages.push_back(one.path == k_settings_file
                            ? std::string()
                            : one.path.substr(0, one.path.find('/')));
  return languages;
}

// Moves the changed file from the template put together, `from`, to the one in
// place, `to`.
Result<> put_file(int from, int to, const FileChange& change) {
  const auto slash = change.path.find('/');
  const bool is_inside = slash != std::string::npos;
  const std::string folder = is_inside ? change.path.substr(0, slash) : ".";
  const std::string name =
      is_inside ? change.path.substr(slash + 1) : change.path;
  const auto into = open_folder(to, folder);
  if (!into) return tl::unexpected(into.error());
  // An empty template.yaml is none.
  const bool is_gone = !is_inside && change.after.empty();
  const int done = is_gone ? ::unlinkat(into->get(), name.c_str(), 0)
                           : ::renameat(from, change.path.c_str(), into->get(),
                                        name.c_str());
  if (done != 0 && !(is_gone && errno == ENOENT))
    return fail_errno(errno, "cannot replace " + quoted_path(change.path));
  return sync_all(into->get(), folder);
}

bool is_known(const std::string& name) {
  return name == k_settings_file || name == k_translation_file ||
         is_text_file(name);
}

bool is_language_folder(int at, const std::string& name) {
  struct stat info {};
  return is_language(name) &&
         ::fstatat(at, name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISDIR(info.st_mode);
}

// Moves what pony does not know from one folder to another; what is there
// already stays.
void keep_unknown(int from, int to) {
  std::vector<std::string> names;
  (void)for_each_name(from, [&](const char* name) {
    names.emplace_back(name);
    return true;
  });
  for (const auto& name : names)
    if (!is_known(name) && !is_language_folder(from, name))
      (void)rename_new(from, name.c_str(), to, name.c_str());
}

}  // namespace

TemplateWriter::TemplateWriter(std::string root, std::string default_lang)
    : root_(std::move(root)), default_lang_(std::move(default_lang)) {}

Result<> TemplateWriter::check(const std::string& id,
                               const TemplateFiles& files) {
  if (auto fits = check_files(id, files); !fits) return fits;
  const bool has_root = ::access(root_.c_str(), F_OK) == 0;
  const auto checked = [&]() -> Result<> {
    auto staging = TemplateStaging::open(root_);
    if (!staging) return tl::unexpected(staging.error());
    if (auto done = staging->write(id, files); !done) return done;
    return read_back(*staging, root_, id, default_lang_);
  }();
  if (!has_root) (void)::rmdir(root_.c_str());
  return checked;
}

Result<> TemplateWriter::add(const std::string& id,
                             const TemplateFiles& files) {
  if (auto fits = check_files(id, files); !fits) return fits;
  auto staging = TemplateStaging::open(root_);
  if (!staging) return tl::unexpected(staging.error());
  const auto exists = [&] {
    return fail(Error::Kind::cannot_create,
                "there is a template " + quoted(id) + " already",
                "change it with: pony template edit " + id);
  };
  struct stat info {};
  if (::fstatat(staging->root(), id.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0)
    return exists();
  if (auto done = staging->write(id, files); !done) return done;
  if (auto fits = read_back(*staging, root_, id, default_lang_); !fits)
    return fits;
  if (rename_new(staging->folder(), id.c_str(), staging->root(), id.c_str()) !=
      0)
    return is_taken(errno)
               ? Result<>(exists())
               : Result<>(fail_errno(errno, "cannot add " + quoted(id)));
  return sync_all(staging->root(), root_);
}

Result<> TemplateWriter::replace(const std::string& id,
                                 const TemplateFiles& files) {
  if (auto fits = check_files(id, files); !fits) return fits;
  auto staging = TemplateStaging::open(root_);
  if (!staging) return tl::unexpected(staging.error());
  auto old = open_template(staging->root(), id);
  if (!old) return tl::unexpected(old.error());
  if (auto done = staging->write(id, files); !done) return done;
  if (auto fits = read_back(*staging, root_, id, default_lang_); !fits)
    return fits;
  auto made = open_folder(staging->folder(), id);
  if (!made) return tl::unexpected(made.error());
  if (::renameat2(staging->folder(), id.c_str(), staging->root(), id.c_str(),
                  RENAME_EXCHANGE) != 0)
    return fail_errno(errno, "cannot replace " + quoted(id));
  keep_unknown(old->get(), made->get());
  for (const auto& [lang, texts] : files.languages) {
    const auto from = open_folder(old->get(), lang);
    const auto to = open_folder(made->get(), lang);
    if (from && to) keep_unknown(from->get(), to->get());
  }
  return sync_all(staging->root(), root_);
}

Result<> TemplateWriter::add_language(const std::string& id,
                                      const std::string& lang,
                                      const LanguageFiles& files) {
  if (auto fits = check_new_id(id); !fits) return fits;
  auto staging = TemplateStaging::open(root_);
  if (!staging) return tl::unexpected(staging.error());
  auto now = read_now(root_, id);
  if (!now) return tl::unexpected(now.error());
  const auto exists = [&](std::string_view tag) {
    return fail(Error::Kind::cannot_create,
                "template " + quoted(id) + " has the language " + quoted(tag) +
                    " already",
                "change it with: pony template edit " + id + " --lang " +
                    std::string(tag));
  };
  for (const auto& [known, texts] : now->languages)
    if (is_same_tag(known, lang)) return exists(known);
  now->languages[lang] = files;
  if (auto fits = check_files(id, *now); !fits) return fits;
  if (auto done = staging->write(id, *now); !done) return done;
  if (auto fits = read_back_change(*staging, root_, id, default_lang_, {lang});
      !fits)
    return fits;

  const auto from = open_folder(staging->folder(), id);
  if (!from) return tl::unexpected(from.error());
  const auto to = open_template(staging->root(), id);
  if (!to) return tl::unexpected(to.error());
  if (rename_new(from->get(), lang.c_str(), to->get(), lang.c_str()) != 0)
    return is_taken(errno)
               ? Result<>(exists(lang))
               : Result<>(fail_errno(errno, "cannot add " + quoted(lang)));
  return sync_all(to->get(), id);
}

Result<> TemplateWriter::change(const std::string& id,
                                const std::vector<FileChange>& changes) {
  if (auto fits = check_new_id(id); !fits) return fits;
  auto staging = TemplateStaging::open(root_);
  if (!staging) return tl::unexpected(staging.error());
  auto now = read_now(root_, id);
  if (!now) return tl::unexpected(now.error());
  for (const auto& one : changes)
    if (text_at(*now, one.path) != one.before)
      return fail(Error::Kind::busy,
                  quoted_path(root_ + "/" + id + "/" + one.path) +
                      " was changed by somebody else meanwhile",
                  "look at it, and edit again");
  for (const auto& one : changes) set_text(*now, one.path, one.after);
  if (auto fits = check_files(id, *now); !fits) return fits;
  if (auto done = staging->write(id, *now); !done) return done;
  if (auto fits = read_back_change(*staging, root_, id, default_lang_,
                                   languages_of(changes));
      !fits)
    return fits;

  const auto from = open_folder(staging->folder(), id);
  if (!from) return tl::unexpected(from.error());
  const auto to = open_template(staging->root(), id);
  if (!to) return tl::unexpected(to.error());
  for (const auto& one : changes)
    if (auto done = put_file(from->get(), to->get(), one); !done) return done;
  return {};
}

Result<> TemplateWriter::remove(const std::string& id) {
  if (auto fits = check_new_id(id); !fits) return fits;
  auto staging = TemplateStaging::open(root_);
  if (!staging) return tl::unexpected(staging.error());
  if (auto folder = open_template(staging->root(), id); !folder)
    return tl::unexpected(folder.error());
  // Gone in one step; what is deleted then nobody reads.
  if (::renameat(staging->root(), id.c_str(), staging->folder(), id.c_str()) !=
      0)
    return fail_errno(errno, "cannot remove " + quoted(id));
  return sync_all(staging->root(), root_);
}

Result<> TemplateWriter::remove_language(const std::string& id,
                                         const std::string& lang) {
  if (auto fits = check_new_id(id); !fits) return fits;
  if (auto fits = check_new_language(lang); !fits) return fits;
  auto staging = TemplateStaging::open(root_);
  if (!staging) return tl::unexpected(staging.error());
  const auto folder = open_template(staging->root(), id);
  if (!folder) return tl::unexpected(folder.error());
  if (::renameat(folder->get(), lang.c_str(), staging->folder(),
                 lang.c_str()) != 0)
    return errno == ENOENT
               ? Result<>(fail(Error::Kind::not_found,
                               "template " + quoted(id) + " has no language " +
                                   quoted(lang)))
               : Result<>(fail_errno(errno, "cannot remove " + quoted(lang)));
  return sync_all(folder->get(), id);
}

}  // namespace pony
