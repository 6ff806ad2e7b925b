#include "cmd/sendmail_flags.h"

#include <algorithm>
#include <utility>

#include "core/json.h"
#include "core/lower_case.h"
#include "core/message.h"
#include "core/mime/address_list.h"
#include "core/mime/submitted_mail.h"

namespace pony {
namespace {

// What follows a flag's letter.
enum class Value : std::uint8_t {
  none,
  needed,  // the rest of the word, else the next one
  glued,   // the rest of the word, if there is any
};

class FlagReader {
 public:
  FlagReader(std::span<const std::string_view> words, SendmailTask task)
      : words_(words) {
    flags_.task = task;
  }

  Result<SendmailFlags> read();

  struct Flag {
    char letter;
    Value value;
    Result<> (FlagReader::*take)(char letter, std::string_view value);
  };

 private:
  static const Flag* find(char letter);
  Result<> read_word();
  Result<> read_long(std::string_view word);
  Result<> read_group(std::string_view group);
  Result<> add_recipients(std::string_view word);
  void unknown(std::string_view flag);
  void tell_unknown();

  Result<> ignore(char, std::string_view) { return {}; }
  Result<> names_file(char letter, std::string_view);
  Result<> body_type(char, std::string_view value);
  Result<> mode(char, std::string_view value);
  Result<> full_name(char, std::string_view value);
  Result<> sender(char, std::string_view value);
  Result<> aliases(char, std::string_view);
  Result<> dots(char, std::string_view);
  Result<> notify(char, std::string_view value);
  Result<> long_option(char, std::string_view value);
  Result<> old_option(char, std::string_view value);
  Result<> queue(char, std::string_view value);
  Result<> dsn_return(char, std::string_view value);
  Result<> from_header(char, std::string_view);
  Result<> envelope_id(char, std::string_view value);
  Result<> verbose(char, std::string_view);

  static const Flag k_flags[];

