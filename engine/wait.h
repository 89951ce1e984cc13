// Waiting for an Event, but not for ever.
#pragma once

#include <exception>
#include <memory>
#include <optional>

#include "common/event.h"
#include "common/runtime.h"
#include "engine/failure.h"

namespace millrace::engine {

// True if the event was set, false if the time came first.
asio::awaitable<bool> wait_until(Event& event, Runtime runtime, MonoTime until);
inline asio::awaitable<bool> wait_for(Event& event, Runtime runtime, Duration at_most) {
  return wait_until(event, runtime, runtime.mono() + at_most);
}

// An answer that another strand gives once.
struct Ack {
  Event answered;
  std::exception_ptr error;

  void succeed() { answered.set(); }
  void fail(std::exception_ptr e) {
    error = std::move(e);
    answered.set();
  }
  // Throws what it failed with.
  asio::awaitable<void> wait() {
    co_await answered.wait();
    if (error) std::rethrow_exception(error);
  }
};
using AckPtr = std::shared_ptr<Ack>;

// One that brings something.
struct Answer : Ack {
  Payload value;
  std::optional<Failure> refused;  // by the workflow's code
};
using AnswerPtr = std::shared_ptr<Answer>;

}  // namespace millrace::engine
