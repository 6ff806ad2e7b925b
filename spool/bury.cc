#include "spool/bury.h"

#include <unistd.h>

namespace pony {

Result<> bury(Spool& spool, const std::string& folder, const std::string& name,
              const std::string& id, const std::string& reason) {
  Folders& folders = spool.folders();
  const Time now = spool.clock().now();
  Event event;
  event.ts = now;
  event.event = "failed";
  event.id = id;
  event.by = spool.by();
  event.reason = printable(reason, 1000);
  std::string line;
  append_line(line, event);
  auto place = folders.place(State::failed, id, Priority::normal, now);
  if (!place) return tl::unexpected(place.error());

  const std::string note = id + ".error";
  auto fd = folders.create_in_tmp(note);
  if (!fd) return tl::unexpected(fd.error());
  auto ok = write_all(fd->get(), line, note);
  if (ok) ok = sync_data(fd->get(), note);
  if (ok) ok = spool.log().append(line, now);
  if (ok) {
    ok = folders.move("tmp", note, *place, note);
    // It was buried before and came back: the old reason stands beside it.
    if (!ok && ok.error().kind == Error::Kind::busy) {
      ::unlinkat(folders.root(), ("tmp/" + note).c_str(), 0);
      ok = {};
    }
  }
  if (ok) ok = folders.move(folder, name, *place, name);
  if (ok) ok = folders.sync(*place);
  if (!ok) ::unlinkat(folders.root(), ("tmp/" + note).c_str(), 0);
  return ok;
}

}  // namespace pony
