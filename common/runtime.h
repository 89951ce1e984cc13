// Runtime: the outside world in one value - clock, timers, randomness, executor, blocking lane, threads.
//
// Passed by value (it is a handle) to whatever needs one of these. Outside common/runtime*.cc nobody names a clock, a
// thread or an Asio timer; tools/rooms bans them. In the simulator a Runtime has one thread, virtual time and an
// in-line lane, so the same code runs from one seed.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "common/awaitable.h"
#include "common/time_point.h"

namespace millrace {

// A thread that lives as long as this object; the destructor joins. The body must end when its owner tells it to.
class Thread {
 public:
  virtual ~Thread() = default;
};

class Runtime {
 public:
  class Backend {
   public:
    virtual ~Backend() = default;
    virtual asio::any_io_executor executor() = 0;
    virtual asio::any_io_executor make_strand() = 0;
    virtual WallTime now() = 0;
    virtual MonoTime mono() = 0;
    virtual std::uint64_t random() = 0;
    virtual asio::awaitable<void> sleep_until(MonoTime when) = 0;
    virtual asio::awaitable<void> run_blocking(std::function<void()> work) = 0;
    virtual std::unique_ptr<Thread> start_thread(std::string name, std::function<void()> body) = 0;
  };

  explicit Runtime(std::shared_ptr<Backend> backend) : backend_(std::move(backend)) {}

  // One thread of the pool, another each time. Handlers on it may run at the same time as those of others; use a strand
  // where they must not.
  asio::any_io_executor executor() const { return backend_->executor(); }
  asio::any_io_executor make_strand() const { return backend_->make_strand(); }

  WallTime now() const { return backend_->now(); }
  MonoTime mono() const { return backend_->mono(); }

  // 64 random bits; from the operating system, or from the seed in the simulator. Thread-safe. Not for keys: those come
  // from libsodium.
  std::uint64_t random() const { return backend_->random(); }
  // A random (version 4) UUID in text form.
  std::string uuid() const;

  // Returns at or after the time, never before. Cancellation throws (is_cancelled).
  asio::awaitable<void> sleep_for(Duration d) const { return backend_->sleep_until(mono() + d); }
  asio::awaitable<void> sleep_until(MonoTime t) const { return backend_->sleep_until(t); }

  // Runs `work` on the one bounded blocking lane and comes back to the caller's executor with its result or exception.
  // Can't be cancelled once begun: work that may hang must bring its own time-out. The wait in the lane's queue is not
  // bounded in time.
  // Takes a named closure only, unless it captures nothing that has a destructor: see the trap in common/awaitable.h.
  template <class F>
  asio::awaitable<std::invoke_result_t<F>> blocking(F&& work) const {
    static_assert(std::is_lvalue_reference_v<F> || std::is_trivially_destructible_v<F>,
                  "name the closure before the co_await: g++ 12 destroys it twice otherwise");
    return do_blocking<std::decay_t<F>>(work);
  }

  // For the few threads that are an algorithm's own (the store's commit thread). In the simulator this is refused.
  std::unique_ptr<Thread> start_thread(std::string name, std::function<void()> body) const {
    return backend_->start_thread(std::move(name), std::move(body));
  }

 private:
  template <class F>
  asio::awaitable<std::invoke_result_t<F>> do_blocking(F work) const;

  std::shared_ptr<Backend> backend_;
};

// How wide the real runtime is.
struct RuntimeOptions {
  RuntimeOptions() = default;
  unsigned pool_threads = 0;      // 0: one a core, at least 2
  unsigned blocking_threads = 8;  // the blocking lane; made on first use
};

// The real runtime: a pool of threads over one io_context. run() blocks the calling thread until stop().
class RealRuntime {
 public:
  explicit RealRuntime(RuntimeOptions options = RuntimeOptions());
  ~RealRuntime();
  RealRuntime(const RealRuntime&) = delete;
  RealRuntime& operator=(const RealRuntime&) = delete;

  Runtime runtime() const;
  // Runs the pool; the calling thread is one of it. Returns after stop(). An exception that leaves a handler ends the
  // process: it is a fault of ours.
  void run();
  void stop();
  // Runs `main` on the pool until it ends and returns or throws what it does: for commands and tests.
  void run_until_done(asio::awaitable<void> main);

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

// ---- implementation of blocking() ----

template <class F>
asio::awaitable<std::invoke_result_t<F>> Runtime::do_blocking(F work) const {
  using R = std::invoke_result_t<F>;
  std::exception_ptr error;
  if constexpr (std::is_void_v<R>) {
    auto shared = std::make_shared<F>(std::move(work));
    std::function<void()> body = [shared, &error] {
      try {
        (*shared)();
      } catch (...) {
        error = std::current_exception();
      }
    };
    co_await backend_->run_blocking(std::move(body));
    if (error) std::rethrow_exception(error);
  } else {
    std::optional<R> result;
    auto shared = std::make_shared<F>(std::move(work));
    std::function<void()> body = [shared, &error, &result] {
      try {
        result.emplace((*shared)());
      } catch (...) {
        error = std::current_exception();
      }
    };
    co_await backend_->run_blocking(std::move(body));
    if (error) std::rethrow_exception(error);
    co_return std::move(*result);
  }
}

}  // namespace millrace
