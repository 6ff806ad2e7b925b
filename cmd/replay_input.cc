#include "cmd/replay_input.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>

#include "core/fs.h"
#include "spool/message_file.h"

namespace pony {
namespace {

constexpr std::size_t k_read_size = std::size_t{64} << 10;
// Of more messages some may be counted twice; memory has to end somewhere.
constexpr std::size_t k_most_met = std::size_t{1} << 20;

bool is_message(const Json& json) {
  return json.find("template") != nullptr ||
         json.find("replacements") != nullptr;
}

// "orders.jsonl:17", "standard input:17".
std::string place_of(const std::string& file, std::size_t line) {
  return (file == "-" ? "standard input" : printable(file, 200)) + ":" +
         std::to_string(line);
}

// One line of a file of messages: the message, without its events.
Result<Message> message_of_line(const std::string& line, const Json& json) {
  auto file = parse_message_file(line + "\n", json.text_of("id"));
  if (!file) return tl::unexpected(file.error());
  return std::move(file->message);
}

}  // namespace

Result<> ReplayInput::read_values(const std::string& file) {
  return for_each_record(file, [this](const JsonRecords::Record& record,
                                      const std::string& example) {
    return take_values(record, example);
  });
}

Result<> ReplayInput::read_log(const std::string& file) {
  return for_each_record(file, [this](const JsonRecords::Record& record,
                                      const std::string& example) {
    return take_logged(record, example);
  });
}

Result<> ReplayInput::for_each_record(const std::string& file,
                                      const Take& take) {
  Fd opened;
  if (file != "-") {
    opened = Fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!opened)
      return fail_errno(errno, "cannot open '" + printable(file, 200) + "'");
  }
  const int fd = opened ? opened.get() : context_.io().in();
  JsonRecords records(k_message_limit);
  std::string buffer(k_read_size, '\0');
  for (bool ended = false; !ended;) {
    const ssize_t n = ::read(fd, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0)
      return fail_errno(errno, "cannot read '" + printable(file, 200) + "'");
    ended = n == 0;
    if (ended) {
      records.finish();
    } else {
      records.feed({buffer.data(), static_cast<std::size_t>(n)});
    }
    while (const auto record = records.next())
      if (auto taken = take(*record, place_of(file, record->line)); !taken)
        return taken;
  }
  return {};
}

Result<> ReplayInput::take_values(const JsonRecords::Record& record,
                                  const std::string& example) {
  if (record.too_large)
    return fail(Error::Kind::bad_data, example + ": is larger than 50 MiB");
  auto json = parse_json(record.text, record.line);
  if (!json) return wrap(json.error(), example);
  if (!json->is_object())
    return fail(Error::Kind::bad_data, example + ": is no object of values",
                "write {\"name\": \"Ann\"}, or a message");
  if (json->find("pony") != nullptr) {
    auto message = message_of_line(record.text, *json);
    if (!message) return wrap(message.error(), example);
    take_message(std::move(*message), std::string(json->text_of("id")));
  } else if (is_message(*json)) {
    auto message = message_from(*json, false);
    if (!message) return wrap(message.error(), example);
    take_message(std::move(*message), example);
  } else {
    each_({{}, {}, std::move(*json), example});
  }
  return {};
}

Result<> ReplayInput::take_logged(const JsonRecords::Record& record,
                                  const std::string& example) {
  auto json = record.too_large
                  ? Result<Json>(fail(Error::Kind::bad_data, "too large"))
                  : parse_json(record.text, record.line);
  if (!json || !json->is_object()) {
    ++unreadable_;
    return {};
  }
  const auto id = json->text_of("id");
  if (json->find("event") != nullptr) {
    const auto event = event_from(*json);
    if (event) return take_event(*event);
    ++unreadable_;
    return {};
  }
  const bool is_filed = json->find("pony") != nullptr;
  auto message = is_filed ? message_of_line(record.text, *json)
                          : message_from(*json, false);
  if (!message) {
    ++unreadable_;
  } else if (message->template_id.empty()) {
    return {};  // its words are its own
  } else if (!is_filed) {
    take_message(std::move(*message), example);
  } else if (is_new(id)) {
    take_message(std::move(*message), std::string(id));
  }
  return {};
}

Result<> ReplayInput::take_event(const Event& event) {
  // Looked up only when it is known to matter.
  if (event.template_id.empty() || !wanted_(event.template_id)) return {};
  if (!is_new(event.id)) return {};
  auto spool = context_.spool();
  if (!spool) return tl::unexpected(spool.error());
  auto located = (*spool)->load(event.id);
  if (located) {
    take_message(std::move(located->file.message), event.id);
    return {};
  }
  if (located.error().kind == Error::Kind::not_found)
    ++gone_;
  else if (located.error().kind == Error::Kind::bad_data)
    ++unreadable_;
  else
    return tl::unexpected(located.error());
  return {};
}

void ReplayInput::take_message(Message message, std::string example) {
  if (!message.template_id.empty() && !wanted_(message.template_id)) return;
  each_({std::move(message.template_id), std::move(message.lang),
         std::move(message.replacements), std::move(example)});
}

bool ReplayInput::is_new(std::string_view id) {
  if (met_.size() == k_most_met) met_.clear();
  return met_.insert(std::hash<std::string_view>()(id)).second;
}

}  // namespace pony
