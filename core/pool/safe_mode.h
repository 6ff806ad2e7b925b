// Safe mode (staging): mail goes only to those whom the configuration allows;
// who else was meant is redirected to one address, or kept back. Fails closed:
// an address that matches no pattern does not get out.
//
// A Deliverer around another one: what lies in the spool and what is written
// in its events names the recipients that the application asked for, so the
// same spool is right again the day safe mode is switched off.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/config.h"
#include "core/delivery.h"
#include "core/message.h"
#include "core/rendered_message.h"

namespace pony {

// A message with its recipients as safe mode lets them be.
struct SafeMessage {
  Message message;
  // Who is reached, and for whom: the address that gets the mail, and those
  // of the message that it stands for (itself, or the redirected ones).
  std::map<std::string, std::vector<std::string>> stands_for;
  std::vector<std::string> kept_back;
};

// Redirected recipients are replaced in `to` by redirect_to, once; the header
// X-Pony-Original-To then names them.
SafeMessage in_safe_mode(const Message& message, const SafeModeConfig& config);

// Marks the subject of a mail that was redirected. Of a finished message, also
// takes out of its header what could tell a relay to write to others.
void mark_redirected(RenderedMessage& mail);

class SafeModeDeliverer : public Deliverer {
 public:
  // Both outlive it.
  SafeModeDeliverer(Deliverer& inner, const SafeModeConfig& config)
      : inner_(inner), config_(config) {}

  int room() const override { return inner_.room(); }
  void take(std::shared_ptr<const Delivery> delivery) override;
  Happenings poll(Milliseconds max_wait) override;
  void confirmed() override { inner_.confirmed(); }
  std::string stalled() const override { return inner_.stalled(); }
  void give_up() override { inner_.give_up(); }

 private:
  struct Taken {
    std::map<std::string, std::vector<std::string>> stands_for;
    std::vector<std::string> kept_back;  // and not settled earlier
    std::map<std::string, Outcome> settled;
  };

  void translate(Event& event) const;
  void translate(Round& round);

  Deliverer& inner_;
  const SafeModeConfig& config_;
  std::map<std::string, Taken> taken_;  // by the message's id
  std::vector<Round> decided_;          // nobody was left to be reached
};

}  // namespace pony
