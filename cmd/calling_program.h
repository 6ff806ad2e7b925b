// Who runs us: the user whose mail it is, and the program that called.
// Reads passwd and /proc; changes nothing.
#pragma once

#include <string>

namespace pony {

struct CallingUser {
  std::string login;      // fit for the front of an address
  std::string full_name;  // of the passwd's comment; may be empty
};

// The user whose process we are; one whom passwd does not know is "uid1000".
CallingUser calling_user();

// The name of the program that called us, as ps shows it, shells between it
// and us left out: for a line of crontab that is "cron". Empty when it cannot
// be told. `proc` is where Linux tells of processes, `pid` whose caller it is.
std::string calling_program(const std::string& proc, int pid);

}  // namespace pony
