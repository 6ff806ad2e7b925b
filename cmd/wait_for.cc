#include "cmd/wait_for.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "spool/message_file.h"

namespace pony {
namespace {

constexpr Milliseconds k_first_pause{10};
constexpr Milliseconds k_longest_pause{500};

}  // namespace

Result<int> wait_for_outcome(Spool& spool, const std::vector<std::string>& ids,
                             Milliseconds limit, Context& context) {
  using SteadyClock = std::chrono::steady_clock;
  const auto until = SteadyClock::now() + limit;
  int code = 0;
  for (const auto& id : ids) {
    for (Milliseconds pause = k_first_pause;;
         pause = std::min(pause * 2, k_longest_pause)) {
      auto found = spool.folders().find(id, message_file_name(id));
      if (!found) return tl::unexpected(found.error());
      if (found->state == State::sent) {
        context.say(id + ": sent");
        break;
      }
      if (found->state == State::failed) {
        auto message = spool.load(id);
        context.say(
            id + ": failed: " +
            (message ? message->file.history.reason : message.error().what));
        code = 69;
        break;
      }
      if (SteadyClock::now() >= until) {
        context.say(id + ": not yet known");
        return code == 0 ? 75 : code;
      }
      const auto left =
          std::chrono::duration_cast<Milliseconds>(until - SteadyClock::now());
      std::this_thread::sleep_for(std::clamp(left, Milliseconds(1), pause));
    }
  }
  return code;
}

}  // namespace pony
