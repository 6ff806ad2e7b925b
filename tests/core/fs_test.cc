// Tests core/fs.cc.
#include "core/fs.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/an_attempt.h"
#include "tests/support/require_ok.h"

TEST_SUITE_BEGIN("core");

namespace pony {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t k_limit = 1000;

void write_file(const std::string& path, std::string_view content) {
  std::ofstream(path, std::ios::binary) << content;
}

Fd open_root(const TempFolder& folder) {
  auto root = open_folder(AT_FDCWD, folder.path().string());
  REQUIRE_OK(root);
  return std::move(*root);
}

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) != -1;
}

TEST_CASE("a descriptor is closed with its owner, once") {
  int number = -1;
  {
    Fd first(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    number = first.get();
    Fd second(std::move(first));
    CHECK_FALSE(first);
    CHECK(second.get() == number);
    second = Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    CHECK_FALSE(is_open(number));
    number = second.get();
    CHECK(is_open(number));
  }
  CHECK_FALSE(is_open(number));

  Fd third(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  CHECK(third.close("a file").has_value());
  CHECK_FALSE(third);
  CHECK_FALSE(third.close("a file").has_value());
}

TEST_CASE("a folder is not opened through a symbolic link") {
  TempFolder folder;
  fs::create_directories(folder / "real/below");
  fs::create_directory_symlink("real", folder / "link");
  const Fd root = open_root(folder);

  REQUIRE_OK(open_folder(root.get(), "real"));
  REQUIRE_OK(open_folder(root.get(), "real/below"));
  CHECK_FALSE(open_folder(root.get(), "link").has_value());
  CHECK_FALSE(open_folder(root.get(), "link/below").has_value());
  CHECK_FALSE(open_folder(root.get(), "real/../../etc").has_value());
  CHECK_FALSE(open_folder(AT_FDCWD, folder / "link").has_value());
  CHECK_FAILS(open_folder(root.get(), "none"), not_found);
}

TEST_CASE("a folder that is missing is made with the mode asked for") {
  TempFolder folder;
  const Fd root = open_root(folder);
  const mode_t before = ::umask(0077);
  bool made = false;
  auto fresh = open_or_make_folder(root.get(), "new", 02770, &made);
  ::umask(before);

  REQUIRE_OK(fresh);
  CHECK(made);
  struct stat info {};
  REQUIRE(::fstat(fresh->get(), &info) == 0);
  CHECK((info.st_mode & 07777) == 02770);

  REQUIRE_OK(open_or_make_folder(root.get(), "new", 0700, &made));
  CHECK_FALSE(made);
  REQUIRE(::fstat(fresh->get(), &info) == 0);
  CHECK_MESSAGE((info.st_mode & 07777) == 02770, "it was there: left alone");

  fs::create_directory_symlink("new", folder / "link");
  CHECK_FALSE(open_or_make_folder(root.get(), "link", 0700).has_value());
}

TEST_CASE("only a regular file is read, and nothing waits for the others") {
  TempFolder folder;
  write_file(folder / "file", "content");
  fs::create_directory(folder / "folder");
  fs::create_symlink("file", folder / "link");
  fs::create_directory_symlink("folder", folder / "linked");
  write_file(folder / "folder/below", "below");
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = folder / "socket";
  REQUIRE(path.size() < sizeof address.sun_path);
  std::copy(path.begin(), path.end(), address.sun_path);
  REQUIRE(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address),
                 sizeof address) == 0);
  const Fd root = open_root(folder);

  const auto content = read_regular(root.get(), "file", k_limit);
  REQUIRE_OK(content);
  CHECK(*content == "content");
  CHECK(read_regular(root.get(), "folder/below", k_limit).value() == "below");
  for (const std::string name :
       {"folder", "link", "linked/below", "fifo", "socket"}) {
    CAPTURE(name);
    CHECK_FAILS(read_regular(root.get(), name, k_limit), bad_data);
  }
  CHECK_FAILS(read_regular(root.get(), "none", k_limit), not_found);
}

TEST_CASE("a file is read whole up to the limit, and not beyond") {
  TempFolder folder;
  const Fd root = open_root(folder);
  for (const std::size_t size : {0, 1, 999, 1000}) {
    CAPTURE(size);
    write_file(folder / "file", std::string(size, 'x'));
    CHECK(read_regular(root.get(), "file", k_limit).value() ==
          std::string(size, 'x'));
  }
  write_file(folder / "file", std::string(1001, 'x'));
  CHECK_FAILS(read_regular(root.get(), "file", k_limit), bad_data);
}

