#pragma once
#include <cstddef>
#include <string>
#include <string_view>
namespace pony {
std::size_t preheader_place(std::string_view html);
std::string preheader_html(std::string_view escaped_text);
}
