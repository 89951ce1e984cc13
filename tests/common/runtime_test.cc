#include "common/runtime.h"

#include <unistd.h>

#include <atomic>
#include <set>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>
#include <catch2/catch.hpp>

#include "common/errors.h"
#include "common/event.h"
#include "common/runtime_sim.h"

namespace millrace::testing {
namespace {

template <class T>
asio::awaitable<void> keep(asio::awaitable<T> work, T* result) {
  *result = co_await std::move(work);
}

asio::awaitable<std::string> blocking_text(Runtime runtime) {
  const auto caller = ::gettid();
  const std::string text = "made on the lane";
  auto work = [text, caller] { return ::gettid() == caller ? std::string("on the caller's thread") : text; };
  co_return co_await runtime.blocking(work);
}

asio::awaitable<int> blocking_throws(Runtime runtime) {
  auto work = []() -> int { throw Error("internal", "from the lane"); };
  co_return co_await runtime.blocking(work);
}

asio::awaitable<Duration> measure_sleep(Runtime runtime, Duration d) {
  const MonoTime before = runtime.mono();
  co_await runtime.sleep_for(d);
  co_return runtime.mono() - before;
}

asio::awaitable<void> sleep_and_note(Runtime runtime, Duration d, std::string name, std::string* order) {
  co_await runtime.sleep_for(d);
  *order += name;
}

// Keeps no Runtime: that would keep the simulation, and the simulation this.
asio::awaitable<void> sleep_with(const SimRuntime* sim, std::shared_ptr<int> held) {
  auto sleep = sim->runtime().sleep_for(std::chrono::hours(1));
  co_await std::move(sleep);
  (void)held;
}

// A history of what a few coroutines did, when, and with which random numbers.
std::string history_of(std::uint64_t seed) {
  SimRuntime sim(seed);
  auto history = std::make_shared<std::string>();
  const auto body = [](Runtime runtime, int id, std::shared_ptr<std::string> out) -> asio::awaitable<void> {
    for (int i = 0; i < 5; ++i) {
      co_await runtime.sleep_for(Duration(static_cast<std::int64_t>(runtime.random() % 1'000)));
      *out += std::to_string(id) + "@" + std::to_string(runtime.mono().time_since_epoch().count()) + "=" +
              runtime.uuid() + " ";
    }
  };
  for (int id = 0; id < 4; ++id)
    asio::co_spawn(sim.runtime().make_strand(), body(sim.runtime(), id, history), asio::detached);
  sim.run_until_idle();
  return *history;
}

}  // namespace

TEST_CASE("blocking() runs elsewhere and comes back with the result or the exception") {
  RealRuntime real;
  std::string text;
  real.run_until_done(keep(blocking_text(real.runtime()), &text));
  CHECK(text == "made on the lane");
  int unused = 0;
  CHECK_THROWS_AS(real.run_until_done(keep(blocking_throws(real.runtime()), &unused)), Error);
  text.clear();
  real.run_until_done(keep(blocking_text(real.runtime()), &text));  // also after a run that ended
  CHECK(text == "made on the lane");
}

TEST_CASE("in the simulator blocking() runs in line") {
  SimRuntime sim(1);
  std::string text;
  sim.run_until_done(keep(blocking_text(sim.runtime()), &text));
  CHECK(text == "on the caller's thread");
}

TEST_CASE("a sleep never ends early") {
  RealRuntime real;
  for (const int us : {0, 1, 999, 2'500}) {
    Duration slept{};
    real.run_until_done(keep(measure_sleep(real.runtime(), Duration(us)), &slept));
    CHECK(slept >= Duration(us));
  }
}

TEST_CASE("in the simulator a sleep takes exactly its time, and sleepers wake in the order of their times") {
  SimRuntime sim(1);
  Duration slept{};
  const WallTime wall = sim.runtime().now();
  sim.run_until_done(keep(measure_sleep(sim.runtime(), std::chrono::hours(5)), &slept));
  CHECK(slept == std::chrono::hours(5));
  CHECK(sim.runtime().now() - wall == std::chrono::hours(5));
  std::string order;
  asio::co_spawn(sim.runtime().executor(), sleep_and_note(sim.runtime(), Duration(30), "c", &order), asio::detached);
  asio::co_spawn(sim.runtime().executor(), sleep_and_note(sim.runtime(), Duration(10), "a", &order), asio::detached);
  asio::co_spawn(sim.runtime().executor(), sleep_and_note(sim.runtime(), Duration(20), "b", &order), asio::detached);
  sim.run_until_idle();
  CHECK(order == "abc");
}

TEST_CASE("a jump of the wall clock moves no sleeper") {
  SimRuntime sim(1);
  std::string order;
  asio::co_spawn(sim.runtime().executor(), sleep_and_note(sim.runtime(), Duration(10), "a", &order), asio::detached);
  sim.run_ready();
  sim.jump_wall_clock(std::chrono::hours(1));
  sim.run_ready();
  CHECK(order.empty());
  const WallTime wall = sim.runtime().now();
  REQUIRE(sim.advance_to_next_timer());
  sim.run_ready();
  CHECK(order == "a");
  CHECK(sim.runtime().now() - wall == Duration(10));
}

TEST_CASE("one seed is one run, another seed another") {
  CHECK(history_of(7) == history_of(7));
  CHECK(history_of(7) != history_of(8));
}

TEST_CASE("what still sleeps when the simulation ends goes away with it") {
  auto held = std::make_shared<int>(1);
  {
    SimRuntime sim(1);
    asio::co_spawn(sim.runtime().executor(), sleep_with(&sim, held), asio::detached);
    sim.run_ready();
    CHECK(held.use_count() > 1);
  }
  CHECK(held.use_count() == 1);
}

TEST_CASE("uuids are version 4 and differ") {
  RealRuntime real;
  std::set<std::string> seen;
  for (int i = 0; i < 1'000; ++i) {
    const auto id = real.runtime().uuid();
    REQUIRE(id.size() == 36);
    CHECK(id[14] == '4');
    CHECK(std::string("89ab").find(id[19]) != std::string::npos);
    seen.insert(id);
  }
  CHECK(seen.size() == 1'000);
}

TEST_CASE("what a run throws comes out of run_until_done") {
  RealRuntime real;
  const auto fails = []() -> asio::awaitable<void> {
    throw Error("internal", "x");
    co_return;
  };
  CHECK_THROWS_AS(real.run_until_done(fails()), Error);
  SimRuntime sim(1);
  CHECK_THROWS_AS(sim.run_until_done(fails()), Error);
}

}  // namespace millrace::testing
