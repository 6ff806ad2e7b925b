#include "core/report/source_blocks.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "core/line_reader.h"

namespace pony {
namespace {

// Less is not worth a block of its own: it is read anew until it has grown.
constexpr std::size_t k_worth_events = 512;
constexpr std::uint64_t k_worth_bytes = std::uint64_t{1} << 18;

bool is_worth_keeping(const EventBlock& block, const DigestSpan& span,
                      DigestEnd end) {
  return end != DigestEnd::open || block.size() >= k_worth_events ||
         span.end - span.begin >= k_worth_bytes;
}

SourceBlocks::Summary summary_of(const EventBlock& block) {
  return {block.size(), block.retried, block.first_ts, block.last_ts};
}

SourceBlocks::Summary summary_of(const BlockHeader& header) {
  return {header.events, header.retried, header.first_ts, header.last_ts};
}

}  // namespace

Result<std::optional<SourceBlocks>> SourceBlocks::open(
    const CountSources& sources, const CountSource& file, std::size_t& room) {
  SourceBlocks blocks;
  auto log = sources.open(file);
  if (!log && log.error().kind == Error::Kind::not_found)
    return std::optional<SourceBlocks>();
  if (!log) return tl::unexpected(log.error());
  struct stat info {};
  if (::fstat(log->get(), &info) != 0)
    return fail_errno(errno, "cannot look at '" + file.name + "'");
  blocks.form_ = file.form;
  blocks.log_ = std::move(*log);
  blocks.size_ = static_cast<std::uint64_t>(info.st_size);
  if (sources.digests >= 0)
    blocks.digest_ = Digest::open(sources.digests, sources.owner, file.name,
                                  file.form, blocks.log_.get(), info);
  for (const auto& [offset, header] : blocks.digest_.blocks())
    blocks.add_up(summary_of(header), header.span, header.end);
  auto read = blocks.read_rest(
      [&](EventBlock block, const DigestSpan& span, DigestEnd end) {
        blocks.add_up(summary_of(block), span, end);
        blocks.keep(std::move(block), span, end, room);
      });
  if (!read) return wrap(read.error(), "cannot read 'log/" + file.name + "'");
  // Many files may be open at once otherwise.
  if (blocks.rest_ == Rest::kept) blocks.log_ = Fd();
  return std::optional<SourceBlocks>(std::move(blocks));
}

void SourceBlocks::add_up(const Summary& block, const DigestSpan& span,
                          DigestEnd end) {
  total_.lines += span.lines;
  total_.unreadable += span.unreadable;
  total_.retried += block.retried;
  if (end == DigestEnd::cut_off) total_.cut_off = true;
  if (block.events == 0) return;
  const bool is_first = total_.events == 0;
  total_.first_ts =
      is_first ? block.first_ts : std::min(total_.first_ts, block.first_ts);
  total_.last_ts =
      is_first ? block.last_ts : std::max(total_.last_ts, block.last_ts);
  total_.events += block.events;
}

void SourceBlocks::keep(EventBlock block, const DigestSpan& span, DigestEnd end,
                        std::size_t& room) {
  // What is in the digest comes before what is not.
  const bool may_append = kept_.empty() && rest_ == Rest::kept;
  if (may_append && is_worth_keeping(block, span, end) &&
      digest_.append(block, span, end))
    return;
  if (rest_ == Rest::kept && block.size() <= room) {
    room -= block.size();
    kept_.push_back(std::move(block));
    return;
  }
  for (const EventBlock& kept : kept_) room += kept.size();
  kept_.clear();
  rest_ = Rest::read_again;
}

Result<> SourceBlocks::read_rest(const Take& take) {
  if (digest_.has_all()) return {};
  const std::uint64_t begin = digest_.end_of_log();
  if (form_ == Compression::none && begin == size_) return {};
  auto source = open_source(log_.get(), form_, static_cast<off_t>(begin));
  if (!source) return tl::unexpected(source.error());
  LineReader lines(**source, static_cast<off_t>(begin));
  BlockBuilder builder;
  DigestSpan span{begin, begin, 0, 0};
  std::string_view line;
  for (;;) {
    auto more = lines.next(line);
    if (!more) return tl::unexpected(more.error());
    const auto offset = static_cast<std::uint64_t>(lines.offset());
    if (!*more || (form_ == Compression::none && offset > size_)) break;
    auto added = builder.add(line);
    if (added == BlockBuilder::Added::full) {
      take(builder.take(), span, DigestEnd::open);
      span = {span.end, span.end, 0, 0};
      added = builder.add(line);
    }
    ++span.lines;
    if (added == BlockBuilder::Added::unreadable) ++span.unreadable;
    span.end = offset;
  }
  DigestEnd end = DigestEnd::open;
  if (form_ != Compression::none)
    end = (*source)->is_cut_off() ? DigestEnd::cut_off : DigestEnd::whole;
  if (span.lines > 0 || end != DigestEnd::open) take(builder.take(), span, end);
  return {};
}

Result<bool> SourceBlocks::visit(
    const std::vector<BlockPart>& parts,
    const std::function<bool(const Summary& block)>& wanted,
    const std::function<void(const EventBlock& block)>& each) {
  EventBlock loaded;
  for (std::size_t i = 0; i < digest_.blocks().size(); ++i) {
    if (!wanted(summary_of(digest_.blocks()[i].header))) continue;
    if (!digest_.load(i, parts, loaded)) {
      digest_.drop_from(i);
      return false;
    }
    each(loaded);
  }
  if (rest_ == Rest::read_again) {
    auto read =
        read_rest([&](const EventBlock& block, const DigestSpan&, DigestEnd) {
          if (wanted(summary_of(block))) each(block);
        });
    if (!read) return tl::unexpected(read.error());
    return true;
  }
  for (const EventBlock& block : kept_)
    if (wanted(summary_of(block))) each(block);
  return true;
}

}  // namespace pony
