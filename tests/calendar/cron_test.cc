#include <catch2/catch.hpp>

#include "calendar/cron.h"

namespace millrace::calendar {
namespace {

using namespace std::chrono;

Cron cron(const std::string& text) {
  std::string fault;
  const auto out = Cron::parse(text, fault);
  INFO(text << ": " << fault);
  REQUIRE(out);
  return *out;
}
// The first `n` days that match in 2026, as "m/d".
std::string days(const std::string& text, int n) {
  const Cron c = cron(text);
  std::string out;
  Local at = local_days(year(2026) / 1 / 1);
  for (int i = 0; i < n; ++i) {
    const auto found = c.next(at, local_days(year(2030) / 1 / 1));
    if (!found) break;
    const year_month_day day(floor<std::chrono::days>(*found));
    out += (i == 0 ? "" : " ") + std::to_string(unsigned(day.month())) + "/" + std::to_string(unsigned(day.day()));
    at = floor<std::chrono::days>(*found) + std::chrono::days(1);
  }
  return out;
}

}  // namespace

TEST_CASE("five fields are Unix cron: where both day fields are restricted, a day that fits one fits") {
  CHECK(days("0 0 13 * 5", 6) == "1/2 1/9 1/13 1/16 1/23 1/30");
  CHECK(days("0 0 13 * *", 2) == "1/13 2/13");
  CHECK(days("0 0 * * 0", 2) == "1/4 1/11");
  CHECK(days("0 0 * * 7", 2) == "1/4 1/11");
  CHECK(days("0 0 * * sun", 2) == "1/4 1/11");
  CHECK(days("0 0 * February mon-tue", 3) == "2/2 2/3 2/9");
  CHECK(days("0 0 29 2 *", 1) == "2/29");  // of 2028
  CHECK(days("0 0 30 2 *", 1).empty());
}

TEST_CASE("six and seven fields are Quartz: seconds first, 1 is Sunday, last, nearest and nth days") {
  CHECK(days("0 0 0 ? * 1", 2) == "1/4 1/11");
  CHECK(days("0 0 0 ? * FRI-MON", 5) == "1/2 1/3 1/4 1/5 1/9");
  CHECK(days("0 0 0 L * ?", 3) == "1/31 2/28 3/31");
  CHECK(days("0 0 0 L-2 * ?", 2) == "1/29 2/26");
  CHECK(days("0 0 0 LW * ?", 3) == "1/30 2/27 3/31");
  CHECK(days("0 0 0 1W * ?", 3) == "1/1 2/2 3/2");  // Sunday 1 February and March: the Monday
  CHECK(days("0 0 0 15W * ?", 3) == "1/15 2/16 3/16");
  CHECK(days("0 0 0 ? * 6#3", 2) == "1/16 2/20");
  CHECK(days("0 0 0 ? * 6L", 2) == "1/30 2/27");
  CHECK(days("0 0 0 ? * L", 2) == "1/3 1/10");
  CHECK(days("0 0 0 1 1 ? 2027", 2) == "1/1");
}

TEST_CASE("the clock's fields take lists, ranges, steps and, in Quartz, ranges over midnight") {
  const auto times = [](const std::string& text) {
    const Cron c = cron(text);
    int n = 0;
    for (Local t = local_days(year(2026) / 1 / 1); t < local_days(year(2026) / 1 / 2); t += seconds(1))
      n += c.matches(t);
    return n;
  };
  CHECK(times("*/15 * * * *") == 96);
  CHECK(times("5/20 8-9 * * *") == 6);
  CHECK(times("1,2,3 4 * * *") == 3);
  CHECK(times("0/1 * * * * ?") == 86'400);
  CHECK(times("0 0 22-2 * * ?") == 5);
  CHECK(times("@hourly") == 24);
  CHECK(times("@daily") == 1);
}

TEST_CASE("what is no expression is refused with its field") {
  const auto fault = [](const std::string& text) {
    std::string out;
    CHECK_FALSE(Cron::parse(text, out));
    return out;
  };
  CHECK(fault("61 * * * *") == "the minute field: 61 is not within 0 and 59");
  CHECK(fault("* * * *") == "has 4 fields: 5 (Unix) or 6 or 7 (Quartz) are wanted");
  CHECK(fault("0 0 0 * * *") == "needs ? in one of day of month and day of week, as Quartz does");
  CHECK(fault("9-5 * * * *") == "the minute field: \"9-5\" ends before it begins");
  CHECK(fault("*/0 * * * *") == "the minute field: \"0\" is no step");
  CHECK(fault("0 0 * * fry") == "the day of week field: \"fry\" is no number");
  for (const char* bad : {"", "@often", ", * * * *", "* * L * *", "0 0 0 ? * 6#6", "0 0 0 32W * ?", "1-2-3 * * * *",
                          "-1 * * * *", "1//2 * * * *", "99999999999 * * * *", "0 0 0 ? * MON#", "0 0 0 , * ?"})
    CHECK_FALSE(fault(bad).empty());
}

}  // namespace millrace::calendar
