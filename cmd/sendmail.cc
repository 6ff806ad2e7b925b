// pony sendmail: takes a finished mail as cron, PHP, git … hand it over, and
// queues it. Silent and 0 when it is safe on disk.
//
// A mail is not lost for what a person can mend later: a flag that we do not
// know, a configuration that is broken, a recipient whom nobody stands for.
#include "cmd/sendmail.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cmd/cli.h"
#include "cmd/listing.h"
#include "cmd/local_submission.h"
#include "cmd/mailq.h"
#include "cmd/run.h"
#include "core/mime/submitted_mail.h"
#include "core/smtp_submission.h"
#include "spool/relocate.h"

namespace pony {
namespace {

constexpr std::size_t k_read_size = std::size_t{64} << 10;
constexpr int k_os_error = 71;
constexpr int k_software = 70;
constexpr const char* k_system_config = "/etc/pony/pony.yaml";

constexpr std::string_view k_help =
    "Usage: pony sendmail [FLAG...] [RECIPIENT...] <MAIL\n"
    "       sendmail, mailq, newaliases   (links to pony)\n\n"
    "Queues a finished mail from standard input; says nothing and exits with 0 "
    "when it\nis safe on disk.\n\n"
    "  -t             recipients from To, Cc and Bcc too\n"
    "  -i, -oi        a line that is a lone dot does not end the mail\n"
    "  -f, -r ADDRESS the envelope's sender; <> or '' is the null sender\n"
    "  -F NAME        the name of a From that has to be made\n"
    "  -bs            an SMTP dialogue on standard input and output\n"
    "  -bp            the queue (mailq)\n"
    "  -bv            show where mail to the recipients would go\n"
    "  -bi            check the alias file (newaliases)\n"
    "  -q[TIME]       run the queue once; -qIID, -qRRECIPIENT, -qSSENDER: a "
    "part of it\n"
    "  -N, -R, -V     delivery status notifications, for providers of type "
    "smtp\n"
    "  -v             say what is queued\n"
    "  --config FILE, --spool DIR, --help, --version\n\n"
    "Other flags of sendmail are accepted and ignored; pony-sendmail(1) lists "
    "them.\n\n"
    "Exit codes\n"
    "  0 safe on disk · 64 usage · 65 no recipient, or no mail that can be "
    "sent\n"
    "  71 out of memory · 73, 74 the spool cannot be made, the disk failed · "
    "77 "
    "no\n  permission · 78 broken configuration, and no spool either. Never "
    "75.\n";

// 75 would be taken for success by those who know it as "queued".
int code_of(const Error& error) {
  if (error.kind == Error::Kind::temporary || error.kind == Error::Kind::busy)
    return exit_code(Error::Kind::disk);
  return exit_code(error.kind);
}

std::optional<Dsn> dsn_from(std::vector<std::string> notify,
                            std::string dsn_return, std::string envelope_id) {
  Dsn dsn{std::move(notify), std::move(dsn_return), std::move(envelope_id)};
  if (dsn == Dsn{}) return std::nullopt;
  return dsn;
}

class SendmailProgram {
 public:
  SendmailProgram(SendmailFlags flags, Context& context)
      : flags_(std::move(flags)), context_(context) {}

  Result<int> run();
  // What is wrong with the configuration, if it was read and anything is.
  const std::optional<Error>& problem() const { return problem_; }

 private:
  const Config& config();
  LocalSubmission submission();
  Result<> check_spool_is_known();
  Result<int> submit();
  Result<std::string> read_mail();
  Result<int> dialogue();
  DialogueReply take(LocalSubmission& submission, DialogueMail mail);
  Result<int> show_routes();
  Result<int> check_aliases();
  Result<int> run_queue();
  Result<std::set<std::string>> selected_ids();

