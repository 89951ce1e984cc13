#include "engine/schedules/schedule_spec.h"

#include <algorithm>

namespace millrace::engine {

namespace {

constexpr std::int64_t kDay = 86'400;
constexpr int kMaxSegments = 1'000;    // of a zone looked through for one time: two a year
constexpr int kMaxExcluded = 200'000;  // excluded times passed over for one time

// FNV-1a and a finaliser: the same on every machine and in every version, since times depend on it.
std::uint64_t hash_of(const std::string& id, std::int64_t nominal) {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  const auto eat = [&h](unsigned char byte) { h = (h ^ byte) * 0x100000001b3ULL; };
  for (const char c : id) eat(static_cast<unsigned char>(c));
  for (int i = 0; i < 8; ++i) eat(static_cast<unsigned char>(static_cast<std::uint64_t>(nominal) >> (8 * i)));
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccdULL;
  h ^= h >> 33;
  return h;
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }

}  // namespace

// Walks the stretches of one offset: within each, local time is UTC moved by a constant.
std::optional<std::int64_t> ScheduleSpec::next_in(const ZonedCalendar& zoned, std::int64_t after) const {
  std::int64_t from = after + 1;
  TimeZone::Segment before;
  bool know_before = false;
  for (int i = 0; i < kMaxSegments; ++i) {
    const TimeZone::Segment now = zoned.zone.segment_at(from);
    if (!know_before && now.begin > 0) before = zoned.zone.segment_at(now.begin - 1);
    if (now.begin > 0) {
      // The clock was put forward at `begin`: what it left out fires here, once.
      const bool gap = now.offset > before.offset;
      if (gap && skipped == SkippedTimes::run_after && from <= now.begin &&
          zoned.calendar.next(now.begin + before.offset, now.begin + now.offset))
        return now.begin;
    }
    std::int64_t local = from + now.offset;
    // It was put back: what it shows again has been.
    if (now.begin > 0 && repeated == RepeatedTimes::first && now.offset < before.offset)
      local = std::max(local, now.begin + before.offset);
    if (const auto found = zoned.calendar.next(local, now.end + now.offset)) return *found - now.offset;
    const std::int64_t last =
        std::int64_t{Calendar::kLastYear - Calendar::kFirstYear + 1} * 366 * kDay;  // later than any calendar
    if (now.end > last) return std::nullopt;
    before = now;
    know_before = true;
    from = now.end;
  }
  return std::nullopt;
}

std::optional<std::int64_t> ScheduleSpec::next_of_all(std::int64_t after) const {
  std::optional<std::int64_t> best;
  const auto take = [&best](std::optional<std::int64_t> t) {
    if (t && (!best || *t < *best)) best = t;
  };
  for (const Interval& i : intervals) take((floor_div(after - i.phase, i.every) + 1) * i.every + i.phase);
  for (const ZonedCalendar& c : calendars) take(next_in(c, after));
  return best;
}

std::optional<std::int64_t> ScheduleSpec::next(std::int64_t after) const {
  if (start) after = std::max(after, *start - 1);
  for (int i = 0; i < kMaxExcluded; ++i) {
    const auto t = next_of_all(after);
    if (!t || (end && *t > *end)) return std::nullopt;
    after = *t;
    bool excluded = false;
    for (const ZonedCalendar& x : exclusions) {
      const TimeZone::Segment segment = x.zone.segment_at(*t);
      const std::int64_t local = *t + segment.offset;
      if (!x.calendar.matches(local)) continue;
      excluded = true;
      // A whole day is excluded: go on behind it, unless the clock changes on it.
      const std::int64_t day_end = (floor_div(local, kDay) + 1) * kDay - segment.offset;
      if (x.calendar.whole_days() && day_end <= segment.end) after = std::max(after, day_end - 1);
    }
    if (!excluded) return t;
  }
  return std::nullopt;
}

WallTime ScheduleSpec::actual(const std::string& id, std::int64_t nominal) const {
  const WallTime base = from_seconds(nominal);
  if (jitter.count() <= 0) return base;
  Duration most = jitter;
  if (const auto following = next(nominal)) most = std::min<Duration>(most, std::chrono::seconds(*following - nominal));
  return base + Duration(static_cast<std::int64_t>(hash_of(id, nominal) % static_cast<std::uint64_t>(most.count())));
}

}  // namespace millrace::engine
