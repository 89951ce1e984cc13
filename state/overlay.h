// What the batches of a group will have changed, before it is written: so that conditions of later batches see it.
//
// Only keys that some condition of the group asks for are kept: most keys of a batch are new and never asked for.
// Holds views into the batches, which must outlive it. Not thread-safe.
#pragma once

#include <cstddef>
#include <string_view>
#include <unordered_map>

#include "state/store.h"

namespace millrace::state {

class Overlay {
 public:
  enum class Found { unknown, absent, present };  // unknown: untouched, the store knows
  struct Look {
    Found found = Found::unknown;
    std::string_view value;
  };

  // Say for all conditions of the group before the first apply().
  void watch(std::string_view key) { watched_.try_emplace(key); }
  void apply(const Batch& batch);
  // Of a watched key.
  Look find(std::string_view key) const { return watched_.at(key); }

 private:
  std::unordered_map<std::string_view, Look> watched_;
};

}  // namespace millrace::state
