// GMime's objects as C++ has them: owned, asked for their type, and turned into
// bytes. What they mean is known to who asks (mail_parser.h, carried_form.h).
#pragma once

#include <string>
#include <string_view>

#include "core/mime/gmime_library.h"

namespace pony {

// Something of GLib's that we own.
template <class T>
class GmimeOwned {
 public:
  GmimeOwned(const GmimeLibrary& gmime, T* object)
      : gmime_(gmime), object_(object) {}
  ~GmimeOwned() {
    if (object_ != nullptr) gmime_.object_unref(object_);
  }
  GmimeOwned(const GmimeOwned&) = delete;
  GmimeOwned& operator=(const GmimeOwned&) = delete;
  T* get() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }

 private:
  const GmimeLibrary& gmime_;
  T* object_;
};

// Is `object`, which may be null, of `type`, or of one that is made of it?
bool is_a(const GmimeLibrary& gmime, void* object, GType type);

// Empty for null, which is how GMime says that there is none.
std::string_view text_of(const char* text);

// The message that `wire` is, which it copies; null when it is none. The caller
// owns it.
GMimeMessage* parsed_by_gmime(const GmimeLibrary& gmime, std::string_view wire);

// What a stream in memory holds.
std::string bytes_in(const GmimeLibrary& gmime, GMimeStream* stream);

}  // namespace pony
