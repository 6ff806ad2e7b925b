// An attempt's envelope: who it is from and who shall get it, as they go over
// a wire or into an argument list.
//
// Promises: nothing in it can end a command or become a second one. The
// addresses were checked when the message was accepted; they are checked again
// here, at the edge, because a spool's files are input from outside.
#pragma once

#include <string>
#include <vector>

#include "core/provider/provider.h"
#include "core/result.h"

namespace pony {

struct Envelope {
  std::string sender;                   // empty: the null sender
  std::vector<std::string> recipients;  // in the order of the attempt's
  // Some local part is not ASCII (RFC 6531), here or in the message's header.
  bool needs_utf8 = false;
};

// The envelope of `attempt`, domains as A-labels. Only a finished message may
// have the null sender. bad_data when an address
// holds a control character, white space, '<' or '>', or has no wire form.
Result<Envelope> envelope_of(const Attempt& attempt);

}  // namespace pony
