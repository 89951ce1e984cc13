#include "tests/testkit/clock.h"

namespace millrace::testkit {
namespace {

class Shifted final : public Runtime::Backend {
 public:
  Shifted(Runtime real, Duration offset) : real_(std::move(real)), offset_(offset) {}
  asio::any_io_executor executor() override { return real_.executor(); }
  asio::any_io_executor make_strand() override { return real_.make_strand(); }
  WallTime now() override { return real_.now() + offset_; }
  MonoTime mono() override { return real_.mono(); }
  std::uint64_t random() override { return real_.random(); }
  asio::awaitable<void> sleep_until(MonoTime when) override { return real_.sleep_until(when); }
  asio::awaitable<void> run_blocking(std::function<void()> work) override { co_await real_.blocking(work); }
  std::unique_ptr<Thread> start_thread(std::string name, std::function<void()> body) override {
    return real_.start_thread(std::move(name), std::move(body));
  }

 private:
  Runtime real_;
  Duration offset_;
};

}  // namespace

Runtime with_clock_offset(Runtime real, Duration offset) {
  return Runtime(std::make_shared<Shifted>(std::move(real), offset));
}

}  // namespace millrace::testkit
