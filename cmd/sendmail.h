// pony as the system's sendmail: the same program called `sendmail`, `mailq`
// or `newaliases`, or `pony sendmail`.
#pragma once

#include <span>
#include <string_view>

#include "cmd/context.h"
#include "cmd/sendmail_flags.h"

namespace pony {

// Does what `words` (without the program's name) ask of a program that does
// `task`, and answers with the exit code, sysexits.h's. Never 75: callers such
// as PHP take it for success. Never throws.
int run_sendmail(std::span<const std::string_view> words, SendmailTask task,
                 Context& context);

// For `pony sendmail`.
int run_sendmail_command(std::span<const std::string_view> words,
                         Context& context);

}  // namespace pony
