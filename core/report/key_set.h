// A set of hashes, for telling which events were there before: eight bytes and
// a half each, and the memory is asked for before it is needed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace pony {

class KeySet {
 public:
  // For about `expected` keys; grows when there are more.
  explicit KeySet(std::size_t expected) {
    while (size_ * 3 / 4 < expected) size_ *= 2;
    slots_ = make(size_);
  }

  // The key will be inserted soon: its place is fetched meanwhile.
  void prefetch(std::uint64_t key) const {
    __builtin_prefetch(slots_.get() + (key & (size_ - 1)), 1);
  }

  // False when it was there.
  bool insert(std::uint64_t key) {
    if (key == 0) key = 1;  // 0 is an empty slot
    if (used_ >= size_ / 8 * 7) grow();
    std::uint64_t& slot = place_of(key);
    if (slot == key) return false;
    slot = key;
    ++used_;
    return true;
  }

 private:
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  using Slots = std::unique_ptr<std::uint64_t[], Free>;

  // calloc: pages that are never touched cost nothing.
  static Slots make(std::size_t size) {
    auto* slots =
        static_cast<std::uint64_t*>(std::calloc(size, sizeof(std::uint64_t)));
    if (slots == nullptr) throw std::bad_alloc();
    return Slots(slots);
  }

  std::uint64_t& place_of(std::uint64_t key) {
    std::size_t at = key & (size_ - 1);
    while (slots_[at] != 0 && slots_[at] != key) at = (at + 1) & (size_ - 1);
    return slots_[at];
  }

  void grow() {
    const Slots old = std::move(slots_);
    const std::size_t old_size = size_;
    size_ *= 2;
    slots_ = make(size_);
    for (std::size_t i = 0; i < old_size; ++i)
      if (old[i] != 0) place_of(old[i]) = old[i];
  }

  std::size_t size_ = 1024;  // a power of two
  std::size_t used_ = 0;
  Slots slots_;
};

}  // namespace pony
