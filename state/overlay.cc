#include "state/overlay.h"

namespace millrace::state {

void Overlay::apply(const Batch& batch) {
  using enum Batch::Operation::Kind;
  for (const auto& op : batch.operations()) {
    switch (op.kind) {
      case put:
        keys_[op.key] = op.value;
        break;
      case erase:
        keys_[op.key] = std::nullopt;
        break;
      case erase_range:
        for (auto& [key, value] : keys_)
          if (key >= op.key && key < op.value) value = std::nullopt;
        erased_ranges_.emplace_back(op.key, op.value);
        break;
    }
  }
}

Overlay::Look Overlay::find(std::string_view key) const {
  Look look;
  if (const auto it = keys_.find(key); it != keys_.end()) {
    look.found = it->second ? Found::present : Found::absent;
    look.value = it->second.value_or(std::string_view());
    return look;
  }
  for (const auto& [begin, end] : erased_ranges_)
    if (key >= begin && key < end) look.found = Found::absent;
  return look;
}

}  // namespace millrace::state
