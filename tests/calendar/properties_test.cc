// Next times of random expressions and calendars, checked minute by minute against the wall clock by independent means.
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <cstdlib>
#include <ctime>
#include <set>

#include <nlohmann/json.hpp>

#include "calendar/specification.h"

namespace millrace::calendar {
namespace {

using nlohmann::json;
using std::chrono::seconds;

// One field: its text, and the values it stands for.
struct Field {
  std::string text;
  std::set<int> values;
};
Field field(int low, int high) {
  Field out;
  const int kind = *rc::gen::inRange(0, 4);
  if (kind == 0) {
    out.text = "*";
    for (int i = low; i <= high; ++i) out.values.insert(i);
  } else if (kind == 1) {
    const int step = *rc::gen::inRange(1, 20);
    out.text = "*/" + std::to_string(step);
    for (int i = low; i <= high; i += step) out.values.insert(i);
  } else {
    const int a = *rc::gen::inRange(low, high + 1), b = *rc::gen::inRange(a, high + 1);
    out.text = std::to_string(a) + "-" + std::to_string(b);
    for (int i = a; i <= b; ++i) out.values.insert(i);
  }
  return out;
}

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

Seconds at(std::int64_t t) { return Seconds(seconds(t)); }

}  // namespace

TEST_CASE("next times grow, match the fields on the wall clock, and leave no match out, over daylight-saving changes") {
  const bool holds = rc::check("next times", [] {
    const Field minute = field(0, 59), hour = field(0, 23), month = field(1, 12), week = field(0, 6);
    const char* names[] = {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC", "Asia/Kolkata"};
    Specification spec;
    std::string fault;
    spec.rules.push_back(
        parse_rule(minute.text + " " + hour.text + " * " + month.text + " " + week.text, fault).value());
    spec.zone = *Zone::find(names[*rc::gen::inRange(0, 5)]);
    // A day about each of both changes of 2026, and any other.
    const std::int64_t days[] = {1'774'742'400, 1'792'882'800, 1'772'953'200, 1'793'512'800,
                                 *rc::gen::inRange<std::int64_t>(1'700'000'000, 2'000'000'000) / 60 * 60};
    const Seconds begin{seconds(days[*rc::gen::inRange(0, 5)] - 43'200)};
    std::optional<Seconds> next = spec.next_after(begin);
    for (Seconds t = begin + seconds(60); t < begin + seconds(86'400); t += seconds(60)) {
      const std::string shown = local_text(spec.zone, t);  // 2026-10-25T02:30:00+01:00
      const int y = std::stoi(shown.substr(0, 4)), m = std::stoi(shown.substr(5, 2)), d = std::stoi(shown.substr(8, 2));
      static const int kShift[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};  // Sakamoto
      const int z = y - (m < 3);
      const int weekday = (z + z / 4 - z / 100 + z / 400 + kShift[m - 1] + d) % 7;
      const bool fits = minute.values.count(std::stoi(shown.substr(14, 2))) != 0 &&
                        hour.values.count(std::stoi(shown.substr(11, 2))) != 0 && month.values.count(m) != 0 &&
                        week.values.count(weekday) != 0;
      RC_ASSERT(fits == (next == t));
      if (fits) {
        next = spec.next_after(t);
        RC_ASSERT(!next || *next > t);
      }
    }
  });
  REQUIRE(holds);
}

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
    std::vector<Fault> faults;
    const auto spec = Specification::parse(value, "", faults);
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
    for (auto t = spec.next_after(at(from)); t && *t <= at(to); t = spec.next_after(*t)) {
      RC_ASSERT(t->time_since_epoch().count() > last);
      last = t->time_since_epoch().count();
      got.push_back(last);
    }
    RC_ASSERT(got == expected);
  }));
}

}  // namespace millrace::calendar
