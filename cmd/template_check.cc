// pony template check: everything that is wrong with templates, one line a
// finding, before anybody gets it as mail.
#include "core/template/template_check.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <utility>

#include "cmd/commands.h"
#include "cmd/message_flags.h"
#include "cmd/replay_input.h"
#include "core/json.h"
#include "core/template/language_fallback.h"
#include "core/template/replay_check.h"
#include "core/template/template_finding.h"
#include "core/template/template_store.h"
#include "core/words.h"

namespace pony {
namespace {

struct TemplateCheckOptions {
  std::vector<std::string> ids;
  std::vector<std::string> set;  // NAME=VALUE
  std::string data;
  std::vector<std::string> against;
  std::string lang;
  bool strict = false;
};

constexpr int k_has_findings = 1;

// --- printing --------------------------------------------------------------

// What goes before a file below the templates' root, so that an editor that is
// started here can open it.
std::string prefix_of(const std::string& root) {
  std::unique_ptr<char, void (*)(void*)> here(::getcwd(nullptr, 0), ::free);
  const std::string folder = here ? std::string(here.get()) + "/" : "";
  if (folder == root + "/") return {};
  if (!folder.empty() && root.starts_with(folder))
    return root.substr(folder.size()) + "/";
  return root + "/";
}

std::string as_text(const TemplateFinding& finding, const std::string& prefix) {
  std::string text = printable(prefix + finding.file, 1000);
  if (finding.line > 0) text += ":" + std::to_string(finding.line);
  text += ": " + std::string(to_text(finding.severity)) + ": " + finding.what +
          "\n";
  if (!finding.hint.empty()) text += "    " + finding.hint + "\n";
  return text;
}

std::string as_json(const TemplateFinding& finding, const std::string& prefix) {
  std::string line;
  JsonWriter writer(line);
  writer.field("template", finding.template_id)
      .field("lang", finding.lang)
      .field("file", prefix + finding.file)
      .field("line", static_cast<std::int64_t>(finding.line))
      .field("severity", to_text(finding.severity))
      .field("check", finding.check)
      .field("message", finding.what)
      .field("hint", finding.hint);
  if (finding.messages.of > 0)
    writer.field("messages", static_cast<std::int64_t>(finding.messages.count))
        .field("of", static_cast<std::int64_t>(finding.messages.of))
        .field("example", finding.messages.example);
  writer.end();
  return line + "\n";
}

// --- the command -----------------------------------------------------------

class TemplateCheck {
 public:
  TemplateCheck(const TemplateCheckOptions& options, const Config& config,
                Context& context)
      : options_(options),
        config_(config),
        context_(context),
        folder_(config.templates),
        store_(config.templates, config.default_lang),
        findings_(options.lang) {}

  Result<int> run();

 private:
  Result<std::vector<std::string>> wanted_ids();
  void check_one(const std::string& id);
  // The store has the last word: what it refuses is an error.
  void ask_store(const TemplateSource& source);
  Result<> has_language() const;
  Result<> replay();
  void take(const Replayed& message);
  void print();
  void tell_summary();

