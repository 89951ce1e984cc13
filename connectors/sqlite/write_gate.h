// One writer at a time: SQLite lets only one transaction write, and makes the others poll. Here they queue up instead,
// so that a wait holds no thread of the blocking lane. One gate a file, for the whole process; programs outside are
// waited for by SQLite's own time-out.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "common/awaitable.h"
#include "common/event.h"

namespace millrace::connectors::sqlite {

class WriteGate : public std::enable_shared_from_this<WriteGate> {
 public:
  // The gate of this file, shared by all who name it so.
  static std::shared_ptr<WriteGate> of(const std::string& path);

  // The right to write, until it is destroyed.
  class Pass {
   public:
    explicit Pass(std::shared_ptr<WriteGate> gate) : gate_(std::move(gate)) {}
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (gate_) gate_->leave();
    }

   private:
    std::shared_ptr<WriteGate> gate_;
  };
  asio::awaitable<std::unique_ptr<Pass>> enter();

 private:
  void leave();

  std::mutex mutex_;
  bool taken_ = false;
  Event free_;
};

}  // namespace millrace::connectors::sqlite
