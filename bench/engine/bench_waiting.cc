// bench_waiting: executions that wait, half on a signal and half on a timer, none evicted and then all: time to start
// them, memory each, CPU while they rest, a restart among them, the first signal answered after it; timers that are due
// in one second; executions of five steps, many at once; verify of a long history. Figures are the machine's; the
// issue's aims stand beside them.
//
// rooms: clock and threads: what is measured is the process's own clock and memory.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "common/task_group.h"
#include "engine/engine.h"
#include "state/rocksdb_store.h"

namespace millrace {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point t) { return std::chrono::duration<double>(Clock::now() - t).count(); }

double resident_mb() {
  std::size_t pages = 0, ignored = 0;
  if (FILE* f = std::fopen("/proc/self/statm", "r")) {
    if (std::fscanf(f, "%zu %zu", &ignored, &pages) != 2) pages = 0;
    std::fclose(f);
  }
  return static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6;
}

double cpu_seconds() {
  struct rusage u{};
  ::getrusage(RUSAGE_SELF, &u);
  const auto of = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return of(u.ru_utime) + of(u.ru_stime);
}

void print(const std::string& what, double value, const std::string& unit, const std::string& aim = {}) {
  std::cout << fmt::format("{:<58} {:>12.2f} {:<8} {}\n", what, value, unit, aim);
}

asio::awaitable<engine::Payload> empty_step(engine::StepContext&, engine::Payload) { co_return "1"; }

engine::Workflow<engine::Payload> five_steps(engine::Context& ctx, engine::Payload) {
  for (int i = 0; i < 5; ++i) co_await ctx.step("empty", "0", engine::StepOptions());
  co_return "{}";
}
// Input: how many steps.
engine::Workflow<engine::Payload> many_steps(engine::Context& ctx, engine::Payload input) {
  const int n = std::stoi(input);
  for (int i = 0; i < n; ++i) co_await ctx.step("empty", "0", engine::StepOptions());
  co_return "{}";
}
engine::Workflow<engine::Payload> wait_for_signal(engine::Context& ctx, engine::Payload) {
  co_return co_await ctx.next_signal("go");
}
// Input: seconds. Result: how late it fired, in microseconds.
engine::Workflow<engine::Payload> wait_for_timer(engine::Context& ctx, engine::Payload input) {
  const Duration d = std::chrono::microseconds(std::stoll(input));
  const WallTime due = ctx.now() + d;
  co_await ctx.timer(d);
  co_return std::to_string((ctx.now() - due).count());
}

engine::Registry registry() {
  engine::Registry r;
  r.add_step("empty", empty_step);
  r.add_workflow("five", five_steps);
  r.add_workflow("many", many_steps);
  r.add_workflow("signal", wait_for_signal);
  r.add_workflow("timer", wait_for_timer);
  return r;
}

asio::awaitable<void> start_some(engine::Engine* engine, std::string type, engine::Payload input, int from, int to,
                                 int step) {
  for (int i = from; i < to; i += step) {
    engine::StartRequest request;
    request.type = type;
    request.workflow_id = type + "-" + std::to_string(i);
    request.input = input;
    co_await engine->start_workflow(std::move(request));
  }
}

asio::awaitable<void> start_all(Runtime runtime, engine::Engine* engine, std::string type, engine::Payload input,
                                int n) {
  TaskGroup group(runtime);
  for (int k = 0; k < 64; ++k) group.spawn("start", start_some(engine, type, input, k, n, 64));
  co_await group.join();
}

asio::awaitable<void> finish_some(engine::Engine* engine, std::string type, int from, int to, int step,
                                  std::vector<double>* results) {
  for (int i = from; i < to; i += step) {
    const auto end = co_await engine->wait_closed(type + "-" + std::to_string(i), {}, std::chrono::minutes(10));
    if (results != nullptr && end.status == engine::ExecutionStatus::completed && type == "timer")
      results->push_back(std::stod(end.result) / 1000);
  }
}

asio::awaitable<void> waiting_case(Runtime runtime, std::string dir, int n, bool evicted, double rest_seconds) {
  std::shared_ptr<state::Store> store = state::open_rocksdb_store(runtime, state::RocksDbOptions(dir));
  engine::EngineOptions options;
  options.idle_bytes = evicted ? 0 : std::size_t{1} << 40;
  const std::string name = evicted ? "evicted" : "in memory";
  {
    auto engine = std::make_unique<engine::Engine>(runtime, store, registry(), options);
    co_await engine->start();
    const double before = resident_mb();
    const auto begun = Clock::now();
    co_await start_all(runtime, engine.get(), "signal", "{}", n / 2);
    co_await start_all(runtime, engine.get(), "timer", "86400000000", n / 2);
    print(fmt::format("{} waiting, {}: started in", n, name), seconds_since(begun), "s");
    co_await runtime.sleep_for(std::chrono::seconds(1));
    const double mb = resident_mb() - before;
    print("  memory above rest", mb, "MB", "aim 30, at most 150 for 10,000 evicted");
    print("  bytes an execution", mb * 1e6 / n, "B");
    const double cpu = cpu_seconds();
    co_await runtime.sleep_for(Duration(static_cast<std::int64_t>(rest_seconds * 1e6)));
    print("  CPU while they wait", (cpu_seconds() - cpu) / rest_seconds * 100, "%", "under 0.5");
    co_await engine->stop(std::chrono::seconds(1));
  }
  auto engine = std::make_unique<engine::Engine>(runtime, store, registry(), options);
  const auto begun = Clock::now();
  co_await engine->start();
  print("  takes work again after", seconds_since(begun), "s", "at most 2");
  const auto asked = Clock::now();
  co_await engine->signal("signal-" + std::to_string(n / 4), {}, "go", "1", {});
  co_await engine->wait_closed("signal-" + std::to_string(n / 4), {}, std::chrono::seconds(60));
  print("  first signal answered after", seconds_since(asked) * 1000, "ms", "at most 50");
  co_await engine->stop(std::chrono::seconds(1));
  engine.reset();
  store->close();
}

