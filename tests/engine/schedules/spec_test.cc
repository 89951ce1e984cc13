// When schedules fire: cron lines, calendars, intervals, time zones.
#include <catch2/catch.hpp>

#include <rapidcheck.h>

#include <cstdlib>
#include <ctime>
#include <set>

#include "engine/schedules/cron.h"
#include "engine/schedules/schedule_spec.h"

namespace millrace::engine {
namespace {

using nlohmann::json;

ScheduleSpec spec_of(const json& value) {
  std::vector<SpecFault> faults;
  auto spec = ScheduleSpec::parse(value, "", faults);
  for (const auto& f : faults) INFO(f.pointer + " " + f.detail);
  if (!faults.empty()) FAIL(faults[0].pointer + " " + faults[0].detail);
  return spec;
}
std::int64_t at(const std::string& text) {
  const auto t = parse_time(text);
  REQUIRE(t);
  return seconds_floor(*t);
}
// The next `n` times in UTC, without seconds where they are 0.
std::vector<std::string> times(const json& value, const std::string& after, std::size_t n) {
  const auto spec = spec_of(value);
  std::vector<std::string> out;
  for (auto t = spec.next(at(after)); t && out.size() < n; t = spec.next(*t)) {
    std::string text = format_time(from_seconds(*t)).substr(0, 19);
    if (text.ends_with(":00")) text.resize(16);
    out.push_back(text);
  }
  return out;
}
std::vector<std::string> cron_times(const std::string& line, const std::string& after, std::size_t n,
                                    const std::string& zone = "UTC") {
  return times({{"crons", {line}}, {"timeZone", zone}}, after, n);
}
using Times = std::vector<std::string>;

std::string fault_of(const std::string& line) {
  std::string fault;
  return parse_cron(line, fault) ? "" : fault;
}

}  // namespace

TEST_CASE("five fields are Unix cron: 0 and 7 are Sunday, and one of two restricted day fields is enough") {
  CHECK(cron_times("*/20 3 * * *", "2026-11-24T00:00:00Z", 4) ==
        Times{"2026-11-24T03:00", "2026-11-24T03:20", "2026-11-24T03:40", "2026-11-25T03:00"});
  CHECK(cron_times("0 0 * * 0", "2026-11-24T00:00:00Z", 2) == Times{"2026-11-29T00:00", "2026-12-06T00:00"});
  CHECK(cron_times("0 0 * * 7", "2026-11-24T00:00:00Z", 1) == Times{"2026-11-29T00:00"});
  CHECK(cron_times("0 0 * * sun", "2026-11-24T00:00:00Z", 1) == Times{"2026-11-29T00:00"});
  // The 28th or a Friday.
  CHECK(cron_times("0 0 28 * FRI", "2026-11-24T00:00:00Z", 3) ==
        Times{"2026-11-27T00:00", "2026-11-28T00:00", "2026-12-04T00:00"});
  CHECK(cron_times("5-15/5,50 1 1 jan-mar *", "2026-11-24T00:00:00Z", 5) ==
        Times{"2027-01-01T01:05", "2027-01-01T01:10", "2027-01-01T01:15", "2027-01-01T01:50", "2027-02-01T01:05"});
  CHECK(cron_times("0 0 29 2 *", "2026-11-24T00:00:00Z", 1) == Times{"2028-02-29T00:00"});
  CHECK(cron_times("0 0 31 2 *", "2026-11-24T00:00:00Z", 1).empty());
}

TEST_CASE("six and seven fields are Quartz: seconds first, 1 is Sunday, L, W and # are days") {
  CHECK(cron_times("30 0 12 ? * 1", "2026-11-24T00:00:00Z", 1) == Times{"2026-11-29T12:00:30"});
  CHECK(cron_times("0 0 12 ? * MON-FRI", "2026-11-27T13:00:00Z", 1) == Times{"2026-11-30T12:00"});
  CHECK(cron_times("0 0 12 ? * FRI-MON", "2026-11-24T00:00:00Z", 5) ==
        Times{"2026-11-27T12:00", "2026-11-28T12:00", "2026-11-29T12:00", "2026-11-30T12:00", "2026-12-04T12:00"});
  CHECK(cron_times("0 0 0 L * ?", "2027-02-01T00:00:00Z", 2) == Times{"2027-02-28T00:00", "2027-03-31T00:00"});
  CHECK(cron_times("0 0 0 L-2 * ?", "2027-02-01T00:00:00Z", 1) == Times{"2027-02-26T00:00"});
  // 31 January 2027 is a Sunday.
  CHECK(cron_times("0 0 0 LW * ?", "2027-01-01T00:00:00Z", 1) == Times{"2027-01-29T00:00"});
  // 15 August 2026 is a Saturday, 1 August too: that stays within the month.
  CHECK(cron_times("0 0 0 15W 8 ?", "2026-01-01T00:00:00Z", 1) == Times{"2026-08-14T00:00"});
  CHECK(cron_times("0 0 0 1W 8 ?", "2026-01-01T00:00:00Z", 1) == Times{"2026-08-03T00:00"});
  CHECK(cron_times("0 0 0 ? * 6L", "2026-11-01T00:00:00Z", 1) == Times{"2026-11-27T00:00"});
  CHECK(cron_times("0 0 0 ? * FRI#5", "2026-11-01T00:00:00Z", 1) == Times{"2027-01-29T00:00"});
  CHECK(cron_times("0 0 0 1 1 ? 2028-2030/2", "2026-11-01T00:00:00Z", 5) ==
        Times{"2028-01-01T00:00", "2030-01-01T00:00"});
}

TEST_CASE("nicknames, @every and a zone in the line") {
  CHECK(cron_times("@daily", "2026-11-24T01:00:00Z", 1) == Times{"2026-11-25T00:00"});
  CHECK(cron_times("@hourly", "2026-11-24T01:00:00Z", 1) == Times{"2026-11-24T02:00"});
  CHECK(cron_times("@weekly", "2026-11-24T01:00:00Z", 1) == Times{"2026-11-29T00:00"});
  CHECK(cron_times("@every 1h30m", "2026-11-24T00:00:00Z", 2) == Times{"2026-11-24T01:30", "2026-11-24T03:00"});
  CHECK(cron_times("TZ=Asia/Tokyo 0 9 * * *", "2026-11-24T01:00:00Z", 1) == Times{"2026-11-25T00:00"});
  CHECK(cron_times("CRON_TZ=Asia/Tokyo @daily", "2026-11-24T01:00:00Z", 1) == Times{"2026-11-24T15:00"});
}

TEST_CASE("what is no cron line is refused with the field that is wrong") {
  CHECK(fault_of("* * * *") == "has 4 fields: 5 (Unix) or 6 or 7 (Quartz) are wanted");
  CHECK(fault_of("60 * * * *").find("minute") != std::string::npos);
  CHECK(fault_of("* * 0 * *").find("day of month") != std::string::npos);
  CHECK(fault_of("* * * * MOO").find("day of week") != std::string::npos);
  CHECK(fault_of("0 0 0 * * *").find("needs ?") == 0);
  CHECK(fault_of("0 0 0 ? * ?").find("needs ?") == 0);
  CHECK_FALSE(fault_of("*/0 * * * *").empty());
  CHECK_FALSE(fault_of("50-10 * * * *").empty());
  CHECK_FALSE(fault_of("@every 0s").empty());
  CHECK_FALSE(fault_of("@sometimes").empty());
  CHECK_FALSE(fault_of("1,,2 * * * *").empty());
  std::vector<SpecFault> faults;
  ScheduleSpec::parse({{"crons", {"* * * * *"}}, {"timeZone", "Mars/Olympus"}}, "/spec", faults);
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].pointer == "/spec/timeZone");
}

