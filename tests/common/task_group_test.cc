#include "common/task_group.h"

#include <atomic>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <catch2/catch.hpp>

#include "common/errors.h"
#include "common/event.h"
#include "common/runtime_sim.h"

namespace millrace::testing {
namespace {

asio::awaitable<void> sleep_forever(Runtime runtime, std::atomic<int>* ended) {
  std::exception_ptr error;
  try {
    co_await runtime.sleep_for(std::chrono::hours(1'000'000));
  } catch (...) {
    error = std::current_exception();
  }
  ++*ended;
  if (error) std::rethrow_exception(error);
}

asio::awaitable<void> work_for(Runtime runtime, Duration d, std::atomic<int>* ended) {
  co_await runtime.sleep_for(d);
  ++*ended;
}

asio::awaitable<void> fail_after(Runtime runtime, Duration d) {
  co_await runtime.sleep_for(d);
  throw Error("internal", "a test fails here");
}

// Cleans up for a while after it was cancelled.
asio::awaitable<void> end_slowly(Runtime runtime, std::atomic<int>* ended) {
  try {
    co_await runtime.sleep_for(std::chrono::hours(1));
  } catch (...) {
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await asio::this_coro::throw_if_cancelled(false);
  co_await runtime.sleep_for(std::chrono::seconds(10));
  ++*ended;
}

asio::awaitable<void> stop_twice(TaskGroup* group) {
  co_await group->stop();
  co_await group->stop();
}

asio::awaitable<void> join_and_note(TaskGroup* group, std::string* what) {
  try {
    co_await group->join();
    *what = "joined";
  } catch (...) {
    *what = is_cancelled(std::current_exception()) ? "cancelled" : describe(std::current_exception());
  }
}

asio::awaitable<void> stop_then_sleep(Runtime runtime, TaskGroup* group, std::string* what) {
  co_await group->stop();
  *what = "stopped";
  try {
    co_await runtime.sleep_for(std::chrono::hours(1));
    *what = "slept";
  } catch (...) {
    *what = "cancelled";
  }
}

}  // namespace

TEST_CASE("stop() cancels all tasks and returns when they have ended") {
  SimRuntime sim(1);
  std::atomic<int> ended = 0;
  TaskGroup group(sim.runtime());
  for (int i = 0; i < 3; ++i) group.spawn("sleeper", sleep_forever(sim.runtime(), &ended));
  group.spawn("slow", end_slowly(sim.runtime(), &ended));
  sim.run_ready();
  CHECK(group.running() == 4);
  sim.run_until_done(stop_twice(&group));
  CHECK(ended == 4);
  CHECK(group.running() == 0);
}

TEST_CASE("stop() of a group that never ran anything returns at once, and twice") {
  SimRuntime sim(1);
  TaskGroup group(sim.runtime());
  sim.run_until_done(stop_twice(&group));
  CHECK(group.running() == 0);
}

TEST_CASE("a stopped group starts nothing more") {
  SimRuntime sim(1);
  std::atomic<int> ended = 0;
  TaskGroup group(sim.runtime());
  sim.run_until_done(group.stop());
  group.spawn("late", work_for(sim.runtime(), Duration(1), &ended));
  sim.run_until_idle();
  CHECK(ended == 0);
  CHECK(group.running() == 0);
}

TEST_CASE("a task that is cancelled before it began never runs") {
  SimRuntime sim(1);
  std::atomic<int> ended = 0;
  TaskGroup group(sim.runtime());
  group.cancel();
  group.spawn("sleeper", sleep_forever(sim.runtime(), &ended));
  group.cancel();
  sim.run_until_done(group.join());
  CHECK(group.running() == 0);
}

TEST_CASE("join() waits for all, and throws the first failure after it cancelled the rest") {
  SimRuntime sim(1);
  std::atomic<int> ended = 0;
  TaskGroup group(sim.runtime());
  group.spawn("work", work_for(sim.runtime(), std::chrono::seconds(1), &ended));
  group.spawn("work", work_for(sim.runtime(), std::chrono::seconds(2), &ended));
  std::string what;
  sim.run_until_done(join_and_note(&group, &what));
  CHECK(what == "joined");
  CHECK(ended == 2);

  group.spawn("fails", fail_after(sim.runtime(), std::chrono::seconds(1)));
  group.spawn("sleeper", sleep_forever(sim.runtime(), &ended));
  group.spawn("slow", end_slowly(sim.runtime(), &ended));
  sim.run_until_done(join_and_note(&group, &what));
  CHECK(what == "internal error: a test fails here");
  CHECK(ended == 4);
  CHECK(group.running() == 0);

  sim.run_until_done(join_and_note(&group, &what));  // the failure was told once
  CHECK(what == "joined");
}

TEST_CASE("a cancelled join() cancels the tasks, waits for them and is cancelled") {
  SimRuntime sim(1);
  std::atomic<int> ended = 0;
  TaskGroup group(sim.runtime());
  group.spawn("slow", end_slowly(sim.runtime(), &ended));
  std::string what = "waits";
  asio::cancellation_signal signal;
  asio::co_spawn(sim.runtime().executor(), join_and_note(&group, &what),
                 asio::bind_cancellation_slot(signal.slot(), [](std::exception_ptr) {}));
  sim.run_ready();
  signal.emit(asio::cancellation_type::terminal);
  sim.run_ready();
  CHECK(what == "waits");  // the task is still cleaning up
  sim.run_until_idle(std::chrono::seconds(20));
  CHECK(what == "cancelled");
  CHECK(ended == 1);
}

TEST_CASE("a cancellation does not end stop(), is not lost in it, and does not make later waits deaf") {
  SimRuntime sim(1);
  std::atomic<int> ended = 0;
  std::string during = "stops", after = "stops";
  asio::cancellation_signal cancel_during, cancel_after;
  TaskGroup first(sim.runtime()), second(sim.runtime());
  first.spawn("slow", end_slowly(sim.runtime(), &ended));
  second.spawn("slow", end_slowly(sim.runtime(), &ended));
  asio::co_spawn(sim.runtime().executor(), stop_then_sleep(sim.runtime(), &first, &during),
                 asio::bind_cancellation_slot(cancel_during.slot(), [](std::exception_ptr) {}));
  asio::co_spawn(sim.runtime().executor(), stop_then_sleep(sim.runtime(), &second, &after),
                 asio::bind_cancellation_slot(cancel_after.slot(), [](std::exception_ptr) {}));
  sim.run_ready();
  cancel_during.emit(asio::cancellation_type::terminal);
  sim.run_ready();
  CHECK(during == "stops");
  sim.run_until_idle(std::chrono::seconds(60));
  CHECK(ended == 2);
  CHECK(during == "cancelled");
  CHECK(after == "stopped");
  cancel_after.emit(asio::cancellation_type::terminal);
  sim.run_ready();
  CHECK(after == "cancelled");
}

TEST_CASE("tasks that are spawned while another thread stops the group are stopped too") {
  for (int round = 0; round < 200; ++round) {
    RealRuntime real;
    std::atomic<int> ended = 0;
    TaskGroup group(real.runtime());
    auto spawner = real.runtime().start_thread("spawner", [&] {
      for (int i = 0; i < 20; ++i) group.spawn("sleeper", sleep_forever(real.runtime(), &ended));
    });
    real.run_until_done(group.stop());
    spawner.reset();
    real.run_until_done(group.stop());
    REQUIRE(group.running() == 0);
  }
}

}  // namespace millrace::testing
