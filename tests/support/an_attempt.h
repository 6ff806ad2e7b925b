// What tests of providers need: a folder of their own, a valid attempt, and
// the way to see it through.
#pragma once

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/net/reactor.h"
#include "core/provider/provider.h"

namespace pony {

class TempFolder {
 public:
  TempFolder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "pony-test-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;

  std::filesystem::path path() const { return path_; }
  std::string operator/(const std::string& name) const {
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline std::vector<std::filesystem::path> files_in(
    const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    out.push_back(entry.path());
  }
  return out;
}

inline RenderedMessage a_rendered_message() {
  RenderedMessage message;
  message.id = "01JD7Z3N8QW2E4R6T8Y0A1B2C3";
  message.from = {"Team", "team@a.example"};
  message.to = {{"Ann", "ann@b.example"}, {"", "bob@b.example"}};
  message.subject = "Hello";
  message.text = "Hi Ann\n.\nBye\n";
  return message;
}

inline Attempt an_attempt(RenderedMessage message = a_rendered_message()) {
  Attempt attempt;
  for (const Address& address : message.to) {
    attempt.recipients.push_back(address.email);
  }
  attempt.message = std::make_shared<const RenderedMessage>(std::move(message));
  return attempt;
}

// Starts `attempt` and turns the loop until it is answered.
inline AttemptResult deliver(Provider& provider, Reactor& reactor,
                             Attempt attempt = an_attempt()) {
  std::optional<AttemptResult> answer;
  provider.start(std::move(attempt), [&](AttemptResult result) {
    REQUIRE_FALSE(answer.has_value());
    answer = std::move(result);
  });
  while (!answer) reactor.turn(std::chrono::seconds(10));
  return *answer;
}

}  // namespace pony