TEST_CASE("an interval counts from the epoch and its phase; lists are united, exclusions taken away, ends inclusive") {
  CHECK(times({{"intervals", {{{"everySeconds", 3'600}, {"phaseSeconds", 900}}}}}, "2026-11-24T00:15:00Z", 2) ==
        Times{"2026-11-24T01:15", "2026-11-24T02:15"});
  const json united = {{"intervals", {{{"everySeconds", 43'200}}}},
                       {"calendars", {{{"hour", "6,12"}, {"dayOfWeek", "MON-FRI"}}}},
                       {"exclusions", {{{"hour", "12"}, {"dayOfMonth", "25"}}, "* * 26 * *"}},
                       {"startAt", "2026-11-24T12:00:00Z"},
                       {"endAt", "2026-11-27T06:00:00Z"}};
  CHECK(times(united, "2026-11-01T00:00:00Z", 20) ==
        Times{"2026-11-24T12:00", "2026-11-25T00:00", "2026-11-25T06:00", "2026-11-27T00:00", "2026-11-27T06:00"});
}

TEST_CASE("a whole excluded month is passed over, second by second though the interval is") {
  CHECK(times({{"intervals", {{{"everySeconds", 1}}}},
               {"exclusions", {{{"second", "*"}, {"minute", "*"}, {"hour", "*"}, {"month", "DEC"}}}}},
              "2026-11-30T23:59:58Z", 2) == Times{"2026-11-30T23:59:59", "2027-01-01T00:00"});
}

TEST_CASE("a time that the wall clock leaves out does not fire, or fires once after the gap, as chosen") {
  // Berlin, 29 March 2026: 02:00 becomes 03:00, at 01:00 UTC.
  json value = {{"crons", {"30 2 * * *"}}, {"timeZone", "Europe/Berlin"}};
  CHECK(times(value, "2026-03-28T00:00:00Z", 2) == Times{"2026-03-28T01:30", "2026-03-30T00:30"});
  value["skipped"] = "run-after";
  CHECK(times(value, "2026-03-28T00:00:00Z", 3) == Times{"2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"});
  CHECK(times(value, "2026-03-29T01:00:00Z", 1) == Times{"2026-03-30T00:30"});
  // Each quarter of an hour: the gap leaves none out on the way.
  value["crons"] = {"*/15 * * * *"};
  CHECK(times(value, "2026-03-29T00:30:00Z", 3) == Times{"2026-03-29T00:45", "2026-03-29T01:00", "2026-03-29T01:15"});
}

TEST_CASE("a time that the wall clock shows twice fires both times, or the first, as chosen") {
  // Berlin, 25 October 2026: 03:00 becomes 02:00, at 01:00 UTC.
  json value = {{"crons", {"30 2 * * *"}}, {"timeZone", "Europe/Berlin"}};
  CHECK(times(value, "2026-10-24T12:00:00Z", 3) == Times{"2026-10-25T00:30", "2026-10-25T01:30", "2026-10-26T01:30"});
  value["repeated"] = "first";
  CHECK(times(value, "2026-10-24T12:00:00Z", 2) == Times{"2026-10-25T00:30", "2026-10-26T01:30"});
  CHECK(times(value, "2026-10-25T00:59:00Z", 1) == Times{"2026-10-26T01:30"});
}

TEST_CASE("Berlin keeps its summer time for the next ten years") {
  for (int year = 2026; year <= 2036; ++year) {
    const auto found = cron_times("0 12 1 7 *", std::to_string(year) + "-06-01T00:00:00Z", 1, "Europe/Berlin");
    CHECK(found == Times{std::to_string(year) + "-07-01T10:00"});
  }
}

TEST_CASE("jitter depends on schedule and time only, and stays before the next time") {
  const auto spec = spec_of({{"intervals", {{{"everySeconds", 60}}}}, {"jitterSeconds", 3'600}});
  std::set<std::int64_t> seen;
  for (std::int64_t t = 0; t < 6'000; t += 60) {
    const auto late = spec.actual("a", t) - from_seconds(t);
    CHECK(late >= Duration(0));
    CHECK(late < std::chrono::seconds(60));
    CHECK(spec.actual("a", t) == spec.actual("a", t));
    seen.insert(late.count());
  }
  CHECK(seen.size() > 90);
  CHECK(spec.actual("a", 60) != spec.actual("b", 60));
}

namespace {

// What the C library thinks the wall clock shows: another reading of the same zone files.
struct WallClock {
  explicit WallClock(const std::string& zone) {
    ::setenv("TZ", zone.c_str(), 1);
    ::tzset();
  }
  ~WallClock() {
    ::unsetenv("TZ");
    ::tzset();
  }
  std::tm read(std::int64_t utc) const {
    const std::time_t t = utc;
    std::tm out{};
    ::localtime_r(&t, &out);
    return out;
  }
};

}  // namespace

TEST_CASE("each minute fires that the C library's wall clock says matches, and no other") {
  CHECK(rc::check("times of a calendar are those that match", [] {
    const auto zone = *rc::gen::element<std::string>("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
                                                     "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia");
    const auto pick = [](int low, int high) {
      const auto some = *rc::gen::container<std::vector<int>>(rc::gen::inRange(low, high + 1));
      return std::set<int>(some.begin(), some.end());  // empty: any
    };
    const auto text = [](const std::set<int>& numbers) {
      std::string out;
      for (const int n : numbers) out += (out.empty() ? "" : ",") + std::to_string(n);
      return out.empty() ? std::string("*") : out;
    };
    const auto minutes = pick(0, 59), hours = pick(0, 23), days = pick(1, 31), months = pick(1, 12), week = pick(0, 6);
    const json value = {{"calendars",
                         {{{"minute", text(minutes)},
                           {"hour", text(hours)},
                           {"dayOfMonth", text(days)},
                           {"month", text(months)},
                           {"dayOfWeek", text(week)}}}},
                        {"timeZone", zone}};
    std::vector<SpecFault> faults;
    const auto spec = ScheduleSpec::parse(value, "", faults);
    RC_ASSERT(faults.empty());
    // Four days, often around a change of the clocks.
    const auto anchor = *rc::gen::element<std::int64_t>(1'774'746'000, 1'792'890'000, 1'772'953'200, 1'793'512'800,
                                                        1'775'314'800, 1'325'239'200, 1'767'225'600);
    const std::int64_t from = anchor - 2 * 86'400 + *rc::gen::inRange(0, 1'440) * 60;
    const std::int64_t to = from + 4 * 86'400;
    const WallClock clock(zone);
    const auto in = [](const std::set<int>& s, int n) { return s.empty() || s.contains(n); };
    std::vector<std::int64_t> expected;
    for (std::int64_t t = from - from % 60; t <= to; t += 60) {
      const auto tm = clock.read(t);
      if (t > from && tm.tm_sec == 0 && in(minutes, tm.tm_min) && in(hours, tm.tm_hour) && in(days, tm.tm_mday) &&
          in(months, tm.tm_mon + 1) && in(week, tm.tm_wday))
        expected.push_back(t);
    }
    std::vector<std::int64_t> got;
    std::int64_t last = from;
    for (auto t = spec.next(from); t && *t <= to; t = spec.next(*t)) {
      RC_ASSERT(*t > last);
      last = *t;
      got.push_back(*t);
    }
    RC_ASSERT(got == expected);
  }));
}

}  // namespace millrace::engine
