// GMime by dlopen; see gmime_library.h for why. The one process-wide object of
// this room: a library can be opened and initialised only once.
#include "core/mime/gmime_library.h"

#include <dlfcn.h>

#include <string>

namespace pony {
namespace {

constexpr const char* k_soname = "libgmime-3.0.so.0";

// GLib's functions are found through GMime, which brings it along.
template <class Function>
bool find(void* library, const char* symbol, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, symbol));
  return function != nullptr;
}

bool find_all(void* library, GmimeLibrary& gmime) {
  return find(library, "g_mime_init", gmime.init) &&
         find(library, "g_log_set_default_handler", gmime.set_log_handler) &&
         find(library, "g_object_unref", gmime.object_unref) &&
         find(library, "g_type_check_instance_is_a", gmime.is_a) &&
         find(library, "g_mime_multipart_get_type", gmime.multipart_type) &&
         find(library, "g_mime_multipart_signed_get_type",
              gmime.multipart_signed_type) &&
         find(library, "g_mime_multipart_encrypted_get_type",
              gmime.multipart_encrypted_type) &&
         find(library, "g_mime_message_part_get_type",
              gmime.message_part_type) &&
         find(library, "g_mime_part_get_type", gmime.part_type) &&
         find(library, "g_mime_text_part_get_type", gmime.text_part_type) &&
         find(library, "internet_address_mailbox_get_type",
              gmime.mailbox_type) &&
         find(library, "internet_address_group_get_type", gmime.group_type) &&
         find(library, "g_mime_stream_mem_new", gmime.stream_mem_new) &&
         find(library, "g_mime_stream_mem_new_with_buffer",
              gmime.stream_mem_new_with_buffer) &&
         find(library, "g_mime_stream_mem_get_byte_array",
              gmime.stream_mem_get_byte_array) &&
         find(library, "g_mime_parser_new_with_stream",
              gmime.parser_new_with_stream) &&
         find(library, "g_mime_parser_construct_message",
              gmime.parser_construct_message) &&
         find(library, "g_mime_message_get_mime_part",
              gmime.message_get_mime_part) &&
         find(library, "g_mime_message_part_get_message",
              gmime.message_part_get_message) &&
         find(library, "g_mime_multipart_get_count",
              gmime.multipart_get_count) &&
         find(library, "g_mime_multipart_get_part", gmime.multipart_get_part) &&
         find(library, "g_mime_object_get_content_type",
              gmime.object_get_content_type) &&
         find(library, "g_mime_object_get_disposition",
              gmime.object_get_disposition) &&
         find(library, "g_mime_object_get_content_id",
              gmime.object_get_content_id) &&
         find(library, "g_mime_object_write_to_stream",
              gmime.object_write_to_stream) &&
         find(library, "g_mime_content_type_get_media_type",
              gmime.media_type) &&
         find(library, "g_mime_content_type_get_media_subtype",
              gmime.media_subtype) &&
         find(library, "g_mime_content_type_get_parameter",
              gmime.type_parameter) &&
         find(library, "g_mime_part_get_filename", gmime.part_get_filename) &&
         find(library, "g_mime_part_get_content", gmime.part_get_content) &&
         find(library, "g_mime_part_get_best_content_encoding",
              gmime.part_best_encoding) &&
         find(library, "g_mime_part_set_content_encoding",
              gmime.part_set_encoding) &&
         find(library, "g_mime_data_wrapper_write_to_stream",
              gmime.wrapper_write_to_stream) &&
         find(library, "g_mime_format_options_new", gmime.format_options_new) &&
         find(library, "g_mime_format_options_free",
              gmime.format_options_free) &&
         find(library, "g_mime_format_options_set_newline_format",
              gmime.format_set_newline) &&
         find(library, "internet_address_list_parse",
              gmime.address_list_parse) &&
         find(library, "internet_address_list_length",
              gmime.address_list_length) &&
         find(library, "internet_address_list_get_address",
              gmime.address_list_get) &&
         find(library, "internet_address_get_name", gmime.address_get_name) &&
         find(library, "internet_address_mailbox_get_addr",
              gmime.mailbox_get_addr) &&
         find(library, "internet_address_group_get_members",
              gmime.group_get_members);
}

// What GLib has to say of hostile mail is not for this program's stderr.
void ignore(const char*, GLogLevelFlags, const char*, void*) {}

// The library is never closed: GLib's types cannot be registered twice.
Result<GmimeLibrary> open_library() {
  const char* hint = "install GMime 3 (Debian: libgmime-3.0-0)";
  void* library = ::dlopen(k_soname, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = ::dlerror();
    return fail(Error::Kind::config,
                "cannot open '" + std::string(k_soname) +
                    "': " + (why != nullptr ? why : "unknown error"),
                hint);
  }
  GmimeLibrary gmime{};
  if (!find_all(library, gmime)) {
    return fail(Error::Kind::config,
                "'" + std::string(k_soname) + "' lacks a function", hint);
  }
  gmime.init();
  gmime.set_log_handler(ignore, nullptr);
  return gmime;
}

}  // namespace

Result<const GmimeLibrary*> gmime_library() {
  static const Result<GmimeLibrary> library = open_library();
  if (!library) return tl::unexpected<Error>(library.error());
  return &*library;
}

}  // namespace pony
