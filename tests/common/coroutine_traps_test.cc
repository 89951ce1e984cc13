// What crosses a co_await call is destroyed as often as it is made. g++ 12 breaks this for aggregate temporaries and
// for lambdas that hold values when they are written inside the expression: tools/rooms refuses those, and this test
// runs them to know whether the rule is still needed, and runs the forms that the code uses instead to know that they
// are right.
#include <catch2/catch.hpp>

#include <functional>
#include <string>

#include "common/runtime.h"
#include "tests/support/run.h"

using namespace millrace;

namespace {

int alive = 0;  // made less destroyed

struct Counted {
  Counted() { ++alive; }
  Counted(const Counted&) { ++alive; }
  Counted(Counted&&) noexcept { ++alive; }
  Counted& operator=(const Counted&) = default;
  Counted& operator=(Counted&&) noexcept = default;
  ~Counted() { --alive; }
};

struct Aggregate {
  Counted member;
  int n = 0;
};
struct Constructed {
  Constructed() = default;
  explicit Constructed(int number) : n(number) {}
  Counted member;
  int n = 0;
};

asio::awaitable<int> take_aggregate(Aggregate a) { co_return a.n; }
asio::awaitable<int> take_constructed(Constructed a) { co_return a.n; }
asio::awaitable<int> take_function(std::function<int()> f) { co_return f(); }

asio::awaitable<void> named_aggregate() {
  Aggregate a;
  a.n = 1;
  const int n = co_await take_aggregate(a);
  CHECK(n == 1);
}
asio::awaitable<void> moved_aggregate() {
  Aggregate a;
  a.n = 1;
  const int n = co_await take_aggregate(std::move(a));
  CHECK(n == 1);
}
asio::awaitable<void> constructed_temporary() {
  const int n = co_await take_constructed(Constructed(1));
  CHECK(n == 1);
}
asio::awaitable<void> named_lambda() {
  const Counted value;
  auto f = [value] { return 1; };
  const int n = co_await take_function(std::move(f));
  CHECK(n == 1);
}
asio::awaitable<void> lambda_by_reference() {
  const Counted value;
  const int n = co_await take_function([&value] {
    (void)value;
    return 1;
  });
  CHECK(n == 1);
}

// The refused ones.
asio::awaitable<void> aggregate_temporary() { (void)co_await take_aggregate(Aggregate{Counted(), 1}); }
asio::awaitable<void> lambda_temporary() {
  const Counted value;
  (void)co_await take_function([value] { return 1; });
}

int left_alive_after(RealRuntime& real, asio::awaitable<void> work) {
  const int before = alive;
  real.run_until_done(std::move(work));
  return alive - before;
}

}  // namespace

TEST_CASE("the forms in which options and functions cross a co_await call destroy each object once") {
  RealRuntime real;
  CHECK(left_alive_after(real, named_aggregate()) == 0);
  CHECK(left_alive_after(real, moved_aggregate()) == 0);
  CHECK(left_alive_after(real, constructed_temporary()) == 0);
  CHECK(left_alive_after(real, named_lambda()) == 0);
  CHECK(left_alive_after(real, lambda_by_reference()) == 0);
}

TEST_CASE("the rule against temporaries in an expression with co_await is needed with g++ 12") {
  RealRuntime real;
  const int aggregate = left_alive_after(real, aggregate_temporary());
  const int lambda = left_alive_after(real, lambda_temporary());
#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ == 12
  // Once this fails with a newer g++ 12, the rule of tools/rooms may go.
  CHECK(aggregate < 0);
  CHECK(lambda < 0);
#else
  CHECK(aggregate == 0);
  CHECK(lambda == 0);
#endif
}
