// zlib and libzstd behind one small interface; see compressed_file.h.
#include "core/compressed_file.h"

#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include "core/fs.h"

namespace pony {
namespace {

constexpr std::size_t k_chunk = std::size_t{1} << 16;

Result<std::size_t> read_some(int fd, char* to, std::size_t size,
                              off_t offset) {
  for (;;) {
    const ssize_t n = ::pread(fd, to, size, offset);
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) return fail_errno(errno, "cannot read a file");
  }
}

class PlainSource : public ByteSource {
 public:
  PlainSource(int fd, off_t offset) : fd_(fd), offset_(offset) {}

  Result<std::size_t> read(char* to, std::size_t size) override {
    auto n = read_some(fd_, to, size, offset_);
    if (n) offset_ += static_cast<off_t>(*n);
    return n;
  }

 private:
  int fd_;
  off_t offset_;
};

// The compressed bytes, a chunk at a time.
class Chunks {
 public:
  explicit Chunks(int fd) : fd_(fd) {}

  // Reads the next chunk; false at the end of the file.
  Result<bool> next() {
    auto n = read_some(fd_, chunk_.data(), chunk_.size(), offset_);
    if (!n) return tl::unexpected(n.error());
    offset_ += static_cast<off_t>(*n);
    view_ = std::string_view(chunk_.data(), *n);
    return *n > 0;
  }
  std::string_view view() const { return view_; }

 private:
  int fd_;
  off_t offset_ = 0;
  std::array<char, k_chunk> chunk_{};
  std::string_view view_;
};

// One member after another, as `cat a.gz b.gz` makes them.
class GzipSource : public ByteSource {
 public:
  explicit GzipSource(int fd) : in_(fd) {
    constexpr int k_gzip_only = 16;
    ready_ = ::inflateInit2(&stream_, MAX_WBITS + k_gzip_only) == Z_OK;
  }
  ~GzipSource() override { ::inflateEnd(&stream_); }
  bool is_ready() const { return ready_; }

  Result<std::size_t> read(char* to, std::size_t size) override {
    stream_.next_out = reinterpret_cast<Bytef*>(to);
    stream_.avail_out = static_cast<uInt>(std::min(size, k_chunk * 64));
    const std::size_t room = stream_.avail_out;
    while (!ended_ && stream_.avail_out == room) {
      if (auto ok = step(); !ok) return tl::unexpected(ok.error());
    }
    return room - stream_.avail_out;
  }
  bool is_cut_off() const override { return cut_off_; }

 private:
  Result<> step() {
    if (stream_.avail_in == 0) {
      auto more = in_.next();
      if (!more) return tl::unexpected(more.error());
      if (!*more) {
        end(inside_member_);
        return {};
      }
      stream_.next_in = reinterpret_cast<Bytef*>(
          const_cast<char*>(in_.view().data()));  // zlib only reads it
      stream_.avail_in = static_cast<uInt>(in_.view().size());
    }
    if (!inside_member_ && *stream_.next_in == 0) {
      // Zeros behind the last member are padding, as gzip(1) has it.
      ++stream_.next_in;
      --stream_.avail_in;
      return {};
    }
    inside_member_ = true;
    const int code = ::inflate(&stream_, Z_NO_FLUSH);
    if (code == Z_STREAM_END) {
      inside_member_ = false;
      ::inflateReset(&stream_);
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      end(true);
    }
    return {};
  }

  void end(bool inside) {
    ended_ = true;
    cut_off_ = inside;
  }

  Chunks in_;
  z_stream stream_{};
  bool ready_ = false;
  bool inside_member_ = true;  // an empty file is no gzip file
  bool ended_ = false;
  bool cut_off_ = false;
};

// libzstd goes on with the next frame by itself. A frame may ask for a window
// of at most 128 MiB (its default), of which only what is used costs memory.
class ZstdSource : public ByteSource {
 public:
  explicit ZstdSource(int fd) : in_(fd), stream_(::ZSTD_createDStream()) {}
  ~ZstdSource() override { ::ZSTD_freeDStream(stream_); }
  bool is_ready() const { return stream_ != nullptr; }

