// Byte order, metrics, and the compiler's trap that all coroutine code must know.
#include <boost/asio/co_spawn.hpp>
#include <catch2/catch.hpp>

#include "common/byte_order.h"
#include "common/metrics.h"
#include "common/runtime_sim.h"

namespace millrace::testing {
namespace {

// Counts its living copies.
struct Counted {
  Counted() { ++alive; }
  Counted(const Counted&) { ++alive; }
  Counted(Counted&&) noexcept { ++alive; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --alive; }
  static inline int alive = 0;
};

struct Aggregate {
  Counted counted;
  int n = 0;
};
struct WithConstructor {
  explicit WithConstructor(int number) : n(number) {}
  Counted counted;
  int n = 0;
};

template <class T>
asio::awaitable<void> take(T) {
  co_return;
}
template <class F>
asio::awaitable<void> call(F f) {
  f();
  co_return;
}

asio::awaitable<void> named_objects_and_constructors() {
  Aggregate named{Counted(), 1};
  co_await take(named);
  co_await take(WithConstructor(1));
  Counted captured;
  auto closure = [captured] { (void)captured; };
  co_await call(closure);
  co_await call([&captured] { (void)captured; });
}

}  // namespace

TEST_CASE("integers are written most significant byte first") {
  std::string out;
  append_big_endian(out, std::uint16_t{0x0102});
  append_big_endian(out, std::int32_t{-2});
  append_big_endian(out, std::uint64_t{0x0102030405060708});
  CHECK(out == std::string("\x01\x02\xff\xff\xff\xfe\x01\x02\x03\x04\x05\x06\x07\x08", 14));
  CHECK(from_big_endian<std::uint16_t>(out.data()) == 0x0102);
  CHECK(from_big_endian<std::int32_t>(out.data() + 2) == -2);
  CHECK(from_big_endian<std::uint64_t>(out.data() + 6) == 0x0102030405060708);
}

TEST_CASE("metrics are found again by name and labels, and rendered") {
  metric_counter("millrace_test_total", "A test", {{"kind", "a"}}).add(2);
  metric_counter("millrace_test_total", "A test", {{"kind", "a"}}).add();
  metric_gauge("millrace_test_gauge", "A test").set(7);
  metric_histogram("millrace_test_seconds", "A test", latency_buckets()).observe(0.2);
  const auto text = render_metrics();
  CHECK_THAT(text, Catch::Matchers::Contains("millrace_test_total{kind=\"a\"} 3\n"));
  CHECK_THAT(text, Catch::Matchers::Contains("millrace_test_gauge 7\n"));
  CHECK_THAT(text, Catch::Matchers::Contains("millrace_test_seconds_bucket{le=\"0.25\"} 1\n"));
  CHECK_THAT(text, Catch::Matchers::Contains("process_resident_memory_bytes"));
}

// What common/awaitable.h says is right must be right with this compiler.
TEST_CASE("named objects, constructors and captures by reference live once in a co_await expression") {
  SimRuntime sim(1);
  Counted::alive = 0;
  sim.run_until_done(named_objects_and_constructors());
  CHECK(Counted::alive == 0);
}

}  // namespace millrace::testing
