// Logs for ./dev bench report: what becomes of transactional mail in ten days,
// as pony writes it or as Postfix does.
//
//   logs pony EVENTS FOLDER      events-<day>.jsonl, ten files
//   logs postfix MESSAGES        a syslog, on standard output
//
// The same each time. Knows nothing of pony's code: the lines are spelled here.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>

namespace {

constexpr int k_days = 10;
const char* const k_domains[] = {"gmail.com", "outlook.com", "yahoo.com",
                                 "icloud.com", "proton.me"};
const char* const k_templates[] = {"welcome", "password_reset", "invoice",
                                   "receipt", "weekly_digest",  "login_alert"};
const char* const k_tags[] = {"\"signup\"",         "\"account\"",
                              "\"billing\",\"eu\"", "\"billing\"",
                              "\"digest\"",         "\"alert\",\"eu\""};
const char* const k_langs[] = {"en", "es", "de", "fr"};

std::mt19937_64 random_bits(20261122);

unsigned below(unsigned limit) {
  return static_cast<unsigned>(random_bits() % limit);
}

// Most mail goes to a few domains, the rest to many.
std::string some_domain() {
  if (below(10) < 6) return k_domains[below(5)];
  return "company" + std::to_string(below(400)) + ".example";
}

struct Writer {
  FILE* to;
  std::string text;
  void flush_if(std::size_t size) {
    if (text.size() < size) return;
    std::fwrite(text.data(), 1, text.size(), to);
    text.clear();
  }
};

// printf into a string.
template <class... Values>
void add(std::string& out, const char* format, Values... values) {
  char line[1024];
  const int size = std::snprintf(line, sizeof line, format, values...);
  out.append(line, static_cast<std::size_t>(size));
}

// A message: queued, one or two attempts, and what became of it; how many
// events that is.
int add_message(std::string& out, int day, std::int64_t ms, unsigned number) {
  const unsigned kind = below(6);
  char id[27];
  std::snprintf(id, sizeof id, "01KB%06X%08X%08X", number, below(0xFFFFFFFF),
                below(0xFFFFFFFF));
  char traits[256];
  std::snprintf(traits, sizeof traits,
                "\"template\":\"%s\",\"lang\":\"%s\",\"pool\":\"default\","
                "\"tags\":[%s],\"domain\":\"%s\"}\n",
                k_templates[kind], k_langs[below(4)], k_tags[kind],
                some_domain().c_str());
  const auto begin = [&](const char* event) {
    if (ms > 86'399'999) ms = 86'399'999;
    const int s = static_cast<int>(ms / 1000);
    add(out,
        "{\"ts\":\"2026-11-%02dT%02d:%02d:%02d.%03dZ\",\"event\":\"%s\","
        "\"id\":\"%s\",\"by\":\"web1:%u\",",
        day, s / 3600, s / 60 % 60, s % 60, static_cast<int>(ms % 1000), event,
        id, 4000 + number % 50);
  };
  begin("queued");
  out += traits;
  int events = 1;
  const unsigned fate = below(100);
  const unsigned queue_ms = 50 + below(3000);
  for (int attempt = 1; attempt <= 2; ++attempt) {
    const bool deferred = fate < 5 && attempt == 1;
    const bool failed = fate == 99;
    const unsigned latency_ms = 20 + below(300);
    ms += queue_ms + (attempt == 2 ? 60'000 : 0);
    const char* provider = number % 10 < 8 ? "main" : "second";
    begin("attempted");
    add(out,
        "\"attempt\":%d,\"provider\":\"%s\",\"outcome\":\"%s\","
        "\"latency_ms\":%u,\"queue_ms\":%u,",
        attempt, provider,
        deferred ? "unavailable"
        : failed ? "rejected"
                 : "accepted",
        latency_ms, queue_ms);
    if (deferred || failed)
      add(out, "\"status\":%d,\"error\":\"%s\",", deferred ? 503 : 550,
          deferred ? "503 Service Unavailable" : "550 5.1.1 no such user");
    else
      add(out, "\"provider_id\":\"p-%016llx\",\"status\":202,",
          static_cast<unsigned long long>(random_bits()));
    out += traits;
    begin(deferred ? "deferred" : failed ? "failed" : "sent");
    add(out, "\"attempt\":%d,", attempt);
    if (deferred || failed)
      add(out, "\"queue_ms\":%u,\"reason\":\"%s\",", queue_ms,
          deferred ? "no provider could take it" : "550 5.1.1 no such user");
    else
      add(out, "\"provider\":\"%s\",\"latency_ms\":%u,\"queue_ms\":%u,",
          provider, latency_ms, queue_ms);
    out += traits;
    events += 2;
    if (!deferred) break;
  }
  return events;
}

int write_pony(long events, const std::string& folder) {
  unsigned number = 0;
  for (int day = 0; day < k_days; ++day) {
    char name[64];
    std::snprintf(name, sizeof name, "/events-2026-11-%02d.jsonl", 10 + day);
    FILE* file = std::fopen((folder + name).c_str(), "w");
    if (file == nullptr) return 1;
    Writer writer{file, {}};
    const long wanted = events / k_days;
    for (long have = 0; have < wanted;) {
      have += add_message(writer.text, 10 + day, have * 86'300'000 / wanted,
                          number++);
      writer.flush_if(1U << 20);
    }
    writer.flush_if(0);
    if (std::fclose(file) != 0) return 1;
  }
  return 0;
}

// A message passes pickup, cleanup, the queue manager, one or two deliveries.
void add_postfix(std::string& out, long i, long messages) {
  const long day = i * k_days / messages;
  const int s = static_cast<int>(i * k_days % messages * 86'399 / messages);
  char head[64];
  std::snprintf(head, sizeof head, "Nov %02ld %02d:%02d:%02d mx1 postfix/",
                10 + day, s / 3600, s / 60 % 60, s % 60);
  char id[16];
  std::snprintf(
      id, sizeof id, "%010llX",
      static_cast<unsigned long long>(i) * 2654435761U & 0xFFFFFFFFFFU);
  const std::string domain = some_domain();
  const unsigned user = below(200'000);
  const unsigned fate = below(100);
  add(out, "%spickup[811]: %s: uid=33 from=<app>\n", head, id);
  add(out, "%scleanup[%ld]: %s: message-id=<%ld.%s@mx1.bench.example>\n", head,
      900 + i % 7, id, i, id);
  add(out,
      "%sqmgr[812]: %s: from=<app@bench.example>, size=%ld, nrcpt=1 (queue "
      "active)\n",
      head, id, 1800 + i % 900);
  const auto delivery = [&](const char* relay, const char* dsn,
                            const char* status, const char* words) {
    add(out,
        "%ssmtp[%ld]: %s: to=<user%u@%s>, relay=%s, delay=%u.%u, "
        "delays=0.02/0.01/0.3/0.9, dsn=%s, status=%s (%s)\n",
        head, 1000 + i % 40, id, user, domain.c_str(), relay, below(3),
        below(10), dsn, status, words);
  };
  const std::string relay = "mx." + domain + "[198.51.100.7]:25";
  if (fate < 5)
    delivery("none", "4.4.1", "deferred",
             "connect to mx: Connection timed out");
  if (fate == 99)
    delivery(relay.c_str(), "5.1.1", "bounced", "host said: 550 no such user");
  else
    delivery(relay.c_str(), "2.0.0", "sent", "250 2.0.0 OK 1763719000 qkc.1");
  add(out, "%sqmgr[812]: %s: removed\n", head, id);
}

int write_postfix(long messages) {
  Writer writer{stdout, {}};
  for (long i = 0; i < messages; ++i) {
    add_postfix(writer.text, i, messages);
    writer.flush_if(1U << 20);
  }
  writer.flush_if(0);
  return std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "pony") == 0)
    return write_pony(std::atol(argv[2]), argv[3]);
  if (argc == 3 && std::strcmp(argv[1], "postfix") == 0)
    return write_postfix(std::atol(argv[2]));
  std::fputs("logs pony EVENTS FOLDER | logs postfix MESSAGES\n", stderr);
  return 64;
}
