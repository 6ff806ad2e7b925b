// A person's editor on private copies of some texts.
//
// Promises: the copies are in a folder that nobody else can enter, under the
// names that the editor should see; they stay until discard() or until the
// texts were taken unchanged. Doesn't know: what the texts are.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/result.h"

namespace pony {

struct EditedText {
  std::string name;  // "subject.txt": of the file
  std::string text;
};

class EditingSession {
 public:
  // Writes the copies. cannot_create when there is no place for them.
  static Result<EditingSession> begin(const std::vector<EditedText>& texts);

  // Runs $VISUAL, $EDITOR or vi (by the shell, as git and crontab do) with the
  // copies as its arguments, until it ends. temporary when it could not be
  // run or ended with another exit code than 0; usage when no editor is named
  // and there is no terminal for vi.
  enum class Terminal { yes, no };
  Result<> run(Terminal terminal);
  // The copies as they are now. not_found, bad_data (more than `limit` bytes).
  Result<std::vector<EditedText>> read(std::size_t limit) const;
  // Removes them.
  void discard() const;
  const std::string& folder() const { return folder_; }

 private:
  explicit EditingSession(std::string folder) : folder_(std::move(folder)) {}

  std::string folder_;
  std::vector<std::string> names_;
};

}  // namespace pony
