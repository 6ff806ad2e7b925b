#include "cmd/mailq.h"

#include <fmt/format.h>

#include <cstdint>
#include <ctime>

#include "cmd/queue_format.h"
#include "core/json.h"

namespace pony {
namespace {

// An id of 26 and its mark. A file that another program dropped has none yet.
constexpr int k_id_columns = 27;
constexpr int k_columns_before_sender = k_id_columns + 1 + 8 + 1 + 20 + 1;
constexpr std::string_view k_no_id = "DROPPED";
constexpr std::size_t k_reason_limit = 300;

std::string local_time(Time time, const char* format) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  char text[64] = "";
  if (::localtime_r(&seconds, &parts) != nullptr)
    (void)std::strftime(text, sizeof text, format, &parts);
  return text;
}

// Of what is being sent that counts, whatever it was before.
std::string_view mark_of(const Listed& listed) {
  if (listed.state == State::claimed) return "*";
  if (listed.state == State::held) return "!";
  if (listed.file && !listed.file->history.unknown_at.empty()) return "?";
  return "";
}

std::string why_it_waits(const Listed& listed, Time now) {
  std::string why = printable(last_error_of(listed), k_reason_limit);
  if (!listed.file || listed.state != State::deferred) return why;
  const auto& next = listed.file->history.next_at;
  if (!next || *next <= now) return why;
  const bool is_soon = *next - now < std::chrono::hours(20);
  return why + (why.empty() ? "" : "; ") + "next try " +
         local_time(*next, is_soon ? "%H:%M" : "%b %e %H:%M");
}

}  // namespace

std::string mailq_header() {
  return fmt::format("{:<{}} --Size-- {:<20} {}\n", "-Queue ID-", k_id_columns,
                     "----Arrival Time----", "-Sender/Recipient-------");
}

std::string mailq_entry(const Listed& listed, Time now) {
  const std::string id =
      listed.id.empty() ? std::string(k_no_id) : printable(listed.id, 60);
  const std::string sender =
      listed.sender ? printable(listed.sender->email) : "MAILER-DAEMON";
  std::string text =
      fmt::format("{:<{}} {:>8} {:<20} {}\n", id + std::string(mark_of(listed)),
                  k_id_columns, listed.size_bytes,
                  local_time(listed.arrived, "%a %b %d %H:%M:%S"), sender);
  if (const auto why = why_it_waits(listed, now); !why.empty())
    text += "(" + why + ")\n";
  for (const auto& recipient : open_recipients(listed))
    text +=
        std::string(k_columns_before_sender, ' ') + printable(recipient) + "\n";
  return text;
}

Result<int> print_mailq(Context& context) {
  Io& io = context.io();
  const Time now = context.clock().now();
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  auto done = for_each_listed(
      context, {}, {State::claimed, State::fresh, State::deferred, State::held},
      Look::contents, [&](const Listed& listed) {
        if (messages++ == 0) io.out(mailq_header());
        bytes += listed.size_bytes;
        io.out(mailq_entry(listed, now));
        return !io.broken_pipe();
      });
  if (!done) return tl::unexpected(done.error());
  io.out((messages > 0 ? "\n" : "") + queue_total(messages, bytes));
  return 0;
}

}  // namespace pony
