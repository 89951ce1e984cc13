#include "calendar/specification.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "common/time_point.h"

namespace millrace::calendar {
namespace {

using nlohmann::json;
using std::chrono::seconds;

Specification spec(const json& body) {
  std::vector<Fault> faults;
  const auto out = Specification::parse(body, "", faults);
  for (const auto& f : faults) FAIL_CHECK(f.pointer + " " + f.detail);
  return out;
}
Seconds at(const char* text) { return std::chrono::floor<seconds>(*parse_time(text)); }
// The next times after `from`, as the wall shows them.
std::vector<std::string> next(const json& body, const char* from, int n) {
  const auto s = spec(body);
  std::vector<std::string> out;
  Seconds t = at(from);
  for (int i = 0; i < n; ++i) {
    const auto found = s.next_after(t);
    if (!found) break;
    out.push_back(local_text(s.shown_in(), *found) + " " + local_note(s.shown_in(), *found));
    t = *found;
  }
  return out;
}
using Times = std::vector<std::string>;

}  // namespace

TEST_CASE("where the clock is put forward, a time that does not exist is skipped, or runs at the end of the gap") {
  json body = {{"crons", {"30 2 * * *"}}, {"timeZone", "Europe/Berlin"}};
  CHECK(next(body, "2026-03-28T00:00:00Z", 2) ==
        Times{"2026-03-28T02:30:00+01:00 CET", "2026-03-30T02:30:00+02:00 CEST"});
  body["skipped"] = "run-after";
  CHECK(next(body, "2026-03-28T00:00:00Z", 3) == Times{"2026-03-28T02:30:00+01:00 CET",
                                                       "2026-03-29T03:00:00+02:00 CEST, the clock is put forward",
                                                       "2026-03-30T02:30:00+02:00 CEST"});
  body["crons"] = {"*/20 2,3 * * *"};  // three lost times run once, with the 03:00 that is there
  CHECK(next(body, "2026-03-29T00:59:59Z", 2) ==
        Times{"2026-03-29T03:00:00+02:00 CEST, the clock is put forward", "2026-03-29T03:20:00+02:00 CEST"});
}

TEST_CASE("where the clock is put back, a time that comes twice runs twice, or the first time") {
  json body = {{"crons", {"30 2 * * *"}}, {"timeZone", "Europe/Berlin"}};
  CHECK(next(body, "2026-10-24T12:00:00Z", 3) == Times{"2026-10-25T02:30:00+02:00 CEST, the first of two times",
                                                       "2026-10-25T02:30:00+01:00 CET, the second time",
                                                       "2026-10-26T02:30:00+01:00 CET"});
  body["repeated"] = "first";
  CHECK(next(body, "2026-10-24T12:00:00Z", 2) ==
        Times{"2026-10-25T02:30:00+02:00 CEST, the first of two times", "2026-10-26T02:30:00+01:00 CET"});
  CHECK(next(body, "2026-10-25T00:30:00Z", 1) == Times{"2026-10-26T02:30:00+01:00 CET"});
}

TEST_CASE("daylight-saving time holds for the next ten years") {
  for (const auto& [zone, summer, winter] :
       {std::tuple{"Europe/Berlin", 2, 1}, std::tuple{"America/New_York", -4, -5}, std::tuple{"Europe/London", 1, 0}}) {
    const auto found = Zone::find(zone);
    REQUIRE(found);
    for (int year = 2026; year <= 2036; ++year) {
      INFO(zone << " " << year);
      CHECK(found->at(at((std::to_string(year) + "-07-15T12:00:00Z").c_str())).offset == std::chrono::hours(summer));
      CHECK(found->at(at((std::to_string(year) + "-01-15T12:00:00Z").c_str())).offset == std::chrono::hours(winter));
    }
  }
}

TEST_CASE("intervals count from the epoch with a phase; the union of all is taken in order") {
  CHECK(next({{"intervals", {{{"everySeconds", 3'600}, {"phaseSeconds", 300}}}}, {"crons", {"@every 1h/10m"}}},
             "2026-01-01T00:00:00Z", 3) ==
        Times{"2026-01-01T00:05:00+00:00 UTC", "2026-01-01T00:10:00+00:00 UTC", "2026-01-01T01:05:00+00:00 UTC"});
}

TEST_CASE("start and end are inclusive; exclusions and calendars hold") {
  const json body = {{"calendars", {{{"hour", "8-9"}, {"dayOfWeek", "1-5"}}}},
                     {"exclusions", {{{"dayOfMonth", 2}, {"month", "JAN"}}}},
                     {"startAt", "2026-01-01T09:00:00Z"},
                     {"endAt", "2026-01-05T08:00:00Z"}};
  CHECK(next(body, "2025-01-01T00:00:00Z", 9) ==
        Times{"2026-01-01T09:00:00+00:00 UTC", "2026-01-05T08:00:00+00:00 UTC"});
}

TEST_CASE("an exclusion without times of the day is of whole days, one of five fields of whole minutes") {
  const json united = {{"intervals", {{{"everySeconds", 43'200}}}},
                       {"calendars", {{{"hour", "6,12"}, {"dayOfWeek", "MON-Friday"}}}},
                       {"exclusions", {{{"hour", 12}, {"dayOfMonth", "25"}}, "* * 26 * *"}},
                       {"startAt", "2026-11-24T12:00:00Z"},
                       {"endAt", "2026-11-27T06:00:00Z"}};
  CHECK(next(united, "2026-11-01T00:00:00Z", 20) ==
        Times{"2026-11-24T12:00:00+00:00 UTC", "2026-11-25T00:00:00+00:00 UTC", "2026-11-25T06:00:00+00:00 UTC",
              "2026-11-27T00:00:00+00:00 UTC", "2026-11-27T06:00:00+00:00 UTC"});
  CHECK(next({{"intervals", {{{"everySeconds", 30}}}}, {"exclusions", {"5-59 * * * *"}}}, "2026-11-24T00:04:00Z", 2) ==
        Times{"2026-11-24T00:04:30+00:00 UTC", "2026-11-24T01:00:00+00:00 UTC"});
  CHECK(next({{"intervals", {{{"everySeconds", 1}}}}, {"exclusions", {{{"month", "DEC"}}}}}, "2026-11-30T23:59:58Z",
             2) == Times{"2026-11-30T23:59:59+00:00 UTC", "2027-01-01T00:00:00+00:00 UTC"});
  CHECK(next({{"crons", {"0 9 * * *"}}, {"exclusions", {"@every 2d"}}, {"timeZone", "Asia/Tokyo"}},
             "2026-11-24T00:00:00Z", 1) == Times{"2026-11-26T09:00:00+09:00 JST"});
}

TEST_CASE("times that are all excluded end the search") {
  CHECK(next({{"crons", {"@hourly"}}, {"exclusions", {{{"dayOfWeek", "0-6"}}}}}, "2026-11-24T00:00:00Z", 1).empty());
  CHECK(next({{"crons", {"* * * * *"}}, {"exclusions", {"* * * * *"}}}, "2026-11-24T00:00:00Z", 1).empty());
}

TEST_CASE("an expression may name its own zone") {
  CHECK(next({{"crons", {"TZ=Asia/Tokyo 0 9 * * *"}}}, "2026-01-01T00:00:00Z", 1) ==
        Times{"2026-01-02T09:00:00+09:00 JST"});
}

TEST_CASE("jitter is the same each time and never passes the next nominal time") {
  const auto s = spec({{"crons", {"* * * * *"}}, {"jitterSeconds", 600}});
  const Seconds t = at("2026-01-01T00:00:00Z");
  std::int64_t sum = 0;
  for (int i = 0; i < 100; ++i) {
    const auto j = s.jitter_of("a", t + std::chrono::minutes(i));
    CHECK(j == s.jitter_of("a", t + std::chrono::minutes(i)));
    CHECK(j < std::chrono::minutes(1));
    sum += j.count();
  }
  CHECK(sum > 2'000);
  CHECK(s.jitter_of("a", t) != s.jitter_of("c", t));
}

TEST_CASE("all faults of a specification are told at once, with their place") {
  std::vector<Fault> faults;
  Specification::parse(
      json::parse(R"({"crons": ["* * * *", "0 0 * * *"], "timeZone": "Mars/Olympus", "jitterSeconds": -1,
                                       "intervals": [{"everySeconds": 0}], "colour": 1, "startAt": "soon"})"),
      "", faults);
  std::vector<std::string> pointers;
  for (const auto& f : faults) pointers.push_back(f.pointer);
  CHECK(pointers == std::vector<std::string>{"/colour", "/crons/0", "/intervals/0/everySeconds", "/timeZone",
                                             "/startAt", "/jitterSeconds"});
  faults.clear();
  Specification::parse(json::object(), "/spec", faults);
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].pointer == "/spec");
}

TEST_CASE("basic timings") {
  CHECK(parse_basic_timing("Every 15 minutes") == 900);
  CHECK(parse_basic_timing("every 1 HOUR") == 3'600);
  CHECK(parse_basic_timing("Every 2 days") == 172'800);
  CHECK(parse_basic_timing("Every 1 week") == 604'800);
  for (const char* bad :
       {"", "Every", "Every 0 hours", "Every 01 hours", "Every 1 month", "Every 10000 days", "1 hour"})
    CHECK_FALSE(parse_basic_timing(bad));
}

}  // namespace millrace::calendar
