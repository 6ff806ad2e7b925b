#include "cmd/move_messages.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <utility>

#include "cmd/ask.h"
#include "cmd/cli.h"
#include "cmd/listing.h"
#include "cmd/message_ids.h"

namespace pony {
namespace {

// More of them are not cancelled at a terminal without a question.
constexpr std::size_t k_cancel_unasked = 100;

// "retry", "retried" and the states in which there is something to do.
// Messages that are being delivered are looked at too where a person must
// know that they were too late.
struct MoveWords {
  std::string_view verb;
  std::string_view done;
  std::vector<State> states;
  std::vector<State> on_request;  // with --state, too; empty: the same
};

MoveWords words_of(Move move) {
  switch (move) {
    case Move::retry:
      // In this order: what has failed may become deferred.
      return {"retry",
              "retried",
              {State::deferred, State::failed},
              {State::deferred, State::held, State::failed}};
    case Move::cancel:
      return {"cancel",
              "cancelled",
              {State::fresh, State::deferred, State::held, State::claimed},
              {}};
    case Move::hold:
      return {
          "hold", "held", {State::fresh, State::deferred, State::claimed}, {}};
    case Move::release:
      break;
  }
  return {"release", "released", {State::held}, {}};
}

// The worse of two exit codes: what can never be done is worse than what can
// be done later.
int worse(int a, int b) {
  constexpr std::array k_from_the_worst = {66, 65, 69, 75, 0};
  const auto rank = [&](int code) {
    return std::find(k_from_the_worst.begin(), k_from_the_worst.end(), code);
  };
  return rank(a) < rank(b) ? a : b;
}

void say_in_json(const Relocated& result, Context& context) {
  std::string line;
  JsonWriter json(line);
  json.field("id", result.id).boolean("result", !result.refused);
  if (result.state) {
    json.field("state", to_text(*result.state));
  } else {
    json.null("state");
  }
  if (result.refused) {
    json.field("error", result.refused->what);
  } else {
    json.field("status", result.said);
  }
  json.end();
  context.io().out(line + "\n");
}

// "01J…: held": the id first, as everything that is said about a message.
void say_in_words(const Relocated& result, Context& context) {
  if (!result.refused && context.options.quiet) return;
  std::string text = printable(result.id, 60) + ": " + result.said;
  if (result.refused) {
    for (const auto& problem : result.refused->problems)
      text += "\n  " + problem.place + (problem.place.empty() ? "" : ": ") +
              problem.what;
    if (!result.refused->hint.empty()) text += "\n  " + result.refused->hint;
  }
  context.io().err(text + "\n");
}

Result<std::vector<Address>> addresses(const std::vector<std::string>& words) {
  std::vector<Address> read;
  for (const auto& word : words) {
    auto address = parse_address(word);
    if (!address)
      return fail(Error::Kind::usage, "--to: " + address.error().what,
                  address.error().hint);
    read.push_back(std::move(*address));
  }
  return read;
}

// Was the last that happened to it that a person cancelled it?
bool is_cancelled(const Listed& listed) {
  const auto& events = listed.file->events;
  const auto last =
      std::find_if(events.rbegin(), events.rend(),
                   [](const Event& event) { return state_after(event); });
  return last != events.rend() && last->event == "cancelled";
}

// Moves groups of messages and keeps count of what became of them.
class Mover {
 public:
  Mover(Spool& spool, Move move, const MoveOptions& options, Context& context)
      : context_(context),
        dry_run_(options.dry_run),
        relocation_(
            spool, move,
            dry_run_ ? Relocation::DryRun::yes : Relocation::DryRun::no) {}

  Relocation& relocation() { return relocation_; }

  // `tell_all`: also of those that were moved as they should.
  Result<> move(std::span<const std::string> ids, bool tell_all) {
    auto results = relocation_.move(ids);
    if (!results) return tl::unexpected(results.error());
    for (const auto& result : *results) {
      if (result.refused) code_ = worse(code_, exit_code(result.refused->kind));
      ++(result.moved ? moved_ : left_);
      if (context_.options.json) {
        say_in_json(result, context_);
      } else if (tell_all || result.refused) {
        say_in_words(result, context_);
      }
    }
    return context_.io().flush();
  }
  void leave() { ++left_; }

  int code() const { return code_; }
  // "retried 412, left 3"
  std::string counts(const MoveWords& words) const {
    const std::string moved = std::to_string(moved_);
    const std::string left = std::to_string(left_);
    if (dry_run_)
      return "would " + std::string(words.verb) + " " + moved + ", leave " +
             left;
    return std::string(words.done) + " " + moved + ", left " + left;
  }

