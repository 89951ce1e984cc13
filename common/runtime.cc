#include "common/runtime.h"

#include <algorithm>
#include <mutex>
#include <random>
#include <thread>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <pthread.h>

namespace millrace {
namespace {

class StdThread final : public Thread {
 public:
  StdThread(const std::string& name, std::function<void()> body) : thread_(std::move(body)) {
    ::pthread_setname_np(thread_.native_handle(), name.substr(0, 15).c_str());
  }
  ~StdThread() override { thread_.join(); }

 private:
  std::thread thread_;
};

std::uint64_t os_random() {
  thread_local std::mt19937_64 generator = [] {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device(), device(), device()};
    return std::mt19937_64(seed);
  }();
  return generator();
}

}  // namespace

std::string Runtime::uuid() const {
  std::uint64_t hi = random(), lo = random();
  hi = (hi & 0xffffffffffff0fffULL) | 0x4000ULL;
  lo = (lo & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", hi >> 32, (hi >> 16) & 0xffff, hi & 0xffff, lo >> 48,
                     lo & 0xffffffffffffULL);
}

class RealRuntime::Impl final : public Runtime::Backend {
 public:
  explicit Impl(RuntimeOptions options) : options_(options), work_(asio::make_work_guard(io_)) {
    if (options_.pool_threads == 0) options_.pool_threads = std::max(2U, std::thread::hardware_concurrency());
  }

  asio::any_io_executor executor() override { return io_.get_executor(); }
  asio::any_io_executor make_strand() override { return asio::make_strand(io_); }
  WallTime now() override { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }
  MonoTime mono() override { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }
  std::uint64_t random() override { return os_random(); }

  asio::awaitable<void> sleep_until(MonoTime when) override {
    // Truncating to microseconds went down: one more so that it is never early.
    asio::steady_timer timer(io_, when + Duration(1));
    co_await timer.async_wait(asio::use_awaitable);
  }

  asio::awaitable<void> run_blocking(std::function<void()> work) override {
    using Handler = asio::any_completion_handler<void()>;
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(
        [this](auto handler, std::function<void()> body) {
          asio::any_io_executor ex = asio::get_associated_executor(handler);
          Handler h(std::move(handler));
          asio::post(lane(), [h = std::move(h), ex, guard = asio::make_work_guard(ex), body = std::move(body)]() mutable {
            body();
            asio::post(ex, std::move(h));
          });
        },
        asio::use_awaitable, std::move(work));
  }

  std::unique_ptr<Thread> start_thread(std::string name, std::function<void()> body) override {
    return std::make_unique<StdThread>(name, std::move(body));
  }

  void run() {
    std::vector<std::thread> others;
    for (unsigned i = 1; i < options_.pool_threads; ++i) {
      others.emplace_back([this] { io_.run(); });
      ::pthread_setname_np(others.back().native_handle(), "mr-pool");
    }
    io_.run();
    for (auto& t : others) t.join();
    std::lock_guard lock(lane_mutex_);
    if (lane_) lane_->join();
    lane_.reset();  // a joined pool runs nothing more; run() may come again
  }
  void stop() {
    work_.reset();
    io_.stop();
  }
  void restart() {
    io_.restart();
    work_.emplace(asio::make_work_guard(io_));
  }

 private:
  asio::thread_pool& lane() {
    std::lock_guard lock(lane_mutex_);
    if (!lane_) lane_ = std::make_unique<asio::thread_pool>(options_.blocking_threads);
    return *lane_;
  }

  RuntimeOptions options_;
  asio::io_context io_;
  std::optional<asio::executor_work_guard<asio::io_context::executor_type>> work_;
  std::mutex lane_mutex_;
  std::unique_ptr<asio::thread_pool> lane_;
};

RealRuntime::RealRuntime(RuntimeOptions options) : impl_(std::make_shared<Impl>(options)) {}
RealRuntime::~RealRuntime() = default;
Runtime RealRuntime::runtime() const { return Runtime(impl_); }
void RealRuntime::run() { impl_->run(); }
void RealRuntime::stop() { impl_->stop(); }

void RealRuntime::run_until_done(asio::awaitable<void> main) {
  impl_->restart();
  std::exception_ptr error;
  asio::co_spawn(impl_->executor(), std::move(main), [this, &error](std::exception_ptr e) {
    error = e;
    impl_->stop();
  });
  impl_->run();
  if (error) std::rethrow_exception(error);
}

}  // namespace millrace
