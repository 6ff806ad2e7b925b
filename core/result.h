// Result<T>: what a function that can be refused by the world returns.
//
// A value, or an Error that says what failed, on what and why, in one
// sentence. Only cmd/cli.cc turns an Error into words on stderr and an exit
// code. Debian's tl::expected 1.0.0 is not [[nodiscard]], so it is said here;
// the day we are C++23 the base becomes std::expected.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace pony {

// One thing that is wrong with a piece of input. `place` says where
// ("to[1]", "pony.yaml:14"), `hint` what to do ("did you mean 'retry'?").
// Place and hint may be empty.
struct Problem {
  std::string place;
  std::string what;
  std::string hint;
};

struct Error {
  // Causes, not exit codes: cmd/cli.cc knows which sysexits number each is.
  enum class Kind {
    usage,          // the command line is wrong
    bad_data,       // the input is not a valid message
    not_found,      // no such file, template or id
    refused,        // done, and refused for good (a provider's rejection)
    cannot_create,  // the spool or an output cannot be made
    disk,           // a read, write or sync failed
    temporary,      // not done; call again
    no_permission,  // we may not, or a stranger could
    config,         // pony.yaml is wrong
    busy,           // somebody else holds it (a claimed message)
  };

  Kind kind = Kind::disk;
  std::string what;  // lower case, no full stop, objects in 'single quotes'
  std::string hint;  // advice, printed on a line of its own; may be empty
  std::vector<Problem> problems;  // when there is more than one thing wrong
};

template <class T = void>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

// fail(Kind::config, "unknown key 'retires'", "did you mean 'retry'?")
inline tl::unexpected<Error> fail(Error::Kind kind, std::string what,
                                  std::string hint = {}) {
  return tl::unexpected<Error>(
      Error{kind, std::move(what), std::move(hint), {}});
}

// Refuses input with everything that is wrong with it.
inline tl::unexpected<Error> fail(Error::Kind kind, std::string what,
                                  std::vector<Problem> problems) {
  return tl::unexpected<Error>(
      Error{kind, std::move(what), {}, std::move(problems)});
}

// Passes `cause` on, saying what we were doing:
// wrap(e, "cannot claim message '01J…'") → "cannot claim message '01J…': …".
inline tl::unexpected<Error> wrap(Error cause, std::string_view doing) {
  cause.what = std::string(doing) + ": " + cause.what;
  return tl::unexpected<Error>(std::move(cause));
}

// An Error of the kind that `error_number` (an errno) calls for:
// EACCES/EPERM/EROFS → no_permission, ENOENT → not_found,
// EMFILE/ENFILE/ENOMEM/EAGAIN → temporary, all else → disk. The sentence is
// `doing` + ": " + the system's words.
tl::unexpected<Error> fail_errno(int error_number, std::string_view doing);

}  // namespace pony