asio::awaitable<void> timers_case(Runtime runtime, std::string dir, int n, bool evicted) {
  std::shared_ptr<state::Store> store = state::open_rocksdb_store(runtime, state::RocksDbOptions(dir));
  engine::EngineOptions options;
  options.idle_bytes = evicted ? 0 : std::size_t{1} << 40;
  auto engine = std::make_unique<engine::Engine>(runtime, store, registry(), options);
  co_await engine->start();
  // All due within one second, some time after the last was started.
  const auto begun = Clock::now();
  const double lead = 20 + n / 2000.0;
  TaskGroup group(runtime);
  for (int i = 0; i < n; ++i) {
    const double due = lead + static_cast<double>(i % 1000) / 1000 - seconds_since(begun);
    engine::StartRequest request;
    request.type = "timer";
    request.workflow_id = "timer-" + std::to_string(i);
    request.input = std::to_string(static_cast<std::int64_t>(std::max(due, 0.001) * 1e6));
    const auto one = [](engine::Engine* e, engine::StartRequest r) -> asio::awaitable<void> {
      co_await e->start_workflow(std::move(r));
    };
    group.spawn("start", one(engine.get(), std::move(request)));
    if (i % 256 == 255) co_await group.join();
  }
  co_await group.join();
  std::vector<double> late;
  co_await finish_some(engine.get(), "timer", 0, n, 1, &late);
  std::sort(late.begin(), late.end());
  const std::string name = evicted ? "evicted" : "in memory";
  if (!late.empty()) {
    print(fmt::format("{} timers due in one second, {}: late p50", n, name), late[late.size() / 2], "ms");
    print("  late p99", late[std::min(late.size() - 1, late.size() * 99 / 100)], "ms", "under 20");
    print("  early (must be 0)", static_cast<double>(late.front() < 0), "");
  }
  co_await engine->stop(std::chrono::seconds(1));
  engine.reset();
  store->close();
}

asio::awaitable<void> steps_case(Runtime runtime, std::string dir, int n) {
  std::shared_ptr<state::Store> store = state::open_rocksdb_store(runtime, state::RocksDbOptions(dir));
  auto engine = std::make_unique<engine::Engine>(runtime, store, registry(), engine::EngineOptions());
  co_await engine->start();
  const auto begun = Clock::now();
  TaskGroup group(runtime);
  for (int k = 0; k < 256; ++k) group.spawn("start", start_some(engine.get(), "five", "{}", k, n, 256));
  co_await group.join();
  co_await finish_some(engine.get(), "five", 0, n, 1, nullptr);
  print(fmt::format("{} executions of five steps at once: steps a second", n), n * 5 / seconds_since(begun), "",
        "at least 20,000, aim 50,000");
  co_await engine->stop(std::chrono::seconds(1));
  engine.reset();
  store->close();
}

asio::awaitable<void> verify_case(Runtime runtime, std::string dir, int steps) {
  std::shared_ptr<state::Store> store = state::open_rocksdb_store(runtime, state::RocksDbOptions(dir));
  auto engine = std::make_unique<engine::Engine>(runtime, store, registry(), engine::EngineOptions());
  co_await engine->start();
  engine::StartRequest request;
  request.type = "many";
  request.workflow_id = "many";
  request.input = std::to_string(steps);
  co_await engine->start_workflow(std::move(request));
  co_await engine->wait_closed("many", {}, std::chrono::minutes(10));
  const double cpu = cpu_seconds();
  const auto begun = Clock::now();
  const engine::VerifyReport report = co_await engine->verify("many", {});
  print(fmt::format("verify of a history of {} events: events a second", report.events_checked),
        static_cast<double>(report.events_checked) / seconds_since(begun), "");
  print("  events a CPU second", static_cast<double>(report.events_checked) / (cpu_seconds() - cpu), "",
        "at least 200,000");
  co_await engine->stop(std::chrono::seconds(1));
  engine.reset();
  store->close();
}

int run(int argc, char** argv) {
  int n = 10'000;
  double rest = 5;
  std::string parent = std::filesystem::temp_directory_path();
  for (int i = 1; i < argc; ++i) {
    const std::string a = argv[i];
    if (a == "--executions" && i + 1 < argc)
      n = std::atoi(argv[++i]);
    else if (a == "--rest" && i + 1 < argc)
      rest = std::atof(argv[++i]);
    else if (a == "--dir" && i + 1 < argc)
      parent = argv[++i];
    else {
      std::cerr << "usage: bench_waiting [--executions N] [--rest SECONDS] [--dir DIR]\n";
      return 2;
    }
  }
  std::string dir = parent + "/millrace-bench-XXXXXX";
  if (::mkdtemp(dir.data()) == nullptr) return 1;
  for (const bool evicted : {false, true}) {
    RealRuntime real;
    real.run_until_done(waiting_case(real.runtime(), dir + (evicted ? "/evicted" : "/resident"), n, evicted, rest));
  }
  for (const bool evicted : {false, true}) {
    RealRuntime real;
    real.run_until_done(timers_case(real.runtime(), dir + (evicted ? "/timers-e" : "/timers-r"), n, evicted));
  }
  {
    RealRuntime real;
    real.run_until_done(steps_case(real.runtime(), dir + "/steps", n));
  }
  {
    RealRuntime real;
    real.run_until_done(verify_case(real.runtime(), dir + "/verify", 2 * n));
  }
  std::filesystem::remove_all(dir);
  return 0;
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) { return millrace::run(argc, argv); }
