#include "core/mime/mail_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/address.h"
#include "core/json.h"
#include "core/lower_case.h"
#include "core/mime/body_encoding.h"
#include "core/mime/gmime_bounds.h"
#include "core/mime/gmime_objects.h"
#include "core/mime/header_decoding.h"
#include "core/mime/raw_mail.h"
#include "core/raw_message.h"

namespace pony {
namespace {

// As for a message in JSON.
constexpr std::size_t k_most_files = 100;
constexpr std::size_t k_most_headers = 100;
constexpr std::size_t k_longest_header = 16'384;
constexpr std::size_t k_longest_name = 1'024;
constexpr std::size_t k_longest_file_name = 255;

// Cuts `text` (UTF-8) to at most `limit` bytes, between characters.
std::string cut(std::string text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 &&
         (static_cast<unsigned char>(text[limit]) & 0xC0U) == 0x80U)
    --limit;
  text.resize(limit);
  return text;
}

// Reads the addresses of a field.
class AddressReader {
 public:
  explicit AddressReader(const GmimeLibrary& gmime) : gmime_(gmime) {}

  std::vector<Address> read(std::string_view value) {
    const std::string line = with_q_words(to_utf8(unfolded(value), ""));
    const GmimeOwned<InternetAddressList> list(
        gmime_, gmime_.address_list_parse(nullptr, line.c_str()));
    if (list) add(list.get(), 0);
    return std::move(addresses_);
  }

 private:
  void add(InternetAddressList* list, int depth) {
    const int count = gmime_.address_list_length(list);
    for (int i = 0; i < count; ++i) {
      InternetAddress* one = gmime_.address_list_get(list, i);
      if (is_a(gmime_, one, gmime_.group_type())) {
        auto* members = gmime_.group_get_members(
            reinterpret_cast<InternetAddressGroup*>(one));
        if (members != nullptr && depth < 10) add(members, depth + 1);
      } else if (is_a(gmime_, one, gmime_.mailbox_type())) {
        add_mailbox(one);
      }
    }
  }
  void add_mailbox(InternetAddress* one) {
    Address address;
    address.email = text_of(gmime_.mailbox_get_addr(
        reinterpret_cast<InternetAddressMailbox*>(one)));
    if (!check_email(address.email)) return;
    address.name =
        cut(on_one_line(to_utf8(text_of(gmime_.address_get_name(one)), "")),
            k_longest_name);
    addresses_.push_back(std::move(address));
  }

  const GmimeLibrary& gmime_;
  std::vector<Address> addresses_;
};

bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= 100 &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return c > ' ' && c < '\x7F' &&
                  std::string_view("()<>@,;:\\\"/[]?=").find(c) ==
                      std::string_view::npos;
         });
}

bool is_content_id(std::string_view text) {
  return !text.empty() && text.size() <= k_longest_file_name &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return c > ' ' && c < '\x7F' &&
                  std::string_view("<>()\"\\").find(c) ==
                      std::string_view::npos;
         });
}

// A name without a path, for a file that somebody else will write.
std::string clean_file_name(std::string_view name) {
  std::string clean = cut(on_one_line(to_utf8(name, "")), k_longest_file_name);
  for (char& c : clean)
    if (c == '/' || c == '\\' || c == '"') c = '_';
  return clean == "." || clean == ".." ? "_" : clean;
}

// Sorts the parts of a message: a text, an HTML, files.
class PartReader {
 public:
  PartReader(const GmimeLibrary& gmime, RenderedMessage& mail,
             std::vector<std::string>& reduced)
      : gmime_(gmime), mail_(mail), reduced_(reduced) {}

  Result<> read(GMimeObject* object) {
    walk(object, 0);
    if (!problem_.empty()) return fail(Error::Kind::bad_data, problem_);
    // Many files have an id that nothing refers to.
    for (Attachment& file : mail_.attachments)
      if (mail_.html.find("cid:" + file.cid) == std::string::npos)
        file.cid.clear();
    return {};
  }

 private:
  void walk(GMimeObject* object, int depth) {
    if (object == nullptr || !problem_.empty() || depth > k_deepest_part)
      return;
    if (is_a(gmime_, object, gmime_.multipart_encrypted_type())) {
      problem_ = "it is encrypted, which parts cannot say";
    } else if (is_a(gmime_, object, gmime_.multipart_type())) {
      walk_children(object, depth);
    } else if (is_a(gmime_, object, gmime_.message_part_type())) {
      add_message(object);
    } else if (is_a(gmime_, object, gmime_.part_type())) {
      add_part(object);
    }
  }
  void walk_children(GMimeObject* object, int depth) {
    if (is_a(gmime_, object, gmime_.multipart_signed_type()) &&
        !said_signature_) {
      said_signature_ = true;
      reduced_.emplace_back("its signature (the message goes in parts)");
    }
    auto* multipart = reinterpret_cast<GMimeMultipart*>(object);
    const int count = gmime_.multipart_get_count(multipart);
    for (int i = 0; i < count && problem_.empty(); ++i)
      walk(gmime_.multipart_get_part(multipart, i), depth + 1);
  }

