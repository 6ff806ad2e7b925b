// The health of providers in files: what one process learns about a provider,
// every other one knows, also the next that cron starts.
//
//   state/providers/<name>.json =
//       core/health.h's object LF {"sum":"<16 hex digits>"} LF
//
// The sum is XXH3-64 of the first line, without its LF: what a crash, a full
// disk or a hand left half written is seen to be none, and is a fresh value.
// The file is written in place, under an exclusive flock(2) on itself, and
// kept open: an update costs some 10 us. It is never synced: to lose health
// costs an attempt or two, less than a sync for each.
//
// Known limits: a lock belongs to the open file, so HealthFiles that were open
// before a fork(2) are not to be used on both sides of it.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/fs.h"
#include "core/health.h"
#include "core/result.h"
#include "spool/folders.h"

namespace pony {

class HealthFiles : public HealthStore {
 public:
  // An update waits for somebody else's at most for `patience`: it takes
  // microseconds, so who has not done by then has been stopped, and mail does
  // not wait for that.
  explicit HealthFiles(Folders& folders,
                       Milliseconds patience = Milliseconds(50))
      : folders_(folders), patience_(patience) {}

  // As HealthStore. What stands in the file's place but is none of ours (a
  // link, a FIFO, another user's file, a huge one) is replaced.
  // Errors besides: bad_data for a name that no provider can have.
  Result<ProviderHealth> update(
      const std::string& provider,
      const std::function<void(ProviderHealth&)>& change) override;
  // Makes and changes nothing, and waits for no lock.
  Result<ProviderHealth> read(const std::string& provider) override;

 private:
  struct Entry {
    Fd fd;
    // What the file was when we last saw it, and what that means: nobody
    // wrote in between most of the time.
    std::string text;
    ProviderHealth health;
  };

  Result<Entry*> entry_of(const std::string& provider);
  Result<Fd> open_or_make(const std::string& name);
  Result<Fd> make(int folder, const std::string& name);
  Result<std::optional<ProviderHealth>> update_open(
      Entry& entry, const std::string& name,
      const std::function<void(ProviderHealth&)>& change) const;

  Folders& folders_;
  Milliseconds patience_;
  std::map<std::string, Entry, std::less<>> open_;
};

}  // namespace pony
