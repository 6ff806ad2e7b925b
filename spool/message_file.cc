#include "spool/message_file.h"

#include <utility>

#include "spool/message_id.h"

namespace pony {
namespace {

// Members of the message-line that are the spool's, not the message's.
bool is_envelope_key(std::string_view key) {
  return key == "pony" || key == "id" || key == "accepted_at" || key == "mode";
}

// What matters is that a large message is not copied because its line grows.
std::size_t likely_size(const Message& message) {
  auto size = 512 + message.text.size() + message.html.size();
  for (const auto& attachment : message.attachments) {
    size += attachment.content.size() + 512;
  }
  return size;
}

}  // namespace

std::string message_file_name(std::string_view id) {
  return std::string(id).append(k_message_suffix);
}

std::string_view id_of_file_name(std::string_view name) {
  if (!name.ends_with(k_message_suffix)) return {};
  name.remove_suffix(k_message_suffix.size());
  return is_message_id(name) ? name : std::string_view{};
}

std::string message_line(std::string_view id, Time accepted_at, Mode mode,
                         const Message& message) {
  std::string line;
  line.reserve(likely_size(message));
  line.append("{\"pony\":1,\"id\":\"");
  line.append(id).append("\",\"accepted_at\":\"");
  line.append(format_time(accepted_at)).append("\"");
  if (mode == Mode::send) line.append(",\"mode\":\"send\"");
  const auto brace = line.size();
  append_json(line, to_json(message));
  const bool is_empty = line.size() - brace == 2;  // {}
  if (is_empty) {
    line.erase(brace, 1);
  } else {
    line[brace] = ',';
  }
  line.append("\n");
  return line;
}

Result<MessageFile> parse_message_file(std::string_view content,
                                       std::string_view id) {
  const auto end = content.find('\n');
  if (end == std::string_view::npos)
    return fail(Error::Kind::bad_data, "its first line is not complete");
  auto json = parse_json(content.substr(0, end));
  if (!json) return wrap(json.error(), "its first line is not JSON");
  if (json->number_of("pony") != 1)
    return fail(Error::Kind::bad_data,
                "its first line is not a message of format version 1");
  if (json->text_of("id") != id)
    return fail(Error::Kind::bad_data, "its first line names another id");
  auto accepted_at = parse_time(json->text_of("accepted_at"));
  if (!accepted_at) return wrap(accepted_at.error(), "'accepted_at'");

  MessageFile file;
  file.id = id;
  file.accepted_at = *accepted_at;
  file.mode = json->text_of("mode") == "send" ? Mode::send : Mode::queue;
  file.size = content.size();
  std::erase_if(json->members, [](const JsonMember& member) {
    return is_envelope_key(member.key);
  });
  auto message = message_from(*json);
  if (!message) return tl::unexpected(message.error());
  file.message = std::move(*message);

  std::vector<std::string> recipients;
  for (const auto& address : file.message.recipients())
    recipients.push_back(address.email);
  content.remove_prefix(end + 1);
  while (!content.empty()) {
    const auto line_end = content.find('\n');
    const auto line = content.substr(0, line_end);
    auto event = parse_event(line);
    if (event && event->id == id) {
      file.history.add(*event, recipients);
      file.events.push_back(std::move(*event));
    } else if (!line.empty()) {
      ++file.unreadable_lines;
    }
    if (line_end == std::string_view::npos) break;
    content.remove_prefix(line_end + 1);
  }
  return file;
}

Delivery delivery_from(MessageFile file) {
  return {std::move(file.id), file.accepted_at, std::move(file.message),
          std::move(file.history)};
}

}  // namespace pony