  std::string type_of(GMimeObject* object) const {
    GMimeContentType* type = gmime_.object_get_content_type(object);
    if (type == nullptr) return "text/plain";
    const std::string_view media = text_of(gmime_.media_type(type));
    const std::string_view sub = text_of(gmime_.media_subtype(type));
    if (!is_token(media) || !is_token(sub)) return "application/octet-stream";
    return in_lower_case(media) + "/" + in_lower_case(sub);
  }

  void add_part(GMimeObject* object) {
    const std::string type = type_of(object);
    const std::string_view disposition =
        text_of(gmime_.object_get_disposition(object));
    auto* part = reinterpret_cast<GMimePart*>(object);
    const bool is_file = in_lower_case(disposition) == "attachment" ||
                         !text_of(gmime_.part_get_filename(part)).empty();
    const bool is_text = is_a(gmime_, object, gmime_.text_part_type());
    ++count_;
    if (!is_file && is_text && type == "text/plain" && mail_.text.empty()) {
      mail_.text = text_in(object);
    } else if (!is_file && is_text && type == "text/html" &&
               mail_.html.empty()) {
      mail_.html = text_in(object);
    } else {
      add_file(object, type);
    }
  }

  // What the part holds, its transfer encoding undone.
  std::string content_of(GMimeObject* object) const {
    GMimeDataWrapper* content =
        gmime_.part_get_content(reinterpret_cast<GMimePart*>(object));
    if (content == nullptr) return {};
    const GmimeOwned<GMimeStream> stream(gmime_, gmime_.stream_mem_new());
    (void)gmime_.wrapper_write_to_stream(content, stream.get());
    return bytes_in(gmime_, stream.get());
  }

  std::string_view charset_of(GMimeObject* object) const {
    GMimeContentType* type = gmime_.object_get_content_type(object);
    if (type == nullptr) return {};
    const std::string_view charset =
        text_of(gmime_.type_parameter(type, "charset"));
    return is_token(charset) ? charset : std::string_view{};
  }

  // Text in UTF-8 with the line ends of this system.
  std::string text_in(GMimeObject* object) const {
    const std::string text = to_utf8(content_of(object), charset_of(object));
    std::string lines;
    lines.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i)
      if (text[i] != '\r' || i + 1 == text.size() || text[i + 1] != '\n')
        lines.push_back(text[i]);
    return lines;
  }

  bool has_room() {
    if (mail_.attachments.size() < k_most_files) return true;
    problem_ = fmt::format("it has over {} files", k_most_files);
    return false;
  }

  void add_file(GMimeObject* object, const std::string& type) {
    if (!has_room()) return;
    auto* part = reinterpret_cast<GMimePart*>(object);
    Attachment file;
    file.filename = clean_file_name(text_of(gmime_.part_get_filename(part)));
    if (file.filename.empty()) file.filename = fmt::format("part-{}", count_);
    file.content_type = type;
    const std::string_view charset = charset_of(object);
    if (type.starts_with("text/") && !charset.empty())
      file.content_type.append("; charset=").append(charset);
    const std::string_view cid = text_of(gmime_.object_get_content_id(object));
    if (is_content_id(cid)) file.cid = cid;
    append_base64_run(file.content, content_of(object));
    mail_.attachments.push_back(std::move(file));
  }

  void add_message(GMimeObject* object) {
    if (!has_room()) return;
    ++count_;
    GMimeMessage* message = gmime_.message_part_get_message(
        reinterpret_cast<GMimeMessagePart*>(object));
    if (message == nullptr) return;
    const GmimeOwned<GMimeStream> stream(gmime_, gmime_.stream_mem_new());
    (void)gmime_.object_write_to_stream(reinterpret_cast<GMimeObject*>(message),
                                        nullptr, stream.get());
    Attachment file;
    file.filename = fmt::format("message-{}.eml", count_);
    file.content_type = "message/rfc822";
    append_base64_run(file.content, bytes_in(gmime_, stream.get()));
    mail_.attachments.push_back(std::move(file));
  }

  const GmimeLibrary& gmime_;
  RenderedMessage& mail_;
  std::vector<std::string>& reduced_;
  std::string problem_;
  bool said_signature_ = false;
  int count_ = 0;
};

// Only for finding who is meant: hardly a mailbox tells case apart, and people
// write it as they like.
std::string comparable(const std::string& email) {
  auto wire = wire_email(email);
  return in_lower_case(wire ? *wire : email);
}

// What stands in the header: whom it names, what it is called.
class HeaderReader {
 public:
  HeaderReader(const GmimeLibrary& gmime, const RenderedMessage& given,
               RenderedMessage& mail, std::vector<std::string>& reduced)
      : gmime_(gmime), given_(given), mail_(mail), reduced_(reduced) {}

  Result<> read(std::string_view header) {
    RawField field;
    while (next_field(header, field)) take(field);
    if (mail_.from.email.empty()) mail_.from = given_.from;
    if (mail_.from.email.empty())
      return fail(Error::Kind::bad_data, "it names no sender");
    give_roles();
    if (left_out_ > 0)
      reduced_.push_back(fmt::format("{} of its header fields", left_out_));
    return {};
  }

