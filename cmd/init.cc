// pony init: a starter configuration, the spool, the sample templates.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/filesystem.hpp>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "cmd/commands.h"
#include "cmd/sample_templates.h"
#include "core/fs.h"

namespace pony {
namespace {

namespace bfs = boost::filesystem;

// False when there is a file of this name already.
Result<bool> write_new_file(const std::string& path, std::string_view content,
                            mode_t mode) {
  const Fd fd(::open(path.c_str(),
                     O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC,
                     mode));
  if (!fd && errno == EEXIST) return false;
  if (!fd) return fail_errno(errno, "cannot make '" + path + "'");
  if (auto ok = write_all(fd.get(), content, path); !ok)
    return tl::unexpected(ok.error());
  if (auto ok = sync_all(fd.get(), path); !ok)
    return tl::unexpected(ok.error());
  return true;
}

Result<> make_folder(const std::string& path) {
  boost::system::error_code error;
  bfs::create_directories(path, error);
  if (error)
    return fail(Error::Kind::cannot_create,
                "cannot make folder '" + path + "': " + error.message());
  return {};
}

std::string starter(const std::string& spool, const std::string& templates) {
  return "# pony.yaml: what pony does with mail. See pony.yaml(5).\n"
         "# Check it with: pony config check\n"
         "\n"
         "spool: " +
         spool +
         "\n"
         "templates: " +
         templates +
         "\n"
         "\n"
         "# The sender, where neither message nor template names one.\n"
         "default_from: Widget Team <team@widgets.example>\n"
         "default_lang: en\n"
         "\n"
         "# Where mail leaves. A pool tries its providers in order; without\n"
         "# 'pools' all of them are the pool 'default', in this order.\n"
         "providers:\n"
         "  # Delivers into a Maildir, to try things out.\n"
         "  outbox: {type: maildir, path: " +
         spool +
         "/outbox}\n"
         "\n"
         "  # relay:\n"
         "  #   type: smtp\n"
         "  #   host: mail.widgets.example\n"
         "  #   port: 587\n"
         "  #   tls: required          # or: implicit, off\n"
         "  #   username: widgets\n"
         "  #   password_file: relay.key\n"
         "  # local: {type: sendmail}  # the MTA of this machine\n"
         "\n"
         "# pools:\n"
         "#   default: {strategy: priority, providers: [relay, local]}\n"
         "\n"
         "# retry: {first: 1m, factor: 2, max: 4h, jitter: 20%, "
         "give_up_after: 5d}\n"
         "# on_unknown: retry         # or: hold, fail\n"
         "# retention: {sent: 30d, failed: 90d, log: 400d}\n";
}

struct InitOptions {
  std::string folder;
};

// Where a later command without --config looks (config_path).
std::string default_folder() {
  if (::geteuid() == 0) return "/etc/pony";
  if (const char* config = std::getenv("XDG_CONFIG_HOME");
      config != nullptr && config[0] == '/')
    return std::string(config) + "/pony";
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "" : home) + "/.config/pony";
}

Result<int> run_init(const InitOptions& options, Context& context) {
  const bool elsewhere = !options.folder.empty();
  boost::system::error_code error;
  const std::string folder =
      elsewhere ? bfs::absolute(options.folder).lexically_normal().string()
                : default_folder();
  ::umask(0022);
  if (auto made = make_folder(folder); !made)
    return tl::unexpected(made.error());

  const std::string file = folder + "/pony.yaml";
  const std::string templates = folder + "/templates";
  std::string spool = context.options.spool;
  if (spool.empty() && elsewhere) spool = folder + "/spool";
  if (spool.empty()) {
    auto built_in = load_config("");
    if (!built_in) return tl::unexpected(built_in.error());
    spool = built_in->spool;
  }
  // Programs that may enqueue read it too; secrets go into files of their own.
  auto written = write_new_file(file, starter(spool, templates), 0644);
  if (!written) return tl::unexpected(written.error());
  context.say(*written ? "wrote " + file : file + " is there already, kept");
  auto unpacked = unpack_sample_templates(templates);
  if (!unpacked) return tl::unexpected(unpacked.error());
  context.say(*unpacked > 0 ? "wrote the sample templates to " + templates
                            : templates + " is there already, kept");

  // From here on as any command: the file that is there decides.
  context.options.config = file;
  auto opened = context.spool();
  if (!opened) return tl::unexpected(opened.error());
  context.say("the spool is " + (*opened)->folders().path());
  if (elsewhere)
    context.say("use it with: pony --config " + file +
                " …, or: export PONY_CONFIG=" + file);
  return 0;
}

}  // namespace

Result<int> unpack_sample_templates(const std::string& folder) {
  int count = 0;
  for (const auto& sample : sample_templates()) {
    const std::string path = folder + "/" + std::string(sample.name);
    if (auto made = make_folder(path.substr(0, path.rfind('/'))); !made)
      return tl::unexpected(made.error());
    auto written = write_new_file(path, sample.content, 0644);
    if (!written) return tl::unexpected(written.error());
    if (*written) ++count;
  }
  return count;
}

Action add_init(CLI::App& app, Context& context) {
  auto options = std::make_shared<InitOptions>();
  app.add_option("DIR", options->folder,
                 "Put all of it there (default: where pony looks for its "
                 "configuration)")
      ->type_name("");
  app.footer(
      "Writes pony.yaml with comments, the spool and the sample templates. "
      "What is there\nalready stays as it is.\n\n"
      "Examples\n"
      "  pony init\n"
      "  pony init /srv/mail && export PONY_CONFIG=/srv/mail/pony.yaml\n\n"
      "Exit codes\n"
      "  0 done · 73 cannot create · 77 no permission · 78 configuration");
  return [options, &context] { return run_init(*options, context); };
}

}  // namespace pony
