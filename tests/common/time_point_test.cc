#include "common/time_point.h"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

namespace millrace::testing {

TEST_CASE("times are written in UTC with microseconds") {
  CHECK(format_time(from_micros(0)) == "1970-01-01T00:00:00.000000Z");
  CHECK(format_time(from_micros(1'795'556'271'000'123)) == "2026-11-24T21:37:51.000123Z");
  CHECK(format_time(from_micros(-1)) == "1969-12-31T23:59:59.999999Z");
}

TEST_CASE("times are read with any fraction and any offset") {
  const auto micros = [](std::string_view s) { return to_micros(parse_time(s).value()); };
  CHECK(micros("2026-11-24T21:37:51.000123Z") == 1'795'556'271'000'123);
  CHECK(micros("2026-11-24T21:37:51Z") == 1'795'556'271'000'000);
  CHECK(micros("2026-11-24 21:37:51.5z") == 1'795'556'271'500'000);
  CHECK(micros("2026-11-24t21:37:51.123456789Z") == 1'795'556'271'123'456);
  CHECK(micros("2026-11-24T23:07:51+01:30") == 1'795'556'271'000'000);
  CHECK(micros("2026-11-24T16:37:51-05:00") == 1'795'556'271'000'000);
  CHECK(micros("2024-02-29T00:00:00Z") == 1'709'164'800'000'000);
}

TEST_CASE("what is no time is not read") {
  for (const char* s : {"", "now", "2026-11-24", "2026-11-24T21:37:51", "2026-11-24T21:37Z", "2026-13-01T00:00:00Z",
                        "2026-02-29T00:00:00Z", "2026-11-24T24:00:00Z", "2026-11-24T21:60:51Z", "2026-11-24T21:37:61Z",
                        "2026-11-24T21:37:51.Z", "2026-11-24T21:37:51Zx", "2026-11-24T21:37:51+1:00",
                        "2026-11-24T21:37:51+24:00", "2026-1-2T3:4:5Z", "+026-11-24T21:37:51Z", "2026-11-24T21: 7:51Z",
                        "2026-11-24T21:37:51+-1:00", "2026-11-24T21:37:51.000123"})
    CHECK_FALSE(parse_time(s).has_value());
}

TEST_CASE("a time that was written is read again") {
  REQUIRE(rc::check([] {
    const auto us =
        *rc::gen::inRange<std::int64_t>(-62'135'596'800'000'000, 253'402'300'799'999'999);  // years 1 to 9999
    const auto back = parse_time(format_time(from_micros(us)));
    RC_ASSERT(back.has_value());
    RC_ASSERT(to_micros(*back) == us);
  }));
}

}  // namespace millrace::testing
