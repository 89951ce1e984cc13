// What the batches of a group will have changed, before it is written: so that conditions of later batches see it.
//
// Holds views into the batches, which must outlive it. Not thread-safe.
#pragma once

#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "state/store.h"

namespace millrace::state {

class Overlay {
 public:
  enum class Found { unknown, absent, present };  // unknown: untouched, the store knows
  struct Look {
    Found found = Found::unknown;
    std::string_view value;
  };

  void apply(const Batch& batch);
  Look find(std::string_view key) const;

 private:
  // Empty: erased. A key in here is newer than any erased range that holds it.
  std::unordered_map<std::string_view, std::optional<std::string_view>> keys_;
  std::vector<std::pair<std::string_view, std::string_view>> erased_ranges_;
};

}  // namespace millrace::state
