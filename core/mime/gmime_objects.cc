#include "core/mime/gmime_objects.h"

namespace pony {

bool is_a(const GmimeLibrary& gmime, void* object, GType type) {
  return object != nullptr &&
         gmime.is_a(static_cast<GTypeInstance*>(object), type) != 0;
}

std::string_view text_of(const char* text) {
  return text == nullptr ? std::string_view{} : text;
}

std::string bytes_in(const GmimeLibrary& gmime, GMimeStream* stream) {
  const GByteArray* bytes = gmime.stream_mem_get_byte_array(
      reinterpret_cast<GMimeStreamMem*>(stream));
  if (bytes == nullptr || bytes->data == nullptr) return {};
  return {reinterpret_cast<const char*>(bytes->data), bytes->len};
}

GMimeMessage* parsed_by_gmime(const GmimeLibrary& gmime,
                              std::string_view wire) {
  const GmimeOwned<GMimeStream> stream(
      gmime, gmime.stream_mem_new_with_buffer(wire.data(), wire.size()));
  const GmimeOwned<GMimeParser> parser(
      gmime, gmime.parser_new_with_stream(stream.get()));
  return gmime.parser_construct_message(parser.get(), nullptr);
}

}  // namespace pony
