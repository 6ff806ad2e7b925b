// A spool of a test's own, with a clock that moves only by advance().
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

#include "spool/spool.h"
#include "tests/support/require_ok.h"

namespace pony {

inline Message a_message(const std::vector<std::string>& to = {
                             "ann@example.com"}) {
  Message message;
  for (const auto& email : to) message.to.push_back({{}, email});
  message.subject = "Hi";
  message.text = "Hi";
  return message;
}

class SteppedClock : public Clock {
 public:
  Time now() const override { return now_; }
  void advance(Milliseconds by) { now_ += by; }

 private:
  // A real moment: ids and file stamps are compared with it.
  Time now_ = SystemClock().now();
};

class TempSpool {
 public:
  TempSpool() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "pony-test-XXXXXX").string();
    REQUIRE(::mkdtemp(pattern.data()) != nullptr);
    root_ = pattern;
    auto opened = Spool::open({path(), {}}, clock);
    REQUIRE_OK(opened);
    spool_ = std::move(*opened);
  }
  ~TempSpool() {
    spool_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  TempSpool(const TempSpool&) = delete;
  TempSpool& operator=(const TempSpool&) = delete;

  SteppedClock clock;

  Spool& operator*() { return *spool_; }
  Spool* operator->() { return spool_.get(); }
  std::string path() const { return (root_ / "spool").string(); }
  std::string operator/(const std::string& relative) const {
    return path() + "/" + relative;
  }

  // A message to these, accepted; its id.
  std::string accept(const std::vector<std::string>& to = {"ann@example.com"},
                     std::optional<Time> send_at = {}) {
    Message message = a_message(to);
    message.send_at = send_at;
    return accept(message);
  }
  std::string accept(const Message& message) {
    auto accepted = spool_->accept(message);
    REQUIRE_OK(accepted);
    CHECK_FALSE(accepted->duplicate);
    return accepted->id;
  }
  Spool::Located load(const std::string& id) {
    auto located = spool_->load(id);
    REQUIRE_OK(located);
    return std::move(*located);
  }
  // Adds events to a message's file as a runner would, and files it.
  void happen(const std::string& id, std::vector<Event> events) {
    auto runner = RunnerFolder::create(spool_->folders());
    REQUIRE_OK(runner);
    const auto located = load(id);
    REQUIRE_OK(runner->claim(located.folder, message_file_name(id),
                             message_file_name(id)));
    std::vector<Settled> settled;
    settled.push_back(
        {id, located.file.message.priority, std::move(events), {}});
    REQUIRE_OK(runner->file(settled, spool_->log(), clock.now(), {}));
  }
  Event event(std::string_view kind, const std::string& id) {
    return spool_->event(kind, id, {});
  }
  // How many of the log's lines have these words.
  std::size_t logged(const std::string& words) {
    std::size_t count = 0;
    REQUIRE_OK(spool_->log().read({}, {}, [&](std::string_view line) {
      count += line.find(words) != std::string_view::npos;
      return true;
    }));
    return count;
  }

 private:
  std::filesystem::path root_;
  std::unique_ptr<Spool> spool_;
};

inline std::string text_in(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_text(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

}  // namespace pony