  Result<std::size_t> read(char* to, std::size_t size) override {
    ZSTD_outBuffer out{to, size, 0};
    while (!ended_ && out.pos == 0) {
      // With its buffer empty it may still hold some of what it has read.
      const std::size_t before = input_.pos;
      if (input_.pos < input_.size || holds_some_) {
        const std::size_t code =
            ::ZSTD_decompressStream(stream_, &out, &input_);
        if (::ZSTD_isError(code) != 0) {
          end(true);
          break;
        }
        inside_frame_ = code != 0;
        holds_some_ = out.pos == out.size;
        if (out.pos > 0 || input_.pos != before) continue;
      }
      auto more = in_.next();
      if (!more) return tl::unexpected(more.error());
      if (!*more) end(inside_frame_);
      input_ = {in_.view().data(), in_.view().size(), 0};
    }
    return out.pos;
  }
  bool is_cut_off() const override { return cut_off_; }

 private:
  void end(bool inside) {
    ended_ = true;
    cut_off_ = inside;
  }

  Chunks in_;
  ZSTD_DStream* stream_;
  ZSTD_inBuffer input_{nullptr, 0, 0};
  bool holds_some_ = false;
  bool inside_frame_ = true;  // an empty file is no zstd file
  bool ended_ = false;
  bool cut_off_ = false;
};

template <class Source>
Result<std::unique_ptr<ByteSource>> compressed(int fd) {
  auto source = std::make_unique<Source>(fd);
  if (!source->is_ready())
    return fail(Error::Kind::temporary, "no memory to read a compressed file");
  return std::unique_ptr<ByteSource>(std::move(source));
}

Result<> skip(ByteSource& source, off_t bytes) {
  std::string rest(k_chunk, '\0');
  while (bytes > 0) {
    auto n = source.read(
        rest.data(),
        std::min<std::size_t>(k_chunk, static_cast<std::size_t>(bytes)));
    if (!n) return tl::unexpected(n.error());
    if (*n == 0) return {};
    bytes -= static_cast<off_t>(*n);
  }
  return {};
}

}  // namespace

Compression compression_of(std::string_view name) {
  if (name.ends_with(".gz")) return Compression::gzip;
  if (name.ends_with(".zst")) return Compression::zstd;
  return Compression::none;
}

Result<std::unique_ptr<ByteSource>> open_source(int fd, Compression form,
                                                off_t offset) {
  if (form == Compression::none)
    return std::unique_ptr<ByteSource>(
        std::make_unique<PlainSource>(fd, offset));
  auto source = form == Compression::gzip ? compressed<GzipSource>(fd)
                                          : compressed<ZstdSource>(fd);
  if (!source) return source;
  if (auto skipped = skip(**source, offset); !skipped)
    return tl::unexpected(skipped.error());
  return source;
}

Result<> compress_file(int from, int to) {
  z_stream stream{};
  constexpr int k_gzip = 16;
  constexpr int k_usual_memory = 8;
  if (::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                     MAX_WBITS + k_gzip, k_usual_memory,
                     Z_DEFAULT_STRATEGY) != Z_OK)
    return fail(Error::Kind::temporary, "no memory to compress a file");
  const std::unique_ptr<z_stream, int (*)(z_stream*)> ended(&stream,
                                                            &::deflateEnd);
  std::string in(k_chunk, '\0');
  std::string out(k_chunk, '\0');
  for (int flush = Z_NO_FLUSH; flush != Z_FINISH;) {
    const ssize_t n = ::read(from, in.data(), in.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno(errno, "cannot read what is to be compressed");
    if (n == 0) flush = Z_FINISH;
    stream.next_in = reinterpret_cast<Bytef*>(in.data());
    stream.avail_in = static_cast<uInt>(n);
    do {
      stream.next_out = reinterpret_cast<Bytef*>(out.data());
      stream.avail_out = static_cast<uInt>(out.size());
      ::deflate(&stream, flush);
      const std::string_view made(out.data(), out.size() - stream.avail_out);
      if (auto ok = write_all(to, made, "a compressed file"); !ok) return ok;
    } while (stream.avail_out == 0);
  }
  return {};
}

}  // namespace pony
