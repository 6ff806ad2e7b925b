#include "core/provider/attachment_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "core/lower_case.h"

namespace pony {
namespace {

// The types that mail programs tell by extension, the usual one first.
struct TypedExtension {
  std::string_view type;
  std::string_view extensions;
};
constexpr TypedExtension k_typed_extensions[] = {
    {"application/gzip", "gz tgz"},
    {"application/json", "json"},
    {"application/msword", "doc dot"},
    {"application/pdf", "pdf"},
    {"application/rtf", "rtf"},
    {"application/vnd.ms-excel", "xls"},
    {"application/vnd.ms-powerpoint", "ppt"},
    {"application/vnd.oasis.opendocument.spreadsheet", "ods"},
    {"application/vnd.oasis.opendocument.text", "odt"},
    {"application/vnd.openxmlformats-officedocument.presentationml."
     "presentation",
     "pptx"},
    {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
     "xlsx"},
    {"application/vnd.openxmlformats-officedocument.wordprocessingml."
     "document",
     "docx"},
    {"application/xml", "xml"},
    {"application/zip", "zip"},
    {"audio/mpeg", "mp3"},
    {"audio/wav", "wav"},
    {"image/bmp", "bmp"},
    {"image/gif", "gif"},
    {"image/jpeg", "jpg jpeg jpe"},
    {"image/png", "png"},
    {"image/svg+xml", "svg"},
    {"image/tiff", "tif tiff"},
    {"image/webp", "webp"},
    {"message/rfc822", "eml"},
    {"text/calendar", "ics"},
    {"text/css", "css"},
    {"text/csv", "csv"},
    {"text/html", "html htm"},
    {"text/plain", "txt text log md"},
    {"text/rtf", "rtf"},
    {"text/xml", "xml"},
    {"video/mp4", "mp4 m4v"},
};

bool is_known_extension(std::string_view extension) {
  return std::any_of(
      std::begin(k_typed_extensions), std::end(k_typed_extensions),
      [&](const auto& row) { return is_one_of(extension, row.extensions); });
}

}  // namespace

bool is_inline(const RenderedMessage& message, const Attachment& attachment) {
  return !attachment.cid.empty() && !message.html.empty();
}

std::string_view file_name(const Attachment& attachment) {
  if (attachment.filename.empty()) return "attachment";
  return attachment.filename;
}

std::string extension_of(std::string_view filename) {
  const std::size_t dot = filename.rfind('.');
  if (dot == std::string_view::npos) return {};
  return in_lower_case(filename.substr(dot + 1));
}

bool is_one_of(std::string_view extension, std::string_view list) {
  while (!extension.empty() && !list.empty()) {
    const std::size_t end = std::min(list.find(' '), list.size());
    if (list.substr(0, end) == extension) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

const Attachment* with_extension(const RenderedMessage& message,
                                 std::string_view refused) {
  for (const Attachment& attachment : message.attachments)
    if (is_one_of(extension_of(attachment.filename), refused))
      return &attachment;
  return nullptr;
}

std::string typed_filename(const Attachment& attachment) {
  std::string type = in_lower_case(
      attachment.content_type.substr(0, attachment.content_type.find(';')));
  type.erase(type.find_last_not_of(' ') + 1);
  const std::string extension = extension_of(attachment.filename);
  for (const TypedExtension& row : k_typed_extensions) {
    if (row.type != type) continue;
    if (is_one_of(extension, row.extensions)) return attachment.filename;
    // Plain text has many names: main.c, server.conf.
    if (type == "text/plain" && !extension.empty() &&
        !is_known_extension(extension))
      return attachment.filename;
    return fmt::format("{}.{}", attachment.filename,
                       row.extensions.substr(0, row.extensions.find(' ')));
  }
  return attachment.filename;
}

}  // namespace pony