 private:
  void take(const RawField& field) {
    const std::string name = in_lower_case(field.name);
    if (name == "from") {
      if (mail_.from.email.empty()) mail_.from = first_in(field);
    } else if (name == "reply-to") {
      Address address = first_in(field);
      if (!address.email.empty()) mail_.reply_to = std::move(address);
    } else if (name == "to") {
      append(to_, field);
    } else if (name == "cc") {
      append(cc_, field);
    } else if (name == "subject") {
      if (mail_.subject.empty())
        mail_.subject = cut(decoded_header(field.value), k_longest_header);
    } else if (is_free_header_name(field.name)) {
      take_custom(field);
    }
  }
  void take_custom(const RawField& field) {
    if (mail_.headers.size() == k_most_headers ||
        field.value.size() > k_longest_header) {
      ++left_out_;
      return;
    }
    std::string value = decoded_header(field.value);
    if (!value.empty())
      mail_.headers.push_back({std::string(field.name), std::move(value)});
  }

  Address first_in(const RawField& field) const {
    auto all = AddressReader(gmime_).read(field.value);
    return all.empty() ? Address{} : std::move(all.front());
  }
  void append(std::vector<Address>& list, const RawField& field) const {
    for (Address& one : AddressReader(gmime_).read(field.value))
      list.push_back(std::move(one));
  }

  // The envelope says who, the header by which name and in which role.
  void give_roles() {
    std::vector<std::pair<std::string, Address>> envelope;
    for (const std::string& email : recipients_of(given_))
      envelope.emplace_back(comparable(email), Address{"", email});
    std::sort(envelope.begin(), envelope.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<bool> taken(envelope.size(), false);
    const auto give = [&](const std::vector<Address>& named,
                          std::vector<Address>& role) {
      for (const Address& one : named) {
        const std::string key = comparable(one.email);
        const auto found = std::lower_bound(
            envelope.begin(), envelope.end(), key,
            [](const auto& entry, const auto& k) { return entry.first < k; });
        if (found == envelope.end() || found->first != key) {
          ++not_reached_;
          continue;
        }
        const auto at = static_cast<std::size_t>(found - envelope.begin());
        if (taken[at]) continue;
        taken[at] = true;
        role.push_back({one.name, found->second.email});
      }
    };
    give(to_, mail_.to);
    give(cc_, mail_.cc);
    for (std::size_t i = 0; i < envelope.size(); ++i)
      if (!taken[i]) mail_.bcc.push_back(envelope[i].second);
    if (not_reached_ > 0)
      reduced_.push_back(fmt::format(
          "{} of those whom its header names, who are no recipients",
          not_reached_));
  }

  const GmimeLibrary& gmime_;
  const RenderedMessage& given_;
  RenderedMessage& mail_;
  std::vector<std::string>& reduced_;
  std::vector<Address> to_;
  std::vector<Address> cc_;
  std::size_t left_out_ = 0;
  std::size_t not_reached_ = 0;
};

Result<std::shared_ptr<const RenderedMessage>> parse_mail(
    const GmimeLibrary& gmime, const RenderedMessage& given,
    std::vector<std::string>& reduced) {
  std::string wire = wire_form(given.raw);
  if (auto checked = check_for_gmime(wire); !checked)
    return tl::unexpected<Error>(checked.error());
  auto mail = std::make_shared<RenderedMessage>();
  mail->id = given.id;
  mail->accepted_at = given.accepted_at;
  mail->tags = given.tags;
  mail->metadata = given.metadata;
  mail->idempotency_key = given.idempotency_key;
  if (auto read =
          HeaderReader(gmime, given, *mail, reduced).read(header_of(wire));
      !read) {
    return tl::unexpected<Error>(read.error());
  }
  wire = prepared_for_gmime(std::move(wire));
  const GmimeOwned<GMimeMessage> message(gmime, parsed_by_gmime(gmime, wire));
  wire = std::string();
  if (!message) return fail(Error::Kind::bad_data, "it is no message");
  if (auto read = PartReader(gmime, *mail, reduced)
                      .read(gmime.message_get_mime_part(message.get()));
      !read) {
    return tl::unexpected<Error>(read.error());
  }
  return mail;
}

}  // namespace

Result<> can_parse_mail() {
  if (auto gmime = gmime_library(); !gmime)
    return tl::unexpected<Error>(gmime.error());
  return {};
}

Result<std::shared_ptr<const RenderedMessage>> parsed_mail(
    const RenderedMessage& message) {
  ParsedRaw once;
  ParsedRaw& parsed = message.parsed ? *message.parsed : once;
  if (parsed.mail) return parsed.mail;
  if (!parsed.problem.empty())
    return fail(Error::Kind::bad_data, parsed.problem);
  const auto gmime = gmime_library();
  if (!gmime) return tl::unexpected<Error>(gmime.error());
  auto mail = parse_mail(**gmime, message, parsed.reduced);
  if (mail) {
    parsed.mail = *mail;
  } else {
    parsed.problem = mail.error().what;
  }
  return mail;
}

}  // namespace pony
