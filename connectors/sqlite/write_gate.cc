#include "connectors/sqlite/write_gate.h"

#include <map>

namespace millrace::connectors::sqlite {

std::shared_ptr<WriteGate> WriteGate::of(const std::string& path) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<WriteGate>> gates;
  std::lock_guard lock(mutex);
  auto& slot = gates[path];
  auto gate = slot.lock();
  if (!gate) {
    gate = std::make_shared<WriteGate>();
    slot = gate;
  }
  return gate;
}

asio::awaitable<std::unique_ptr<WriteGate::Pass>> WriteGate::enter() {
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      if (!taken_) {
        taken_ = true;
        break;
      }
      free_.reset();
    }
    co_await free_.wait();
  }
  co_return std::make_unique<Pass>(shared_from_this());
}

void WriteGate::leave() {
  std::lock_guard lock(mutex_);
  taken_ = false;
  free_.set();
}

}  // namespace millrace::connectors::sqlite
