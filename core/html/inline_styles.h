#pragma once
#include <string>
#include <string_view>
namespace pony { std::string inline_styles(std::string_view html); }
