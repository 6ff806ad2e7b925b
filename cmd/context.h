// What a command works with: options that all of them have, streams, clock,
// and, made when first asked for, configuration and spool.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cmd/io.h"
#include "core/clock.h"
#include "core/config.h"
#include "core/result.h"
#include "spool/spool.h"

namespace pony {

struct GlobalOptions {
  std::string config;
  std::string spool;
  bool quiet = false;
  bool verbose = false;
  bool json = false;
  bool no_color = false;
};

class Context {
 public:
  Context(Io& io, const Clock& clock) : io_(io), clock_(clock) {}

  GlobalOptions options;
  // Nothing but the command's name was typed (after options of every
  // command): a command with many options need not build them, which would
  // be a tenth of what handing over one message costs.
  bool bare = false;

  Io& io() { return io_; }
  const Clock& clock() const { return clock_; }

  // The configuration, read at the first call, its warnings told once.
  // --spool is applied.
  Result<const Config*> config();
  // For who must not lose a mail because it is wrong: what can be read of it,
  // with the rest as if it were not there; `problem` says why. Good for the
  // spool and for accepting, until the process ends.
  const Config& readable_config(std::optional<Error>& problem);
  // Reads it again (SIGHUP); on an error the old one stays.
  Result<> reload_config();
  // The spool, opened (and made, if missing) at the first call. A command
  // that is given --spool and nothing else needs no configuration for this.
  Result<Spool*> spool();

  // One line of talk: "pony COMMAND: …". Nothing with --quiet.
  void say(std::string_view text);
  // Something a person should know, also with --quiet.
  void warn(std::string_view text);
  // An error as the command line tells it: the sentence, every problem, the
  // hint; with --json one object.
  void tell(const Error& error);

  std::string command;  // for messages

 private:
  Io& io_;
  const Clock& clock_;
  std::optional<Config> config_;
  std::unique_ptr<Spool> spool_;
};

}  // namespace pony
