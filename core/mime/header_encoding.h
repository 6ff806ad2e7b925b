// How text gets into a mail header: folding (RFC 5322, 2.2.3), encoded-words
// (RFC 2047), display names, file names (RFC 2231).
//
// Promises: what is written is ASCII when what is handed in is UTF-8 text (an
// address is written as it is); lines of at most 78 bytes wherever there is a
// space to fold at, and of at most 76 with an encoded-word in them; reading
// back gives what was handed in. Doesn't know: which headers a message has,
// and whether a text may be in a header at all. No line break may come in
// here; core/mime/builder.cc sees to that.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace pony {

// Where an encoded-word stands decides what it may spell as it is (RFC 2047,
// 5): in a phrase, that is a display name, only letters, digits and !*+-/.
enum class EncodedIn : std::uint8_t { text, phrase };

// One header, written word by word to the end of a string and folded on the
// way. Keeps a reference to that string; finish with end().
class HeaderLine {
 public:
  // Writes "Name:". `out` stands at the beginning of a line.
  HeaderLine(std::string& out, std::string_view name);

  // Appends `spaces` spaces and `word`, on a new line if this one has no room.
  // `word` is never split; `spaces` is at least one, for there it is folded.
  void word(std::string_view word, std::size_t spaces = 1);
  // Appends the words of `text`, which is folded only at its spaces. Spaces
  // between words are kept, those at the ends are not.
  void words(std::string_view text);
  // Appends `text` (UTF-8) as encoded-words of at most 75 characters, split
  // between whole characters; base64 or Q, whichever is shorter.
  void encoded(std::string_view text, EncodedIn place);
  // Appends "Name <email>", with `name` as atoms, a quoted-string or
  // encoded-words as it needs, and `after` (a comma, say) close behind.
  void address(std::string_view name, std::string_view email,
               std::string_view after);
  // Ends the line.
  void end();

 private:
  std::size_t column() const { return out_.size() - line_start_; }
  void fold();

  std::string& out_;
  std::size_t line_start_;
  std::size_t limit_;     // of this line
  bool is_empty_ = true;  // nothing but the name so far
};

// Can the header be folded at its spaces so that no line is over 998 bytes
// (RFC 5322, 2.1.1)?
bool can_fold(std::string_view name, std::string_view value);

// Appends the header with `value` as it is, folded at spaces only.
void append_kept_header(std::string& out, std::string_view name,
                        std::string_view value);
// Appends the header with `value` (UTF-8) readable as text: as it is if that
// reads back the same, else as encoded-words.
void append_text_header(std::string& out, std::string_view name,
                        std::string_view value);

// Appends the file name as parameters of Content-Disposition, each on a line
// of its own behind a ";". A plain short name is one `filename`; any other is
// `filename*`, in sections if it is long, and an ASCII `filename` for programs
// that do not know RFC 2231. Nothing for an empty name.
void append_file_name(std::string& out, std::string_view name);

}  // namespace pony
