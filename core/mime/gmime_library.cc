// GMime by dlopen; see gmime_library.h for why. The one process-wide object of
// this room: a library can be opened and initialised only once.
#include "core/mime/gmime_library.h"

#include "core/shared_library.h"

namespace pony {
namespace {

constexpr const char* k_soname = "libgmime-3.0.so.0";

// GLib's functions are found through GMime, which brings it along.
bool find_all(const SharedLibrary& library, GmimeLibrary& gmime) {
  return library.find("g_mime_init", gmime.init) &&
         library.find("g_log_set_default_handler", gmime.set_log_handler) &&
         library.find("g_object_unref", gmime.object_unref) &&
         library.find("g_type_check_instance_is_a", gmime.is_a) &&
         library.find("g_mime_multipart_get_type", gmime.multipart_type) &&
         library.find("g_mime_multipart_signed_get_type",
                      gmime.multipart_signed_type) &&
         library.find("g_mime_multipart_encrypted_get_type",
                      gmime.multipart_encrypted_type) &&
         library.find("g_mime_message_part_get_type",
                      gmime.message_part_type) &&
         library.find("g_mime_part_get_type", gmime.part_type) &&
         library.find("g_mime_text_part_get_type", gmime.text_part_type) &&
         library.find("internet_address_mailbox_get_type",
                      gmime.mailbox_type) &&
         library.find("internet_address_group_get_type", gmime.group_type) &&
         library.find("g_mime_stream_mem_new", gmime.stream_mem_new) &&
         library.find("g_mime_stream_mem_new_with_buffer",
                      gmime.stream_mem_new_with_buffer) &&
         library.find("g_mime_stream_mem_get_byte_array",
                      gmime.stream_mem_get_byte_array) &&
         library.find("g_mime_parser_new_with_stream",
                      gmime.parser_new_with_stream) &&
         library.find("g_mime_parser_construct_message",
                      gmime.parser_construct_message) &&
         library.find("g_mime_message_get_mime_part",
                      gmime.message_get_mime_part) &&
         library.find("g_mime_message_part_get_message",
                      gmime.message_part_get_message) &&
         library.find("g_mime_multipart_get_count",
                      gmime.multipart_get_count) &&
         library.find("g_mime_multipart_get_part", gmime.multipart_get_part) &&
         library.find("g_mime_object_get_content_type",
                      gmime.object_get_content_type) &&
         library.find("g_mime_object_get_disposition",
                      gmime.object_get_disposition) &&
         library.find("g_mime_object_get_content_id",
                      gmime.object_get_content_id) &&
         library.find("g_mime_object_write_to_stream",
                      gmime.object_write_to_stream) &&
         library.find("g_mime_content_type_get_media_type", gmime.media_type) &&
         library.find("g_mime_content_type_get_media_subtype",
                      gmime.media_subtype) &&
         library.find("g_mime_content_type_get_parameter",
                      gmime.type_parameter) &&
         library.find("g_mime_part_get_filename", gmime.part_get_filename) &&
         library.find("g_mime_part_get_content", gmime.part_get_content) &&
         library.find("g_mime_part_get_best_content_encoding",
                      gmime.part_best_encoding) &&
         library.find("g_mime_part_set_content_encoding",
                      gmime.part_set_encoding) &&
         library.find("g_mime_data_wrapper_write_to_stream",
                      gmime.wrapper_write_to_stream) &&
         library.find("g_mime_format_options_new", gmime.format_options_new) &&
         library.find("g_mime_format_options_free",
                      gmime.format_options_free) &&
         library.find("g_mime_format_options_set_newline_format",
                      gmime.format_set_newline) &&
         library.find("internet_address_list_parse",
                      gmime.address_list_parse) &&
         library.find("internet_address_list_length",
                      gmime.address_list_length) &&
         library.find("internet_address_list_get_address",
                      gmime.address_list_get) &&
         library.find("internet_address_get_name", gmime.address_get_name) &&
         library.find("internet_address_mailbox_get_addr",
                      gmime.mailbox_get_addr) &&
         library.find("internet_address_group_get_members",
                      gmime.group_get_members);
}

// What GLib has to say of hostile mail is not for this program's stderr.
void ignore(const char*, GLogLevelFlags, const char*, void*) {}

Result<GmimeLibrary> open_library() {
  const auto library =
      SharedLibrary::open(k_soname, "install GMime 3 (Debian: libgmime-3.0-0)");
  if (!library) return tl::unexpected(library.error());
  GmimeLibrary gmime{};
  if (!find_all(*library, gmime)) {
    return library->unfit("lacks a function");
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
