// Assertions about Result<T> that print the error.
#pragma once

#include <doctest/doctest.h>

#include "core/result.h"

#define REQUIRE_OK(result)  \
  REQUIRE_MESSAGE(          \
      (result).has_value(), \
      ((result).has_value() ? std::string() : (result).error().what))
#define CHECK_FAILS(result, expected_kind)                                 \
  do {                                                                     \
    const auto& pony_result = (result);                                    \
    REQUIRE_FALSE(pony_result.has_value());                                \
    CHECK(pony_result.error().kind == ::pony::Error::Kind::expected_kind); \
  } while (false)
