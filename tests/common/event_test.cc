#include "common/event.h"

#include <atomic>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <catch2/catch.hpp>

#include "common/errors.h"
#include "common/runtime.h"
#include "common/runtime_sim.h"

namespace millrace::testing {
namespace {

asio::awaitable<void> wait_and_count(Event* event, std::atomic<int>* count) {
  co_await event->wait();
  ++*count;
}

asio::awaitable<void> wait_and_note(Event* event, std::string* what) {
  *what = "waits";
  try {
    co_await event->wait();
    *what = "woken";
  } catch (...) {
    *what = is_cancelled(std::current_exception()) ? "cancelled" : "failed";
  }
}

// Sets *gone when the frame that holds it is gone.
struct TellGone {
  explicit TellGone(bool* g) : gone(g) {}
  TellGone(TellGone&& o) noexcept : gone(std::exchange(o.gone, nullptr)) {}
  ~TellGone() {
    if (gone != nullptr) *gone = true;
  }
  bool* gone;
};

asio::awaitable<void> hold_and_wait(Event* event, TellGone held) {
  co_await event->wait();
  (void)held;
}

asio::awaitable<void> hand_over(std::shared_ptr<Event> ping, std::shared_ptr<Event> pong, int rounds,
                                std::atomic<int>* n) {
  for (int i = 0; i < rounds; ++i) {
    co_await ping->wait();
    ping->reset();
    ++*n;
    pong->set();
  }
}

}  // namespace

TEST_CASE("set() wakes all who wait, and those who come later do not wait") {
  SimRuntime sim(1);
  Event event;
  std::atomic<int> woken = 0;
  for (int i = 0; i < 3; ++i) asio::co_spawn(sim.runtime().executor(), wait_and_count(&event, &woken), asio::detached);
  sim.run_ready();
  CHECK(woken == 0);
  event.set();
  CHECK(woken == 0);  // never inside set()
  sim.run_ready();
  CHECK(woken == 3);
  sim.run_until_done(wait_and_count(&event, &woken));
  CHECK(woken == 4);
  event.reset();
  CHECK_FALSE(event.is_set());
  asio::co_spawn(sim.runtime().executor(), wait_and_count(&event, &woken), asio::detached);
  sim.run_ready();
  CHECK(woken == 4);
  event.set();
  sim.run_ready();
  CHECK(woken == 5);
}

TEST_CASE("pulse() wakes those who wait now and leaves the flag") {
  SimRuntime sim(1);
  Event event;
  std::atomic<int> woken = 0;
  asio::co_spawn(sim.runtime().executor(), wait_and_count(&event, &woken), asio::detached);
  sim.run_ready();
  event.pulse();
  sim.run_ready();
  CHECK(woken == 1);
  CHECK_FALSE(event.is_set());
}

TEST_CASE("a wait can be cancelled, and leaves nothing behind") {
  SimRuntime sim(1);
  Event event;
  std::string first, second;
  asio::cancellation_signal signal;
  asio::co_spawn(sim.runtime().executor(), wait_and_note(&event, &first),
                 asio::bind_cancellation_slot(signal.slot(), asio::detached));
  asio::co_spawn(sim.runtime().executor(), wait_and_note(&event, &second), asio::detached);
  sim.run_ready();
  signal.emit(asio::cancellation_type::terminal);
  sim.run_ready();
  CHECK(first == "cancelled");
  CHECK(second == "waits");
  event.set();
  sim.run_ready();
  CHECK(first == "cancelled");
  CHECK(second == "woken");
}

TEST_CASE("a wait that is never completed goes away with its event") {
  bool gone = false;
  SimRuntime sim(1);
  {
    Event event;
    asio::co_spawn(sim.runtime().executor(), hold_and_wait(&event, TellGone(&gone)), asio::detached);
    sim.run_ready();
    CHECK_FALSE(gone);
  }
  sim.run_ready();
  CHECK(gone);
}

TEST_CASE("events hand over between threads without losing one") {
  RealRuntime real;
  auto ping = std::make_shared<Event>(), pong = std::make_shared<Event>();
  std::atomic<int> a = 0, b = 0;
  asio::co_spawn(real.runtime().make_strand(), hand_over(pong, ping, 20'000, &b), asio::detached);
  ping->set();
  real.run_until_done(hand_over(ping, pong, 20'000, &a));
  CHECK(a == 20'000);
  CHECK(b >= 19'999);
}

}  // namespace millrace::testing
