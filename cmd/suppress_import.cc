// pony suppress import: a list of addresses from a file, as a provider exports
// it or as `pony suppress list --json` prints it. Good lines are taken, bad
// ones named.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "cmd/commands.h"
#include "cmd/suppress_input.h"
#include "cmd/suppress_options.h"
#include "core/address.h"
#include "core/fs.h"
#include "core/json.h"

namespace pony {
namespace {

constexpr std::size_t k_read_size = std::size_t{256} << 10;
// Added together: one write and one sync.
constexpr std::size_t k_batch = 10'000;

struct ImportOptions {
  std::string file = "-";
  SuppressedFor reason = SuppressedFor::manual;
  bool dry_run = false;
};

class Importer {
 public:
  Importer(const ImportOptions& options, Context& context, Spool& spool)
      : options_(options),
        context_(context),
        list_(spool.folders()),
        input_(options.reason, context.clock().now()) {}

  Result<> read(int fd);
  void tell() const;
  bool all_good() const { return bad_ == 0; }

 private:
  Result<> take_records();
  Result<> add_batch();
  Result<std::size_t> would_be_added();

  const ImportOptions& options_;
  Context& context_;
  Suppressions list_;
  SuppressionInput input_;
  std::vector<Suppression> batch_;
  std::unordered_set<std::string> seen_;  // --dry-run only
  std::size_t added_ = 0, known_ = 0, bad_ = 0;
};

Result<> Importer::read(int fd) {
  std::string buffer(k_read_size, '\0');
  for (;;) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(errno, "cannot read '" + options_.file + "'");
    if (n == 0) break;
    input_.feed(
        std::string_view(buffer).substr(0, static_cast<std::size_t>(n)));
    if (auto ok = take_records(); !ok) return ok;
  }
  input_.finish();
  if (auto ok = take_records(); !ok) return ok;
  return add_batch();
}

Result<> Importer::take_records() {
  while (auto record = input_.next()) {
    if (!record->entry) {
      ++bad_;
      context_.warn("line " + std::to_string(record->line) + ": " +
                    record->entry.error().what);
      continue;
    }
    batch_.push_back(std::move(*record->entry));
    if (batch_.size() < k_batch) continue;
    if (auto ok = add_batch(); !ok) return ok;
  }
  return {};
}

Result<> Importer::add_batch() {
  if (batch_.empty()) return {};
  auto added = options_.dry_run ? would_be_added() : list_.add(batch_);
  if (!added) return tl::unexpected(added.error());
  added_ += *added;
  known_ += batch_.size() - *added;
  batch_.clear();
  return {};
}

Result<std::size_t> Importer::would_be_added() {
  if (auto ok = list_.refresh(); !ok) return tl::unexpected(ok.error());
  std::size_t count = 0;
  for (const auto& entry : batch_) {
    auto known = list_.find(entry.address);
    if (!known) return tl::unexpected(known.error());
    if (!*known && seen_.insert(comparable_email(entry.address)).second)
      ++count;
  }
  return count;
}

void Importer::tell() const {
  if (context_.options.json) {
    std::string line;
    JsonWriter(line)
        .field("added", static_cast<std::int64_t>(added_))
        .field("known", static_cast<std::int64_t>(known_))
        .field("bad", static_cast<std::int64_t>(bad_))
        .end();
    context_.io().out(line + "\n");
    return;
  }
  std::string text = (options_.dry_run ? "would add " : "added ") +
                     std::to_string(added_) + ", " + std::to_string(known_) +
                     " were there already";
  if (bad_ > 0) text += ", " + std::to_string(bad_) + " could not be read";
  context_.say(text);
}

Result<int> run_suppress_import(const ImportOptions& options,
                                Context& context) {
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  Fd file;
  if (options.file != "-") {
    file = Fd(::open(options.file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file)
      return fail_errno(errno,
                        "cannot read '" + printable(options.file, 100) + "'");
  } else if (context.io().in_is_terminal()) {
    context.say("reading addresses from the terminal; end with Ctrl-D");
  }
  Importer importer(options, context, **spool);
  auto read = importer.read(file ? file.get() : context.io().in());
  importer.tell();
  if (!read) return tl::unexpected(read.error());
  return importer.all_good() ? 0 : exit_code(Error::Kind::bad_data);
}

}  // namespace

Action add_suppress_import(CLI::App& app, Context& context) {
  auto options = std::make_shared<ImportOptions>();
  app.add_option("FILE", options->file, "A file, or - for stdin (default)")
      ->type_name("");
  add_suppression_reason(app, options->reason,
                         "For lines that do not say why; default manual");
  app.add_flag("--dry-run,-n", options->dry_run,
               "Say what would happen; change nothing");
  app.footer(
      "Takes an address a line; CSV with a header, of which the columns for "
      "address,\nreason and date are known by their names (as SendGrid, "
      "Mailgun and Postmark export\nthem); and what 'pony suppress list "
      "--json' prints. Bad lines are named with their\nnumbers, the others "
      "are taken.\n\n"
      "Examples\n"
      "  pony suppress import bounces.csv --reason bounced\n"
      "  ssh old-host pony suppress list --json | pony suppress import\n\n"
      "Exit codes\n"
      "  0 all were taken · 64 usage · 65 some lines are bad, the others were "
      "taken ·\n  66 no such file · 74 the disk failed · 77 no permission · "
      "78 the configuration is\n  wrong");
  return [options, &context] { return run_suppress_import(*options, context); };
}

}  // namespace pony
