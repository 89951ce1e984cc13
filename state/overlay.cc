#include "state/overlay.h"

namespace millrace::state {

void Overlay::apply(const Batch& batch) {
  if (watched_.empty()) return;
  for (const auto& op : batch.operations()) {
    if (op.kind == Batch::Operation::Kind::erase_range) {
      for (auto& [key, look] : watched_)
        if (key >= op.key && key < op.value) look = {Found::absent, {}};
      continue;
    }
    const auto it = watched_.find(op.key);
    if (it == watched_.end()) continue;
    it->second = op.kind == Batch::Operation::Kind::put ? Look{Found::present, op.value} : Look{Found::absent, {}};
  }
}

}  // namespace millrace::state
