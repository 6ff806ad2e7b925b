// The addresses of a header such as To, or of an argument of sendmail: who
// they are, and where each stands in the text.
//
// Promises: any bytes give an answer; lenient as mail is (RFC 5322, 3.4 with
// the obsolete forms): groups, comments, quoted names, source routes,
// encoded-words with a comma in them. What is read is bare, as
// "ann@example.com" or the local name "root"; whether it is an address is
// check_email's to say.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace pony {

struct ListedAddress {
  std::string address;  // comments and white space taken out
  std::size_t end = 0;  // of the address, in the text: "@domain" fits in there

  bool is_local_name() const { return address.find('@') == std::string::npos; }
};

// In the order of the text; at most `limit` of them.
std::vector<ListedAddress> read_address_list(std::string_view text,
                                             std::size_t limit);

}  // namespace pony