TEST_CASE(
    "a stream of unknown size is read to its end, and not beyond the "
    "limit") {
  int ends[2] = {-1, -1};
  REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
  const Fd out(ends[0]);
  Fd in(ends[1]);
  const std::string text(20'000, 'x');
  REQUIRE_OK(write_all(in.get(), text, "a pipe"));
  SUBCASE("to its end") {
    in = Fd();
    CHECK(read_all(out.get(), 50'000, "a pipe").value() == text);
  }
  SUBCASE("not beyond the limit") {
    CHECK_FAILS(read_all(out.get(), 10'000, "a pipe"), bad_data);
  }
}

TEST_CASE("a file of another user is not read as ours") {
  TempFolder folder;
  write_file(folder / "file", "content");
  const Fd root = open_root(folder);
  REQUIRE_OK(read_regular(root.get(), "file", k_limit, Owner::ours));
  if (::chown((folder / "file").c_str(), 12345, 12345) != 0) return;

  CHECK_FAILS(read_regular(root.get(), "file", k_limit, Owner::ours), bad_data);
  CHECK(read_regular(root.get(), "file", k_limit, Owner::any).has_value());
}

TEST_CASE("what cannot be written is said") {
  const Fd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
  if (!full) return;
  const auto written = write_all(full.get(), "x", "'it'");
  CHECK_FAILS(written, disk);
  CHECK(written.error().what.find("cannot write") == 0);
}

TEST_CASE("writing at an offset leaves the rest alone") {
  TempFolder folder;
  const Fd fd(
      ::open((folder / "file").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600));
  REQUIRE_OK(write_all(fd.get(), "0123456789", "a file"));
  REQUIRE_OK(write_all_at(fd.get(), "abc", 4, "a file"));
  REQUIRE_OK(sync_data(fd.get(), "a file"));
  CHECK(content_of(folder / "file") == "0123abc789");
}

TEST_CASE(
    "a folder's names are given once each, again at each call, until "
    "told to stop") {
  TempFolder folder;
  for (const std::string name : {"a", "b", ".c"}) write_file(folder / name, {});
  const Fd root = open_root(folder);
  for (int round = 0; round < 2; ++round) {
    std::vector<std::string> names;
    REQUIRE_OK(for_each_name(root.get(), [&](const char* name) {
      names.emplace_back(name);
      return true;
    }));
    std::sort(names.begin(), names.end());
    CHECK(names == std::vector<std::string>{".c", "a", "b"});
  }
  int calls = 0;
  REQUIRE_OK(for_each_name(root.get(), [&](const char*) {
    ++calls;
    return false;
  }));
  CHECK(calls == 1);
}

TEST_CASE("a torn last line is ended, a whole one left as it is") {
  TempFolder folder;
  for (const auto& [before, after] :
       std::vector<std::pair<std::string, std::string>>{
           {"", ""}, {"a\n", "a\n"}, {"a\n{\"b", "a\n{\"b\n"}}) {
    CAPTURE(before);
    write_file(folder / "file", before);
    const Fd fd(
        ::open((folder / "file").c_str(), O_RDWR | O_APPEND | O_CLOEXEC));
    REQUIRE_OK(end_last_line(fd.get(), "file"));
    CHECK(content_of(folder / "file") == after);
  }
}

TEST_CASE("a file that is locked whole is nobody else's until it is closed") {
  TempFolder folder;
  write_file(folder / "file", "");
  const auto open = [&] {
    return Fd(::open((folder / "file").c_str(), O_RDWR | O_CLOEXEC));
  };
  Fd mine = open();
  const Fd other = open();
  REQUIRE_OK(lock_whole(mine.get(), "the file"));
  CHECK(::flock(other.get(), LOCK_EX | LOCK_NB) == -1);
  mine = Fd();
  REQUIRE_OK(lock_whole(other.get(), "the file"));
}

TEST_CASE("what cannot be locked is named as the caller puts it") {
  const auto locked = lock_whole(-1, "the file");
  REQUIRE(!locked);
  CHECK(locked.error().what.starts_with("cannot lock the file"));
}

}  // namespace
}  // namespace pony

TEST_SUITE_END();