  std::span<const std::string_view> words_;
  std::size_t at_ = 0;
  bool has_sendmails_own_ = false;  // a flag or recipient was read
  SendmailFlags flags_;
  std::string first_unknown_;
  std::size_t unknown_ = 0;
};

// Those that take a value take one in sendmail, Postfix or both.
constexpr FlagReader::Flag FlagReader::k_flags[] = {
    {'A', Value::needed, &FlagReader::ignore},
    {'B', Value::needed, &FlagReader::body_type},
    {'C', Value::needed, &FlagReader::names_file},
    {'D', Value::needed, &FlagReader::names_file},
    {'E', Value::none, &FlagReader::ignore},
    {'F', Value::needed, &FlagReader::full_name},
    {'G', Value::none, &FlagReader::ignore},
    {'I', Value::none, &FlagReader::aliases},
    {'L', Value::needed, &FlagReader::ignore},
    {'N', Value::needed, &FlagReader::notify},
    {'O', Value::needed, &FlagReader::long_option},
    {'R', Value::needed, &FlagReader::dsn_return},
    {'U', Value::none, &FlagReader::ignore},
    {'V', Value::needed, &FlagReader::envelope_id},
    {'X', Value::needed, &FlagReader::names_file},
    {'b', Value::needed, &FlagReader::mode},
    {'c', Value::none, &FlagReader::ignore},
    {'d', Value::glued, &FlagReader::ignore},
    {'e', Value::needed, &FlagReader::ignore},
    {'f', Value::needed, &FlagReader::sender},
    {'h', Value::needed, &FlagReader::ignore},
    {'i', Value::none, &FlagReader::dots},
    {'m', Value::none, &FlagReader::ignore},
    {'n', Value::none, &FlagReader::ignore},
    {'o', Value::needed, &FlagReader::old_option},
    {'p', Value::needed, &FlagReader::ignore},
    {'q', Value::glued, &FlagReader::queue},
    {'r', Value::needed, &FlagReader::sender},
    {'t', Value::none, &FlagReader::from_header},
    {'v', Value::none, &FlagReader::verbose},
    {'x', Value::none, &FlagReader::ignore},
};

tl::unexpected<Error> usage(std::string what, std::string hint = {}) {
  return fail(Error::Kind::usage, std::move(what), std::move(hint));
}

tl::unexpected<Error> has_line_break(std::string_view what,
                                     std::string_view value) {
  return fail(Error::Kind::bad_data,
              std::string(what) + " '" + printable(value, 100) +
                  "' holds a line break or another control character");
}

const FlagReader::Flag* FlagReader::find(char letter) {
  for (const Flag& flag : k_flags)
    if (flag.letter == letter) return &flag;
  return nullptr;
}

Result<SendmailFlags> FlagReader::read() {
  while (at_ < words_.size())
    if (auto read = read_word(); !read) return tl::unexpected(read.error());
  tell_unknown();
  return std::move(flags_);
}

Result<> FlagReader::read_word() {
  const std::string_view word = words_[at_++];
  if (word == "--") {
    for (; at_ < words_.size(); ++at_)
      if (auto added = add_recipients(words_[at_]); !added) return added;
    return {};
  }
  if (word.starts_with("--")) return read_long(word.substr(2));
  has_sendmails_own_ = true;
  if (word.size() > 1 && word.starts_with('-'))
    return read_group(word.substr(1));
  return add_recipients(word);
}

// pony's own options; a value is the next word, or behind "=".
Result<> FlagReader::read_long(std::string_view word) {
  const std::size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  std::string* value = name == "config"  ? &flags_.config
                       : name == "spool" ? &flags_.spool
                                         : nullptr;
  if (value == nullptr) {
    if (name == "help")
      flags_.task = SendmailTask::help;
    else if (name == "version")
      flags_.task = SendmailTask::version;
    else
      unknown(std::string("--").append(name));
    return {};
  }
  // What a web form adds to the end of a command line (PHP's mail() takes such
  // text) must not choose the file that says what is run.
  if (has_sendmails_own_)
    return usage("--" + std::string(name) +
                     " must come before sendmail's flags and recipients",
                 "write it first: sendmail --" + std::string(name) + " … -t");
  if (equals != std::string_view::npos) {
    *value = word.substr(equals + 1);
  } else if (at_ < words_.size()) {
    *value = words_[at_++];
  }
  if (value->empty()) return usage("--" + std::string(name) + " has no value");
  return {};
}

Result<> FlagReader::read_group(std::string_view group) {
  while (!group.empty()) {
    const char letter = group.front();
    group.remove_prefix(1);
    const Flag* flag = find(letter);
    if (flag == nullptr) {
      unknown(std::string("-") + letter);
      continue;
    }
    if (flag->value == Value::none) {
      if (auto taken = (this->*flag->take)(letter, {}); !taken) return taken;
      continue;
    }
    std::string_view value = group;
    if (value.empty() && flag->value == Value::needed) {
      if (at_ < words_.size())
        value = words_[at_++];
      else if (flag->take != &FlagReader::ignore)
        return usage(std::string("-") + letter + " has no value");
    }
    return (this->*flag->take)(letter, value);
  }
  return {};
}

Result<> FlagReader::add_recipients(std::string_view word) {
  if (has_control(word)) return has_line_break("the recipient", word);
  for (ListedAddress& one : read_address_list(word, k_most_recipients + 1))
    flags_.recipients.push_back(std::move(one.address));
  if (flags_.recipients.size() <= k_most_recipients) return {};
  return fail(Error::Kind::bad_data,
              "the message has more than 10,000 recipients");
}

void FlagReader::unknown(std::string_view flag) {
  if (unknown_++ == 0) first_unknown_ = printable(flag, 60);
}

// One warning, however many there are.
void FlagReader::tell_unknown() {
  if (unknown_ == 0) return;
  std::string text = "unknown flag '" + first_unknown_ + "' is ignored";
  if (unknown_ > 1)
    text += ", and so are " + std::to_string(unknown_ - 1) + " more";
  flags_.warnings.push_back(std::move(text));
}

Result<> FlagReader::names_file(char letter, std::string_view) {
  flags_.warnings.push_back(std::string("-") + letter +
                            " and the file that it names are ignored");
  return {};
}

// Mail goes out as it came, whichever it is.
Result<> FlagReader::body_type(char, std::string_view value) {
  const std::string type = in_lower_case(value);
  if (type != "7bit" && type != "8bitmime")
    flags_.warnings.push_back("-B '" + printable(value, 60) + "' is ignored");
  return {};
}

Result<> FlagReader::mode(char, std::string_view value) {
  switch (value.empty() ? ' ' : value.front()) {
    case 'm':
    case 'q':
      flags_.task = SendmailTask::submit;
      return {};
    case 's':
      flags_.task = SendmailTask::smtp_dialogue;
      return {};
    case 'p':
      flags_.task = SendmailTask::list_queue;
      return {};
    case 'i':
      flags_.task = SendmailTask::check_aliases;
      return {};
    case 'v':
      flags_.task = SendmailTask::show_routes;
      return {};
    case 'd':
    case 'D':
      return usage("pony is no SMTP daemon: there is no -b" +
                       std::string(value.substr(0, 1)),
                   "a program can speak SMTP with 'sendmail -bs', on its "
                   "standard input and output");
    case 'a':
    case 'h':
    case 'H':
    case 'P':
    case 't':
      return usage("pony has no mode -b" + std::string(value.substr(0, 1)),
                   "see: pony sendmail --help");
    default:
      unknown("-b" + std::string(value));
      return {};
  }
}

Result<> FlagReader::full_name(char, std::string_view value) {
  if (has_control(value)) return has_line_break("the name", value);
  if (is_utf8(value))
    flags_.full_name = value;
  else
    flags_.warnings.emplace_back(
        "the name given with -F is not UTF-8, and "
        "is ignored");
  return {};
}

Result<> FlagReader::sender(char, std::string_view value) {
  if (has_control(value)) return has_line_break("the sender", value);
  flags_.sender = bare_sender(value);
  return {};
}

Result<> FlagReader::aliases(char, std::string_view) {
  flags_.task = SendmailTask::check_aliases;
  return {};
}

Result<> FlagReader::dots(char, std::string_view) {
  flags_.lone_dot_is_text = true;
  return {};
}

Result<> FlagReader::notify(char, std::string_view value) {
  std::vector<std::string> when;
  std::string_view rest = value;
  bool is_right = true;
  while (is_right) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string one = in_lower_case(rest.substr(0, comma));
    const bool is_one = one == "success" || one == "failure" || one == "delay";
    is_right = is_one || (one == "never" && comma == value.size());
    if (std::find(when.begin(), when.end(), one) == when.end())
      when.push_back(one);
    if (comma == rest.size()) break;
    rest.remove_prefix(comma + 1);
  }
  if (is_right)
    flags_.notify = std::move(when);
  else
    flags_.warnings.push_back("-N '" + printable(value, 60) + "' is ignored");
  return {};
}

Result<> FlagReader::dsn_return(char, std::string_view value) {
  const std::string what = in_lower_case(value);
  if (what == "full")
    flags_.dsn_return = "full";
  else if (what == "hdrs")
    flags_.dsn_return = "headers";
  else
    flags_.warnings.push_back("-R '" + printable(value, 60) + "' is ignored");
  return {};
}

Result<> FlagReader::envelope_id(char, std::string_view value) {
  if (is_envelope_id(value))
    flags_.envelope_id = value;
  else
    flags_.warnings.push_back("-V '" + printable(value, 60) + "' is ignored");
  return {};
}

// "-O IgnoreDots=true" is -oi in long.
Result<> FlagReader::long_option(char, std::string_view value) {
  const std::string option = in_lower_case(value);
  if (option.starts_with("ignoredots") && !option.ends_with("=false") &&
      !option.ends_with("=0"))
    flags_.lone_dot_is_text = true;
  return {};
}

Result<> FlagReader::old_option(char, std::string_view value) {
  if (value == "i" || value.starts_with("i ")) flags_.lone_dot_is_text = true;
  return {};
}

Result<> FlagReader::queue(char, std::string_view value) {
  flags_.task = SendmailTask::run_queue;
  const char first = value.empty() ? 'f' : value.front();
  // Alone, or with an interval: pony runs once, cron or --loop repeats it.
  if (first == 'f' || first == 'p' || (first >= '0' && first <= '9')) return {};
  const std::string part(value.substr(1));
  std::vector<std::string>* list = first == 'I'   ? &flags_.queue_ids
                                   : first == 'R' ? &flags_.queue_recipients
                                   : first == 'S' ? &flags_.queue_senders
                                                  : nullptr;
  if (list == nullptr || part.empty() || has_control(part))
    return usage("pony cannot select mail by '-q" + printable(value, 60) + "'",
                 "-qIID, -qRRECIPIENT and -qSSENDER can");
  list->push_back(part);
  return {};
}

Result<> FlagReader::from_header(char, std::string_view) {
  flags_.recipients_from_header = true;
  return {};
}

Result<> FlagReader::verbose(char, std::string_view) {
  flags_.verbose = true;
  return {};
}

}  // namespace

Result<SendmailFlags> read_sendmail_flags(
    std::span<const std::string_view> words, SendmailTask task) {
  return FlagReader(words, task).read();
}

std::optional<SendmailTask> sendmail_task_of(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  if (name == "sendmail" || name == "send-mail") return SendmailTask::submit;
  if (name == "mailq") return SendmailTask::list_queue;
  if (name == "newaliases") return SendmailTask::check_aliases;
  return std::nullopt;
}

std::string bare_sender(std::string_view text) {
  const std::size_t open = text.rfind('<');
  const std::size_t close = text.rfind('>');
  if (open != std::string_view::npos && close != std::string_view::npos &&
      open < close)
    text = text.substr(open + 1, close - open - 1);
  const std::size_t begin = std::min(text.find_first_not_of(' '), text.size());
  text.remove_prefix(begin);
  return std::string(text.substr(0, text.find_last_not_of(' ') + 1));
}

}  // namespace pony
