#include "engine/schedules/decide.h"

#include <algorithm>

namespace millrace::engine {

namespace {

constexpr int kMaxTaken = 1'000;    // times looked at in one decision; the next goes on
constexpr int kMaxCounted = 5'000;  // missed times counted in one decision; the next goes on
constexpr int kMaxPassed = 20'000;  // counted when they are passed over at once

// The times after `after` up to `last`; `latest` becomes the last one counted.
std::int64_t count_times(const ScheduleSpec& spec, std::int64_t after, std::int64_t last, std::int64_t most,
                         std::int64_t& latest) {
  std::int64_t n = 0;
  auto t = next_time(spec, after);
  if (t && *t <= last && spec.rules.size() == 1 && spec.rules[0].interval && spec.exclusions.empty()) {
    if (spec.end) last = std::min(last, spec.end->time_since_epoch().count());
    const std::int64_t every = spec.rules[0].interval->every;
    n = (last - *t) / every + 1;
    latest = *t + (n - 1) * every;
    return n;
  }
  for (; t && *t <= last && n < most; t = next_time(spec, *t)) {
    latest = *t;
    ++n;
  }
  return n;
}

void take_times(Schedule& s, Decision& d, const ScheduleSpec& spec, WallTime now) {
  if (s.paused) return;
  // What the catch-up window has left behind is told in one piece.
  const std::int64_t oldest = seconds_floor(now - s.catch_up) - 1;
  if (oldest > s.mark) {
    DueStart due;
    const std::int64_t n = count_times(spec, s.mark, oldest, kMaxCounted, due.nominal);
    if (n > 0) {
      miss(s, d, due, now, "catch_up", "the catch-up window had passed", std::uint64_t(n));
      s.mark = n < kMaxCounted ? oldest : due.nominal;
    }
    if (n == kMaxCounted) return;  // the next decision goes on
  }
  for (int i = 0; i < kMaxTaken; ++i) {
    const auto t = next_time(spec, s.mark);
    if (!t || from_seconds(*t) > now) return;
    DueStart due;
    due.nominal = *t;
    due.actual = actual_time(spec, s.id, *t);
    if (due.actual > now) return;
    s.mark = *t;
    d.changed = true;
    if (now - due.actual > s.catch_up)
      miss(s, d, due, now, "catch_up", "the catch-up window had passed");
    else if (s.buffer.size() >= Schedule::kMaxAutomatic)
      miss(s, d, due, now, "buffer_full", std::to_string(Schedule::kMaxAutomatic) + " starts wait already");
    else
      s.buffer.push_back(due);
  }
}

void take_backfills(Schedule& s, Decision& d, const ScheduleSpec& spec, WallTime now) {
  for (auto it = s.backfills.begin(); it != s.backfills.end();) {
    bool ended = false;
    while (!ended && s.buffer.size() < Schedule::kMaxBuffer) {
      const auto t = next_time(spec, it->mark);
      ended = !t || *t > it->end;
      if (ended) break;
      DueStart due;
      due.cause = Cause::backfill;
      due.nominal = *t;
      due.actual = now;
      due.number = it->number;
      due.overlap = it->overlap;
      s.buffer.push_back(due);
      it->mark = *t;
      d.changed = true;
    }
    if (!ended) return;  // the buffer is full: it goes on as the buffer empties
    it = s.backfills.erase(it);
    d.changed = true;
  }
}

}  // namespace

void miss(Schedule& s, Decision& d, const DueStart& due, WallTime now, std::string reason, std::string detail,
          std::uint64_t count) {
  MissedTime m;
  m.cause = due.cause;
  m.nominal = due.nominal;
  m.number = due.number;
  m.noticed = now;
  m.reason = std::move(reason);
  m.detail = std::move(detail);
  m.count = count;
  s.counters[m.reason] += count;
  // What is told in pieces stands there as one.
  if (count > 1 && !s.missed.empty() && s.missed.back().count > 1 && s.missed.back().reason == m.reason) {
    const std::uint64_t before = s.missed.back().count;
    s.missed.back() = m;
    s.missed.back().count += before;
  } else {
    s.missed.push_back(m);
  }
  if (s.missed.size() > Schedule::kMissed) s.missed.erase(s.missed.begin());
  d.missed.push_back(std::move(m));
  d.changed = true;
}

void pass_over(Schedule& s, Decision& d, const ScheduleSpec& spec, WallTime now, std::string reason) {
  const std::int64_t to = seconds_floor(now);
  if (to <= s.mark) return;
  DueStart due;
  const std::int64_t n = count_times(spec, s.mark, to, kMaxPassed, due.nominal);
  const std::string more = n != kMaxPassed ? "" : ", for more times than are counted";
  if (n > 0) miss(s, d, due, now, reason, "the schedule was " + reason + more, std::uint64_t(n));
  s.mark = to;
  d.changed = true;
}

Decision decide(Schedule& s, const ScheduleSpec& spec, WallTime now) {
  Decision d;
  take_times(s, d, spec, now);
  take_backfills(s, d, spec, now);
  const bool open = !s.running.empty();
  bool one_waits = false;
  std::vector<DueStart> keep;
  for (const DueStart& due : s.buffer) {
    const bool automatic = due.cause == Cause::time;
    if (d.start) {
      keep.push_back(due);
    } else if (automatic && s.paused) {
      miss(s, d, due, now, "paused", "the schedule was paused");
    } else if (automatic && now - due.actual > s.catch_up) {
      miss(s, d, due, now, "catch_up", "it waited for longer than the catch-up window");
    } else if (s.remaining && *s.remaining == 0) {
      miss(s, d, due, now, "exhausted", "no actions are left");
    } else {
      const Overlap overlap = due.overlap.value_or(s.overlap);
      if (!open || overlap == Overlap::allow_all) {
        d.start = due;
        d.changed = true;
        continue;
      }
      switch (overlap) {
        case Overlap::skip:
          miss(s, d, due, now, "overlap", s.running.back().workflow_id + " was running");
          break;
        case Overlap::buffer_one:
          if (one_waits)
            miss(s, d, due, now, "buffered", "another one waits already");
          else
            keep.push_back(due);
          one_waits = true;
          break;
        case Overlap::cancel_other: {
          // Only the last waits for the end of what is cancelled.
          const auto before = std::find_if(keep.begin(), keep.end(), [&](const DueStart& k) {
            return k.overlap.value_or(s.overlap) == Overlap::cancel_other;
          });
          if (before != keep.end()) {
            miss(s, d, *before, now, "overlap", "a later one took its place");
            keep.erase(before);
          }
          keep.push_back(due);
          d.cancel_running = true;
          break;
        }
        case Overlap::terminate_other:
          keep.push_back(due);
          d.terminate_running = true;
          break;
        case Overlap::buffer_all:
        case Overlap::allow_all:
          keep.push_back(due);
          break;
      }
    }
  }
  s.buffer = std::move(keep);
  return d;
}

}  // namespace millrace::engine
