// The messages of a spool one after the other, for commands that look at
// many: what `queue` shows and what `retry`, `hold` … act upon.
//
// Streams folder by folder and holds a bounded number of names, never all. A
// message that moves meanwhile may be missed or met twice. Files that are no
// valid message are met too, with the reason.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cmd/context.h"
#include "cmd/selector.h"
#include "core/address.h"
#include "core/template/template_store.h"

namespace pony {

struct Listed {
  State state = State::fresh;  // by its folder
  std::string folder;
  std::string name;
  std::string id;  // empty: dropped by another program and not taken in yet
  Time arrived{};
  std::size_t size_bytes = 0;  // of the file; 0 when it was not opened
  // The message; nothing when it was not asked for or is no valid message:
  // then `problem` says why.
  std::optional<MessageFile> file;
  std::optional<Address> sender;  // its own or, failing that, Senders'
  std::string problem;
};

// What a command needs to know of each message. `names` opens no file unless
// the selector asks for what is in it.
enum class Look { names, contents };

// Calls `each` for every message that `selector` means, in `states` unless it
// names its own, at most selector.limit; stops on false.
// Errors: as Context::spool; a folder that cannot be listed.
Result<> for_each_listed(Context& context, const Selector& selector,
                         const std::vector<State>& states, Look look,
                         const std::function<bool(const Listed&)>& each);

// One message, or the file that was to be one, wherever it is. not_found.
Result<Listed> find_listed(Context& context, const std::string& id);

// The event that says why `listed`, which is no valid message, is in failed/.
std::optional<Event> burial_of(Spool& spool, const Listed& listed);

// Who a message is from: itself, else its template, else the configuration. A
// finished message without a sender is from the null sender: an empty address.
class Senders {
 public:
  explicit Senders(const Config& config);
  std::optional<Address> of(const Message& message);

 private:
  TemplateStore templates_;
  std::optional<Address> default_from_;
};

}  // namespace pony
