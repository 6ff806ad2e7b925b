// What a waiting runner wakes for: names that appear in the spool's folders,
// and signals.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/fs.h"
#include "core/net/reactor.h"
#include "core/result.h"
#include "spool/folders.h"

namespace pony {

// inotify on folders of the spool. Where that does not work (no watches left)
// the runner's regular look is all there is.
class FolderWatch {
 public:
  FolderWatch(Reactor& reactor, Folders& folders);
  ~FolderWatch();

  // Watches these folders. True when one of them was not watched before.
  bool watch(const std::vector<std::string>& folders);
  // Did anything appear since this was last asked?
  bool has_news();

 private:
  void drain();

  Reactor& reactor_;
  Folders& folders_;
  Fd inotify_;
  std::set<int> watched_;
  bool news_ = false;
};

// SIGTERM and SIGINT ask to stop, a second one to stop at once; SIGHUP asks
// to read the configuration again. They are blocked and read from a
// descriptor, so none is lost between two looks.
class Signals {
 public:
  // Blocks them for this process and those it starts; one such object lives.
  Signals();
  ~Signals();
  void attach(Reactor& reactor);
  void detach(Reactor& reactor);

  int stops() const { return stops_; }
  bool take_reload();

 private:
  void read();

  Fd signals_;
  int stops_ = 0;
  bool reload_ = false;
};

}  // namespace pony