 private:
  Context& context_;
  bool dry_run_;
  Relocation relocation_;
  int code_ = 0;
  std::size_t moved_ = 0;
  std::size_t left_ = 0;
};

Result<int> move_by_id(const MoveOptions& options, Move move,
                       Context& context) {
  const auto& to = options.selector.to;
  const bool mends = move == Move::retry && !to.empty();
  Selector others = options.selector;
  if (mends) others.to.clear();
  if (others.given() || others.limit > 0)
    return fail(Error::Kind::usage, "ids or selectors, not both",
                "to choose among ids: pony queue --ids ... | pony " +
                    std::string(words_of(move).verb) + " -");
  auto new_recipients = addresses(mends ? to : std::vector<std::string>());
  if (!new_recipients) return tl::unexpected(new_recipients.error());
  if (mends && (options.ids.size() > 1 || options.ids.front() == "-"))
    return fail(Error::Kind::usage, "--to is for one message",
                "give its id, and no other");
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  Mover mover(**spool, move, options, context);
  mover.relocation().replace_recipients(std::move(*new_recipients));
  auto done = for_each_id(
      options.ids, context,
      [&](std::span<const std::string> ids) { return mover.move(ids, true); });
  if (!done) return tl::unexpected(done.error());
  return mover.code();
}

// Of the states that were asked for those in which there is something to do;
// `--state all` is then all that can be moved. Errors: there is none.
Result<std::vector<State>> states_to_look_at(const Selector& selector,
                                             const MoveWords& words) {
  if (selector.states.empty()) return words.states;
  const auto& possible =
      words.on_request.empty() ? words.states : words.on_request;
  std::vector<State> states;
  std::copy_if(possible.begin(), possible.end(), std::back_inserter(states),
               [&](State state) {
                 return std::find(selector.states.begin(),
                                  selector.states.end(),
                                  state) != selector.states.end();
               });
  if (!states.empty()) return states;
  std::string hint = "there may be in:";
  for (const State state : possible) hint.append(" ").append(to_text(state));
  return fail(Error::Kind::usage,
              "there is nothing to " + std::string(words.verb) + " in '" +
                  std::string(to_text(selector.states.front())) + "'",
              std::move(hint));
}

// Calls `each` with what `options` select: with the id, or without one for
// what is met and stays. Stops on false.
Result<> for_each_selected(
    const MoveOptions& options, Move move, Context& context,
    const std::function<bool(const std::string& id)>& each) {
  Selector selector = options.selector;
  // The limit is for those that are moved, not for those that are met.
  const std::size_t limit = std::exchange(selector.limit, 0);
  auto states = states_to_look_at(selector, words_of(move));
  if (!states) return tl::unexpected(states.error());
  selector.states = std::move(*states);
  std::size_t taken = 0;
  const Look look = move == Move::retry ? Look::contents : Look::names;
  return for_each_listed(
      context, selector, {}, look, [&](const Listed& listed) {
        // A dropped file has no message's name, and nothing to move yet.
        const bool stays =
            !listed.name.ends_with(k_message_suffix) ||
            (look == Look::contents && (!listed.file || is_cancelled(listed)));
        if (stays) return each({});
        ++taken;
        return each(listed.id) && taken != limit;
      });
}

// May so many be cancelled? A person at a terminal is asked.
Result<bool> is_confirmed(const MoveOptions& options, Move move,
                          Context& context) {
  Io& io = context.io();
  if (move != Move::cancel || options.yes || options.dry_run ||
      !io.in_is_terminal() || !io.err_is_terminal())
    return true;
  std::size_t count = 0;
  auto counted =
      for_each_selected(options, move, context, [&](const std::string& id) {
        if (!id.empty()) ++count;
        return true;
      });
  if (!counted) return tl::unexpected(counted.error());
  if (count <= k_cancel_unasked) return true;
  auto answer =
      ask(context, "cancel " + std::to_string(count) + " messages?", false);
  if (!answer) return tl::unexpected(answer.error());
  return *answer == Answer::yes;
}

Result<int> move_selected(const MoveOptions& options, Move move,
                          Context& context) {
  auto confirmed = is_confirmed(options, move, context);
  if (!confirmed) return tl::unexpected(confirmed.error());
  if (!*confirmed) {
    context.warn("nothing was cancelled");
    return 0;
  }
  auto spool = context.spool();
  if (!spool) return tl::unexpected(spool.error());
  const bool tell_all = context.options.verbose || options.dry_run;
  Mover mover(**spool, move, options, context);
  mover.relocation().move_none_twice();
  std::vector<std::string> ids;
  Result<> moved;
  const auto hand_on = [&] {
    if (!ids.empty()) moved = mover.move(ids, tell_all);
    ids.clear();
    return moved.has_value();
  };
  auto listed =
      for_each_selected(options, move, context, [&](const std::string& id) {
        if (id.empty()) {
          mover.leave();
          return true;
        }
        ids.push_back(id);
        return ids.size() < k_ids_together || hand_on();
      });
  if (listed) hand_on();
  if (!moved) return tl::unexpected(moved.error());
  if (!listed) return tl::unexpected(listed.error());
  context.say(mover.counts(words_of(move)));
  return mover.code();
}

}  // namespace

void add_move_options(CLI::App& app, MoveOptions& options) {
  app.add_option("ID", options.ids,
                 "Ids of messages; -: those on standard input, one a line")
      ->type_name("");
  app.add_flag("--dry-run,-n", options.dry_run,
               "Say what would be done, and do nothing");
  app.add_flag("--yes,-y", options.yes, "Ask nothing, however many they are");
  add_selectors(app, options.selector);
}

Result<int> move_messages(const MoveOptions& options, Move move,
                          Context& context) {
  if (!options.ids.empty()) return move_by_id(options, move, context);
  if (options.selector.given()) return move_selected(options, move, context);
  return fail(Error::Kind::usage, "which messages?",
              "give their ids, - for ids on standard input, or a selector such "
              "as --tag");
}

}  // namespace pony