  SendmailFlags flags_;
  Context& context_;
  std::optional<Error> problem_;
};

Result<int> SendmailProgram::run() {
  switch (flags_.task) {
    case SendmailTask::submit:
      return submit();
    case SendmailTask::smtp_dialogue:
      return dialogue();
    case SendmailTask::list_queue:
      (void)config();
      return print_mailq(context_);
    case SendmailTask::run_queue:
      return run_queue();
    case SendmailTask::check_aliases:
      return check_aliases();
    case SendmailTask::show_routes:
      return show_routes();
    case SendmailTask::help:
      context_.io().out(k_help);
      return 0;
    case SendmailTask::version:
      context_.io().out("pony sendmail " PONY_VERSION "\n");
      return 0;
  }
  return 0;
}

// As much of it as can be read; what is wrong is told once.
const Config& SendmailProgram::config() {
  const bool was_told = problem_.has_value();
  const Config& readable = context_.readable_config(problem_);
  if (problem_ && !was_told) context_.tell(*problem_);
  return readable;
}

LocalSubmission SendmailProgram::submission() {
  const Config& readable = config();
  return {context_, readable, problem_, flags_.full_name};
}

// Without the file it is not known where mail waits. Root's built-in spool is
// the system's; that in a user's home nobody runs, and 0 would be a lie.
Result<> SendmailProgram::check_spool_is_known() {
  (void)config();
  const bool was_read = !problem_ || problem_->kind == Error::Kind::config;
  if (was_read || !context_.options.spool.empty() || ::geteuid() == 0)
    return {};
  return fail(Error::Kind::config,
              "without the configuration nobody knows where mail waits: "
              "nothing is accepted",
              "let all who send read the file, and keep its secrets in files "
              "of their own (api_key_file, password_file); or name --spool");
}

// --- A mail on standard input

// As read(2), on standard input; where a caller left that non-blocking, it is
// waited for.
ssize_t read_input(const Io& io, char* buffer) {
  for (;;) {
    const ssize_t n = ::read(io.in(), buffer, k_read_size);
    if (n >= 0) return n;
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return n;
    pollfd input{io.in(), POLLIN, 0};
    if (::poll(&input, 1, -1) < 0 && errno != EINTR) return -1;
  }
}

Result<std::string> SendmailProgram::read_mail() {
  MailCollector collector(flags_.lone_dot_is_text ? LoneDot::is_text
                                                  : LoneDot::ends_mail);
  const auto buffer = std::make_unique_for_overwrite<char[]>(k_read_size);
  for (;;) {
    const ssize_t n = read_input(context_.io(), buffer.get());
    if (n < 0) return fail_errno(errno, "cannot read standard input");
    if (n == 0) break;
    if (!collector.feed({buffer.get(), static_cast<std::size_t>(n)})) break;
  }
  return collector.finish();
}

Result<int> SendmailProgram::submit() {
  if (flags_.recipients.empty() && !flags_.recipients_from_header)
    return fail(Error::Kind::bad_data, "the message has no recipient",
                "name them as arguments, or use -t and a To, Cc or Bcc");
  if (auto known = check_spool_is_known(); !known)
    return tl::unexpected(known.error());
  auto local = submission();
  auto sender = local.sender_for(flags_.sender);
  if (!sender) return tl::unexpected(sender.error());
  const auto mail = read_mail();
  if (!mail) return tl::unexpected(mail.error());
  LocalEnvelope envelope;
  envelope.sender = std::move(*sender);
  envelope.recipients = std::move(flags_.recipients);
  envelope.dsn = dsn_from(flags_.notify, flags_.dsn_return, flags_.envelope_id);
  auto ids = local.submit(*mail, {std::move(envelope)},
                          flags_.recipients_from_header
                              ? LocalSubmission::Recipients::of_header_too
                              : LocalSubmission::Recipients::of_envelope);
  if (!ids) return tl::unexpected(ids.error());
  for (const auto& id : *ids)
    if (flags_.verbose) context_.warn("queued as " + id);
  return 0;
}

// --- An SMTP dialogue

DialogueReply refusal(int code, std::string_view status, const Error& error) {
  std::string text(status);
  text += ' ' + error.what;
  for (const auto& problem : error.problems) text += "; " + problem.what;
  return {code, std::move(text)};
}

// The mail, an envelope for each wish about notifications.
DialogueReply SendmailProgram::take(LocalSubmission& local, DialogueMail mail) {
  const auto sender = local.sender_for(mail.sender);
  if (!sender) return refusal(553, "5.1.8", sender.error());
  std::vector<LocalEnvelope> envelopes;
  for (DialogueRecipient& recipient : mail.recipients) {
    auto dsn = dsn_from(std::move(recipient.notify), mail.dsn_return,
                        mail.envelope_id);
    LocalEnvelope* fitting = nullptr;
    for (LocalEnvelope& envelope : envelopes)
      if (envelope.dsn == dsn) fitting = &envelope;
    if (fitting == nullptr)
      fitting =
          &envelopes.emplace_back(LocalEnvelope{*sender, {}, std::move(dsn)});
    fitting->recipients.push_back(std::move(recipient.address));
  }
  const auto ids = local.submit(mail.data, std::move(envelopes),
                                LocalSubmission::Recipients::of_envelope);
  if (!ids) {
    context_.tell(ids.error());
    return ids.error().kind == Error::Kind::bad_data
               ? refusal(554, "5.6.0", ids.error())
               : refusal(451, "4.3.0", ids.error());
  }
  std::string text = "2.0.0 Ok: queued as";
  for (const auto& id : *ids) text += " " + id;
  return {250, std::move(text)};
}

Result<int> SendmailProgram::dialogue() {
  if (auto known = check_spool_is_known(); !known)
    return tl::unexpected(known.error());
  auto local = submission();
  SmtpSubmission smtp(
      local.host(),
      {[&](const std::string& sender) {
         const auto checked = local.sender_for(sender);
         if (checked) return DialogueReply{250, "2.1.0 Ok"};
         return refusal(553, "5.1.8", checked.error());
       },
       [&](const std::string& recipient) {
         const auto found = local.routes(std::vector{recipient});
         if (!found) return refusal(550, "5.1.0", found.error());
         if (!found->empty() && found->front().is_no_address)
           return DialogueReply{553, "5.1.3 " + found->front().reason};
         return DialogueReply{250, "2.1.5 Ok"};
       },
       [&](DialogueMail mail) { return take(local, std::move(mail)); }},
      k_submitted_mail_limit);
  Io& io = context_.io();
  io.out(smtp.greeting());
  const auto buffer = std::make_unique_for_overwrite<char[]>(k_read_size);
  for (bool goes_on = true; goes_on;) {
    if (auto flushed = io.flush(); !flushed || io.broken_pipe()) break;
    const ssize_t n = read_input(io, buffer.get());
    if (n < 0) return fail_errno(errno, "cannot read standard input");
    if (n == 0) break;
    std::string answers;
    goes_on = smtp.feed({buffer.get(), static_cast<std::size_t>(n)}, answers);
    io.out(answers);
  }
  if (smtp.is_in_mail())
    return fail(Error::Kind::bad_data,
                "standard input ended in the middle of a mail, which was not "
                "accepted");
  return 0;
}

// --- Questions, and the queue

Result<int> SendmailProgram::show_routes() {
  auto local = submission();
  auto sender = local.sender_for(flags_.sender);
  if (!sender) return tl::unexpected(sender.error());
  if (flags_.recipients_from_header) {
    auto mail = read_mail();
    if (!mail) return tl::unexpected(mail.error());
    auto fit = fit_for_sending(*mail, {});
    if (!fit) return tl::unexpected(fit.error());
    for (auto& recipient : fit->recipients)
      flags_.recipients.push_back(std::move(recipient));
  }
  if (flags_.recipients.empty())
    return fail(Error::Kind::usage, "whose mail? no recipient is named");
  Io& io = context_.io();
  io.out("from " + (sender->empty() ? "<>" : printable(*sender)) + "\n");
  bool all_are_reached = true;
  for (const auto& recipient : flags_.recipients) {
    auto found = local.routes(std::vector{recipient});
    if (!found) return tl::unexpected(found.error());
    for (const LocalRoute& route : *found) {
      const bool is_reached = route.reason.empty();
      all_are_reached = all_are_reached && is_reached;
      io.out(printable(recipient) + " -> " +
             (is_reached ? printable(route.email)
                         : (route.is_no_address ? "nobody: " : "held: ") +
                               route.reason) +
             "\n");
    }
  }
  return all_are_reached ? 0 : 1;
}

Result<int> SendmailProgram::check_aliases() {
  const Config& readable = config();
  auto aliases = Aliases::load(readable.aliases);
  if (!aliases) return tl::unexpected(aliases.error());
  for (const auto& problem : aliases->problems()) context_.warn(problem);
  if (flags_.verbose)
    context_.io().out(readable.aliases + ": " +
                      std::to_string(aliases->size()) + " aliases\n");
  return 0;
}

// Those whom -qI, -qR and -qS mean, deferred ones made due.
Result<std::set<std::string>> SendmailProgram::selected_ids() {
  Selector selector;
  for (const auto& part : flags_.queue_recipients)
    selector.to.push_back("*" + part + "*");
  for (const auto& part : flags_.queue_senders)
    selector.from.push_back("*" + part + "*");
  std::set<std::string> ids;
  std::vector<std::string> deferred;
  const auto is_meant = [&](const std::string& id) {
    const auto& parts = flags_.queue_ids;
    if (id.empty()) return false;
    if (parts.empty()) return true;
    for (const auto& part : parts)
      if (id.find(part) != std::string::npos) return true;
    return false;
  };
  auto done =
      for_each_listed(context_, selector, {State::fresh, State::deferred},
                      Look::names, [&](const Listed& listed) {
                        if (!is_meant(listed.id)) return true;
                        ids.insert(listed.id);
                        if (listed.state == State::deferred)
                          deferred.push_back(listed.id);
                        return true;
                      });
  if (!done) return tl::unexpected(done.error());
  auto spool = context_.spool();
  if (!spool) return tl::unexpected(spool.error());
  auto moved =
      Relocation(**spool, Move::retry, Relocation::DryRun::no).move(deferred);
  if (!moved) return tl::unexpected(moved.error());
  return ids;
}

// Who sends needs a whole configuration.
Result<int> SendmailProgram::run_queue() {
  context_.options.quiet = !flags_.verbose;
  std::optional<std::set<std::string>> only;
  if (!flags_.queue_ids.empty() || !flags_.queue_recipients.empty() ||
      !flags_.queue_senders.empty()) {
    auto ids = selected_ids();
    if (!ids) return tl::unexpected(ids.error());
    only = std::move(*ids);
  }
  auto code = run_once(std::move(only), context_);
  if (code && *code == exit_code(Error::Kind::temporary))
    return exit_code(Error::Kind::refused);
  return code;
}

// Where an administrator made pony the system's sendmail, his file counts and
// not that of the user whose program calls.
void choose_config(SendmailFlags& flags, GlobalOptions& options) {
  if (!flags.config.empty()) options.config = std::move(flags.config);
  if (!flags.spool.empty()) options.spool = std::move(flags.spool);
  options.verbose = options.verbose || flags.verbose;
  const char* variable = std::getenv("PONY_CONFIG");
  if (options.config.empty() && (variable == nullptr || *variable == '\0') &&
      ::access(k_system_config, F_OK) == 0)
    options.config = k_system_config;
}

int run_checked(std::span<const std::string_view> words, SendmailTask task,
                Context& context) {
  auto flags = read_sendmail_flags(words, task);
  if (!flags) {
    context.tell(flags.error());
    return code_of(flags.error());
  }
  for (const auto& warning : flags->warnings) context.warn(warning);
  choose_config(*flags, context.options);
  SendmailProgram program(std::move(*flags), context);
  const auto result = program.run();
  int code = result ? *result : code_of(result.error());
  if (!result) {
    context.tell(result.error());
    const bool no_spool = result.error().kind != Error::Kind::bad_data &&
                          result.error().kind != Error::Kind::usage;
    if (program.problem() && no_spool) code = exit_code(Error::Kind::config);
  }
  if (auto flushed = context.io().flush(); !flushed) {
    context.tell(flushed.error());
    if (code == 0) code = exit_code(flushed.error().kind);
  }
  return code;
}

}  // namespace

int run_sendmail(std::span<const std::string_view> words, SendmailTask task,
                 Context& context) {
  context.command = "sendmail";
  try {
    return run_checked(words, task, context);
  } catch (const std::bad_alloc&) {
    context.warn("out of memory: the message is not accepted");
    return k_os_error;
  } catch (const std::exception& error) {
    context.warn(std::string("this is a bug in pony: ") + error.what());
    return k_software;
  }
}

int run_sendmail_command(std::span<const std::string_view> words,
                         Context& context) {
  return run_sendmail(words, SendmailTask::submit, context);
}

}  // namespace pony
