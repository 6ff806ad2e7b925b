// Small files below state/ in which one process leaves a word for the next:
// a sign of life, a reader's place, what was told. Written in place and never
// synced: to lose one costs something told twice, never mail.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/fs.h"
#include "core/result.h"
#include "spool/folders.h"

namespace pony {

inline constexpr std::size_t k_state_file_limit = std::size_t{64} << 10;

// state/`name`, opened for reading and writing, made when it is missing; its
// folder too ("alerts/oldest"). It belongs to the spool's owner even when root
// makes it. Errors: no_permission, bad_data (it is none of ours), disk.
Result<Fd> open_state_file(Folders& folders, const std::string& name);

// Its content. Errors: disk.
Result<std::string> read_state(int fd, std::string_view name);
// `text` takes the place of what was there. It is padded with blanks, so that
// most writes have one length: a reader in between sees the old or the new.
Result<> write_state(int fd, std::string text, std::string_view name);

}  // namespace pony
