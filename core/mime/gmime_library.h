// GMime, opened when the first finished message has to be read in parts and
// not before.
//
// Linking it would cost every start a millisecond (22 libraries), so its
// functions are looked up by dlopen in libgmime-3.0.so.0. The table holds just
// what pony calls. Types and constants come from <gmime/gmime.h>.
#pragma once

#include <gmime/gmime.h>

#include "core/result.h"

namespace pony {

struct GmimeLibrary {
  decltype(&::g_mime_init) init;
  decltype(&::g_log_set_default_handler) set_log_handler;
  decltype(&::g_object_unref) object_unref;
  decltype(&::g_type_check_instance_is_a) is_a;
  decltype(&::g_mime_multipart_get_type) multipart_type;
  decltype(&::g_mime_multipart_signed_get_type) multipart_signed_type;
  decltype(&::g_mime_multipart_encrypted_get_type) multipart_encrypted_type;
  decltype(&::g_mime_message_part_get_type) message_part_type;
  decltype(&::g_mime_part_get_type) part_type;
  decltype(&::g_mime_text_part_get_type) text_part_type;
  decltype(&::internet_address_mailbox_get_type) mailbox_type;
  decltype(&::internet_address_group_get_type) group_type;
  decltype(&::g_mime_stream_mem_new) stream_mem_new;
  decltype(&::g_mime_stream_mem_new_with_buffer) stream_mem_new_with_buffer;
  decltype(&::g_mime_stream_mem_get_byte_array) stream_mem_get_byte_array;
  decltype(&::g_mime_parser_new_with_stream) parser_new_with_stream;
  decltype(&::g_mime_parser_construct_message) parser_construct_message;
  decltype(&::g_mime_message_get_mime_part) message_get_mime_part;
  decltype(&::g_mime_message_part_get_message) message_part_get_message;
  decltype(&::g_mime_multipart_get_count) multipart_get_count;
  decltype(&::g_mime_multipart_get_part) multipart_get_part;
  decltype(&::g_mime_object_get_content_type) object_get_content_type;
  decltype(&::g_mime_object_get_disposition) object_get_disposition;
  decltype(&::g_mime_object_get_content_id) object_get_content_id;
  decltype(&::g_mime_object_write_to_stream) object_write_to_stream;
  decltype(&::g_mime_content_type_get_media_type) media_type;
  decltype(&::g_mime_content_type_get_media_subtype) media_subtype;
  decltype(&::g_mime_content_type_get_parameter) type_parameter;
  decltype(&::g_mime_part_get_filename) part_get_filename;
  decltype(&::g_mime_part_get_content) part_get_content;
  decltype(&::g_mime_part_get_best_content_encoding) part_best_encoding;
  decltype(&::g_mime_part_set_content_encoding) part_set_encoding;
  decltype(&::g_mime_data_wrapper_write_to_stream) wrapper_write_to_stream;
  decltype(&::g_mime_format_options_new) format_options_new;
  decltype(&::g_mime_format_options_free) format_options_free;
  decltype(&::g_mime_format_options_set_newline_format) format_set_newline;
  decltype(&::internet_address_list_parse) address_list_parse;
  decltype(&::internet_address_list_length) address_list_length;
  decltype(&::internet_address_list_get_address) address_list_get;
  decltype(&::internet_address_get_name) address_get_name;
  decltype(&::internet_address_mailbox_get_addr) mailbox_get_addr;
  decltype(&::internet_address_group_get_members) group_get_members;
};

// The library, opened and initialised at the first call; config, saying which
// package to install, when it is not on this machine.
Result<const GmimeLibrary*> gmime_library();

}  // namespace pony
