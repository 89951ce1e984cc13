#include "common/runtime_sim.h"

#include <map>
#include <random>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/strand.hpp>

#include "common/check.h"
#include "common/event.h"

namespace millrace {

class SimRuntime::Impl final : public Runtime::Backend {
 public:
  explicit Impl(std::uint64_t seed) : generator_(seed) {}
  ~Impl() override {
    // Drops the frames that still sleep; each unwinds through the executor, so while it lives.
    auto dropped = std::exchange(sleepers_, {});
    dropped.clear();
  }

  asio::any_io_executor executor() override { return io_.get_executor(); }
  asio::any_io_executor make_strand() override { return asio::make_strand(io_); }
  WallTime now() override { return wall_; }
  MonoTime mono() override { return mono_; }
  std::uint64_t random() override { return generator_(); }

  asio::awaitable<void> sleep_until(MonoTime when) override {
    if (when <= mono_) co_return;
    const auto key = std::make_pair(when, next_++);
    // The list owns the event, not this frame: what still sleeps when the simulation ends goes away with the list.
    Event& event = *sleepers_.emplace(key, std::make_unique<Event>()).first->second;
    // Erases itself also when the wait is cancelled or the frame dropped.
    struct Eraser {
      Impl* impl;
      std::pair<MonoTime, std::uint64_t> key;
      ~Eraser() { impl->sleepers_.erase(key); }
    } eraser{this, key};
    co_await event.wait();
  }

  asio::awaitable<void> run_blocking(std::function<void()> work) override {
    work();
    co_return;
  }
  std::unique_ptr<Thread> start_thread(std::string, std::function<void()>) override {
    check(false, "the simulator has no threads");
    return nullptr;
  }

  void run_ready() {
    io_.restart();
    io_.poll();
  }
  bool advance() {
    if (sleepers_.empty()) return false;
    const auto first = sleepers_.extract(sleepers_.begin());
    const MonoTime when = first.key().first;
    if (when > mono_) {
      wall_ += when - mono_;
      mono_ = when;
    }
    first.mapped()->set();
    return true;
  }
  std::optional<MonoTime> next_timer() const {
    if (sleepers_.empty()) return std::nullopt;
    return sleepers_.begin()->first.first;
  }

  std::mt19937_64 generator_;
  WallTime wall_ = from_micros(1'700'000'000'000'000);
  MonoTime mono_{Duration(1'000'000)};
  std::uint64_t next_ = 0;
  std::map<std::pair<MonoTime, std::uint64_t>, std::unique_ptr<Event>> sleepers_;
  asio::io_context io_{1};  // the last member: frames that go away with it still erase themselves from sleepers_
};

SimRuntime::SimRuntime(std::uint64_t seed) : impl_(std::make_shared<Impl>(seed)) {}
SimRuntime::~SimRuntime() = default;
Runtime SimRuntime::runtime() const { return Runtime(impl_); }
void SimRuntime::run_ready() { impl_->run_ready(); }
bool SimRuntime::advance_to_next_timer() { return impl_->advance(); }

void SimRuntime::run_until_idle(Duration at_most) {
  const MonoTime end = impl_->mono_ + at_most;
  for (;;) {
    impl_->run_ready();
    const auto next = impl_->next_timer();
    if (!next || *next > end) return;
    impl_->advance();
  }
}

void SimRuntime::run_until_done(asio::awaitable<void> main) {
  bool done = false;
  std::exception_ptr error;
  asio::co_spawn(impl_->executor(), std::move(main), [&](std::exception_ptr e) {
    error = e;
    done = true;
  });
  for (;;) {
    impl_->run_ready();
    if (done) break;
    check(impl_->advance(), "the simulation has something left to run");
  }
  if (error) std::rethrow_exception(error);
}

void SimRuntime::jump_wall_clock(Duration by) { impl_->wall_ += by; }

}  // namespace millrace