  const TemplateCheckOptions& options_;
  const Config& config_;
  Context& context_;
  TemplateFolder folder_;
  TemplateStore store_;
  TemplateFindings findings_;
  std::vector<TemplateSource> sources_;
  Json set_ = Json::object();
  std::map<std::string, ReplayCheck, std::less<>> replays_;  // by template
  std::string left_out_;  // messages that could not be tried, in words
};

Result<std::vector<std::string>> TemplateCheck::wanted_ids() {
  auto there = folder_.folders(".");
  if (!there && there.error().kind == Error::Kind::not_found)
    return fail(Error::Kind::config,
                "there is no folder of templates '" + config_.templates + "'",
                "copy the samples: pony init");
  if (!there) return tl::unexpected(there.error());
  auto ids = check_root(folder_, *there, findings_);
  if (options_.ids.empty()) return ids;
  for (const auto& id : options_.ids)
    if (std::find(ids.begin(), ids.end(), id) == ids.end())
      return fail(Error::Kind::not_found,
                  "no template '" + printable(id, 100) + "'",
                  did_you_mean(id, {ids.begin(), ids.end()}));
  // Each once.
  std::erase_if(ids, [&](const std::string& id) {
    return std::find(options_.ids.begin(), options_.ids.end(), id) ==
           options_.ids.end();
  });
  return ids;
}

void TemplateCheck::check_one(const std::string& id) {
  const auto errors = findings_.errors();
  auto source = check_template(folder_, id, config_.default_lang, findings_);
  if (!source) {
    TemplateFinding finding;
    finding.severity = Severity::error;
    finding.check = "files";
    finding.template_id = id;
    finding.file = id;
    finding.what = source.error().what;
    finding.hint = source.error().hint;
    findings_.add(std::move(finding));
    return;
  }
  if (findings_.errors() == errors) ask_store(*source);
  sources_.push_back(std::move(*source));
}

void TemplateCheck::ask_store(const TemplateSource& source) {
  const auto refuse = [&](const LanguageSource* language, const Error& error) {
    findings_.add(source.finding(Severity::error, "files", language,
                                 source.id(), 0, error.what, error.hint));
  };
  const auto of = store_.find(source.id());
  if (!of) return refuse(nullptr, of.error());
  for (const auto& language : source.languages)
    if (const auto text = store_.text(**of, language.lang); !text)
      refuse(&language, text.error());
}

Result<> TemplateCheck::has_language() const {
  if (options_.lang.empty() || sources_.empty()) return {};
  for (const auto& source : sources_)
    for (const auto& language : source.languages)
      if (is_same_language(language.lang, options_.lang)) return {};
  return fail(Error::Kind::not_found,
              "there is no copy in '" + printable(options_.lang, 60) + "'");
}

void TemplateCheck::take(const Replayed& message) {
  Json values = message.values;
  complete(values, set_);
  for (auto& [id, check] : replays_) {
    if (!message.template_id.empty() && message.template_id != id) continue;
    if (options_.data.empty() && !options_.against.empty())
      check.add(values, message.lang, message.example);
    else
      check.add_to_all(values, message.example);
  }
}

Result<> TemplateCheck::replay() {
  auto set = values_from(options_.set);
  if (!set) return tl::unexpected(set.error());
  set_ = std::move(*set);
  for (const auto& source : sources_) replays_.try_emplace(source.id(), source);
  ReplayInput input(
      context_, [this](std::string_view id) { return replays_.contains(id); },
      [this](const Replayed& message) { take(message); });
  if (!options_.data.empty()) {
    if (auto read = input.read_values(options_.data); !read) return read;
  } else if (!options_.set.empty() && options_.against.empty()) {
    take({{}, {}, Json::object(), "--set"});
  }
  for (const auto& file : options_.against)
    if (auto read = input.read_log(file); !read) return read;
  for (const auto& [id, check] : replays_) check.report(findings_);
  if (input.gone() > 0)
    left_out_ += ", " + std::to_string(input.gone()) + " gone from the spool";
  if (input.unreadable() > 0)
    left_out_ +=
        ", " + counted(input.unreadable(), "line") + " could not be read";
  return {};
}

void TemplateCheck::print() {
  const std::string prefix = prefix_of(config_.templates);
  for (const auto& finding : findings_.take()) {
    if (context_.options.quiet && finding.severity != Severity::error) continue;
    context_.io().out(context_.options.json ? as_json(finding, prefix)
                                            : as_text(finding, prefix));
  }
}

void TemplateCheck::tell_summary() {
  std::size_t tried = 0;
  for (const auto& [id, check] : replays_) tried += check.messages();
  const bool is_replay = !options_.data.empty() || !options_.against.empty();
  // Nothing was tried, and nothing found: that is not to be overlooked.
  if (is_replay && tried == 0)
    context_.warn("no message was tried: none has one of these templates" +
                  left_out_);
  if (context_.options.quiet || context_.options.json) return;
  std::string text = counted(sources_.size(), "template");
  if (is_replay) text += ", " + counted(tried, "message") + left_out_;
  text += ": ";
  if (findings_.errors() + findings_.warnings() == 0)
    text += "nothing to find fault with";
  else
    text += counted(findings_.errors(), "error") + ", " +
            counted(findings_.warnings(), "warning");
  context_.io().out(text + "\n");
}

Result<int> TemplateCheck::run() {
  const auto ids = wanted_ids();
  if (!ids) return tl::unexpected(ids.error());
  for (const auto& id : *ids) check_one(id);
  if (auto there = has_language(); !there) return tl::unexpected(there.error());
  if (options_.ids.empty()) check_translations(sources_, findings_);
  if (auto replayed = replay(); !replayed)
    return tl::unexpected(replayed.error());
  print();
  tell_summary();
  const auto counted =
      findings_.errors() + (options_.strict ? findings_.warnings() : 0);
  return counted == 0 ? 0 : k_has_findings;
}

Result<int> run_template_check(const TemplateCheckOptions& options,
                               Context& context) {
  if (!options.data.empty() && !options.against.empty())
    return fail(Error::Kind::usage, "--data and --against exclude each other",
                "--against takes messages in JSON, too");
  auto config = context.config();
  if (!config) return tl::unexpected(config.error());
  return TemplateCheck(options, **config, context).run();
}

}  // namespace

Action add_template_check(CLI::App& app, Context& context) {
  auto options = std::make_shared<TemplateCheckOptions>();
  app.add_option("ID", options->ids, "Only these templates")->type_name("");
  app.add_option("--data", options->data,
                 "Try them with these values: JSON, or messages (- is stdin)")
      ->type_name("FILE");
  app.add_option("--set", options->set,
                 "A value to try them with (may be repeated)")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_option("--against", options->against,
                 "Try them with the messages of an event log, of the spool's "
                 "files, or of JSON Lines")
      ->type_name("FILE");
  app.add_option("--lang", options->lang, "Only this language")
      ->type_name("LANG");
  app.add_flag("--strict", options->strict, "Warnings count as errors do");
  app.footer(
      "Examples\n"
      "  pony template check\n"
      "  pony template check receipt --data order.json\n"
      "  pony template check --against "
      "/var/spool/pony/log/events-2026-11-2*\n\n"
      "Exit codes\n"
      "  0 fine, perhaps with warnings · 1 errors were found · 65 --data is no "
      "JSON ·\n  66 no such template, language or file · 77 no permission · 78 "
      "templates or\n  configuration cannot be read");
  return [options, &context] { return run_template_check(*options, context); };
}

}  // namespace pony
