// The file of one message: its grammar, its writing and its reading.
//
//   file     = message-line *( event-line )           name: <id>.jsonl
//   message-line = '{"pony":1,"id":"<id>","accepted_at":"<time>"'
//                  [ ',"mode":"send"' ] ',' members of the message '}' LF
//   event-line   = an event (core/event.h) LF
//
// The message-line is pony-message(5) in the contract's own spelling. Events
// are only ever appended; the last one that moves a message (core/history.h)
// says in which folder the file belongs, whatever folder it is found in. The
// last line may be torn (a crash while appending): it is dropped and counted,
// and the next writer ends it first.
//
// History: version 1, the first.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/delivery.h"
#include "core/event.h"
#include "core/history.h"
#include "core/message.h"
#include "core/result.h"

namespace pony {

inline constexpr std::string_view k_message_suffix = ".jsonl";
inline constexpr std::string_view k_dropped_suffix = ".json";
// Of a message as JSON, and of a whole file with its events.
inline constexpr std::size_t k_message_limit = std::size_t{50} << 20;
inline constexpr std::size_t k_message_file_limit = std::size_t{256} << 20;

// Who will deliver: `pony run`, or the `pony send` that accepted it. What a
// killed `send` leaves is not retried by itself: its caller got no answer and
// may well have called again.
enum class Mode { queue, send };

struct MessageFile {
  std::string id;
  Time accepted_at{};
  Mode mode = Mode::queue;
  Message message;
  std::vector<Event> events;
  History history;
  std::size_t size = 0;
  int unreadable_lines = 0;
};

// "<id>.jsonl", and the way back; empty when `name` is no message's file.
std::string message_file_name(std::string_view id);
std::string_view id_of_file_name(std::string_view name);

// The message-line, with its LF.
std::string message_line(std::string_view id, Time accepted_at, Mode mode,
                         const Message& message);

// Reads a file's content. bad_data when line 1 is not a message of this
// version or names another id than `id` (the file's name); events of other
// ids are unreadable lines.
Result<MessageFile> parse_message_file(std::string_view content,
                                       std::string_view id);

// What the runner hands on.
Delivery delivery_from(MessageFile file);

}  // namespace pony
