// pony explain: a message's story in plain sentences, and what happens next.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <utility>

#include "cmd/commands.h"
#include "cmd/explain_format.h"
#include "cmd/listing.h"
#include "cmd/message_ids.h"
#include "cmd/provider_format.h"
#include "cmd/subject.h"
#include "core/pool/dispatcher.h"
#include "spool/health_files.h"

namespace pony {
namespace {

const PoolConfig* pool_of(const Story& story, const Config& config) {
  const Message& message = story.listed.file->message;
  const std::string domain(
      story.listed.sender ? domain_of(story.listed.sender->email) : "");
  return Dispatcher::pool_for(config.pools, message, domain);
}

// Which providers of its pool may not be asked now.
Result<> add_resting(Story& story, const PoolConfig& pool, const Config& config,
                     Spool& spool, Time now) {
  HealthFiles store(spool.folders());
  for (const auto& member : pool.members) {
    const auto* provider = config.provider(member.provider);
    if (provider == nullptr) continue;
    ++story.pool_size;
    auto health = store.read(provider->name);
    if (!health) return tl::unexpected(health.error());
    const auto listed =
        listed_provider(config, *provider, std::move(*health), now);
    auto until = resting_until(listed.health, now);
    if (!until) continue;
    if (*until == Time::max()) until.reset();
    story.resting.push_back(
        {provider->name, why_resting(listed.health, now), until});
  }
  return {};
}

// When it expires if nobody takes it.
std::optional<Time> gives_up_at(const MessageFile& file, const Config& config) {
  const Message& message = file.message;
  const Time since =
      std::max({file.accepted_at, message.send_at.value_or(file.accepted_at),
                file.history.restarted_at.value_or(file.accepted_at)});
  const Time at = since + config.retry.give_up_after;
  return message.expires_at ? std::min(at, *message.expires_at) : at;
}

Result<Story> story_of(const std::string& id, Context& context) {
  auto config = context.config();
  if (!config) return tl::unexpected(config.error());
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  auto listed = find_listed(context, id);
  if (!listed) return tl::unexpected(listed.error());
  Story story;
  story.listed = std::move(*listed);
  if (!story.listed.file) {
    if (auto burial = burial_of(**spool, story.listed))
      story.events.push_back(std::move(*burial));
    return story;
  }
  const MessageFile& file = *story.listed.file;
  story.events = file.events;
  story.subject = subject_of(file, context);
  const State state = story.listed.state;
  if (state == State::fresh || state == State::deferred)
    story.gives_up_at = gives_up_at(file, **config);
  // The pool that was used, if it was tried.
  for (const auto& event : story.events)
    if (!event.pool.empty()) story.pool = event.pool;
  if (state == State::sent) return story;
  const auto* pool = pool_of(story, **config);
  if (pool == nullptr) return story;
  story.pool = pool->name;
  auto added =
      add_resting(story, *pool, **config, **spool, context.clock().now());
  if (!added) return tl::unexpected(added.error());
  return story;
}

Result<int> run_explain(const std::vector<std::string>& words,
                        Context& context) {
  int code = 0;
  bool first = true;
  const auto explain = [&](const std::string& id) -> Result<> {
    auto story = story_of(id, context);
    if (!story && story.error().kind == Error::Kind::not_found) {
      // The others are explained; the code says that one was not there.
      context.tell(story.error());
      code = exit_code(Error::Kind::not_found);
      return {};
    }
    if (!story) return tl::unexpected(story.error());
    if (!std::exchange(first, false) && !context.options.json)
      context.io().out("\n");
    const Time now = context.clock().now();
    context.io().out(context.options.json ? explain_json(*story, now)
                                          : explain_text(*story, now));
    return {};
  };
  auto done = for_each_id(words, context,
                          [&](std::span<const std::string> ids) -> Result<> {
                            for (const auto& id : ids)
                              if (auto ok = explain(id); !ok) return ok;
                            return {};
                          });
  if (!done) return tl::unexpected(done.error());
  return code;
}

}  // namespace

Action add_explain(CLI::App& app, Context& context) {
  auto ids = std::make_shared<std::vector<std::string>>();
  app.add_option("ID", *ids,
                 "Ids of messages; -: those on standard input, one a line")
      ->required()
      ->type_name("");
  app.footer(
      "The sentences are for people and may change; --json has the same as "
      "facts, a document\na message.\n\n"
      "Examples\n"
      "  pony explain 01JD8Q7Z4V6M3N5P7R9T1W3Y5A\n"
      "  pony queue --state failed --newer 1h --ids | pony explain -\n\n"
      "Exit codes\n"
      "  0 explained · 64 usage · 66 no such message · 74 the spool cannot be "
      "read ·\n  77 no permission · 78 the configuration is wrong");
  return [ids, &context] { return run_explain(*ids, context); };
}

}  // namespace pony
