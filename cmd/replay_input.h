// Messages to try templates with: values as JSON, whole messages, files of
// messages from a spool, and event logs, whose messages are looked up there.
//
// Promises: one message in memory at a time. Doesn't know: what is done with
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "cmd/context.h"
#include "core/event.h"
#include "core/json.h"
#include "core/json_records.h"
#include "core/message.h"
#include "core/result.h"

namespace pony {

struct Replayed {
  std::string template_id;  // empty: values alone, for whatever template
  std::string lang;
  Json values;
  std::string example;  // what to call it: its id, or "orders.jsonl:17"
};

class ReplayInput {
 public:
  using Wanted = std::function<bool(std::string_view template_id)>;
  using Each = std::function<void(const Replayed&)>;

  // Only messages with a template that is `wanted` go to `each`. Those of an
  // event log are looked up in the context's spool.
  ReplayInput(Context& context, Wanted wanted, Each each)
      : context_(context), wanted_(std::move(wanted)), each_(std::move(each)) {}

  // Values: an object of them, or messages; one, an array, or JSON Lines.
  // "-" is standard input. bad_data when one of them is neither.
  Result<> read_values(const std::string& file);
  // An event log, files of messages, JSON Lines of messages. What is none of
  // these is counted.
  Result<> read_log(const std::string& file);

  std::size_t gone() const { return gone_; }
  std::size_t unreadable() const { return unreadable_; }

 private:
  using Take =
      std::function<Result<>(const JsonRecords::Record&, const std::string&)>;
  Result<> for_each_record(const std::string& file, const Take& take);
  Result<> take_values(const JsonRecords::Record& record,
                       const std::string& example);
  Result<> take_logged(const JsonRecords::Record& record,
                       const std::string& example);
  Result<> take_event(const Event& event);
  void take_message(Message message, std::string example);
  bool is_new(std::string_view id);

  Context& context_;
  Wanted wanted_;
  Each each_;
  std::size_t gone_ = 0;
  std::size_t unreadable_ = 0;
  // Messages that were met: a log has several events of each.
  std::unordered_set<std::size_t> met_;
};

}  // namespace pony
