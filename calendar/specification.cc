#include "calendar/specification.h"

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace millrace::calendar {

namespace chrono = std::chrono;
using chrono::seconds;

namespace {

// Excluded stretches (a day at most) passed over for one time: all days of 70 years.
constexpr int kMostExcluded = 30'000;

Local local(Seconds t, seconds offset) { return Local((t + offset).time_since_epoch()); }
Seconds instant(Local t, seconds offset) { return Seconds(t.time_since_epoch()) - offset; }
const Seconds kLastTime{chrono::sys_days(chrono::year(kLastYear + 1) / 1 / 1)};

// FNV-1a and a finish: the same for ever, since jittered times are compared after a restart.
std::uint64_t hash_of(const std::string& text) {
  std::uint64_t h = 0xcbf29ce484222325ULL;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccdULL;
  return h ^ h >> 33;
}

}  // namespace

std::optional<Seconds> Specification::next_of(const Rule& rule, Seconds t) const {
  if (rule.interval) {
    const std::int64_t every = rule.interval->every, phase = rule.interval->phase;
    const std::int64_t since = t.time_since_epoch().count() - phase;
    const std::int64_t n = since >= 0 ? since / every : -((-since + every - 1) / every);
    const Seconds found(seconds((n + 1) * every + phase));
    if (found >= kLastTime) return {};
    return found;
  }
  // Offset by offset: within one, wall clock and time run alike.
  const Zone& in = rule.zone ? *rule.zone : zone;
  Seconds from = t + seconds(1);
  std::optional<Stretch> before;
  while (from < kLastTime) {
    const Stretch now = in.at(from);
    Local begin = local(from, now.offset);
    if (!before) before = in.at(now.begin - seconds(1));
    const Local clock_before = local(now.begin, before->offset), clock_now = local(now.begin, now.offset);
    if (run_after_gap && from == now.begin && clock_now > clock_before && rule.cron.next(clock_before, clock_now))
      return from;
    if (first_only && clock_now < clock_before) begin = std::max(begin, clock_before);
    if (const auto found = rule.cron.next(begin, local(std::min(now.end, kLastTime), now.offset)))
      return instant(*found, now.offset);
    from = now.end;
    before = now;
  }
  return {};
}

std::optional<Seconds> Specification::excluded_until(Seconds t) const {
  std::optional<Seconds> until;
  for (const Rule& rule : exclusions) {
    if (rule.interval) {
      if (next_of(rule, t - seconds(1)) == t) until = std::max(until.value_or(t), t + seconds(1));
      continue;
    }
    const Stretch now = (rule.zone ? *rule.zone : zone).at(t);
    const Local at = local(t, now.offset);
    if (!rule.cron.matches(at)) continue;
    until = std::max(until.value_or(t), std::min(instant(rule.cron.matches_until(at), now.offset), now.end));
  }
  return until;
}

std::optional<Seconds> Specification::next_after(Seconds t) const {
  if (start && t < *start) t = *start - seconds(1);
  for (int i = 0; i < kMostExcluded; ++i) {
    std::optional<Seconds> first;
    for (const Rule& rule : rules) {
      const auto found = next_of(rule, t);
      if (found && (!first || *found < *first)) first = found;
    }
    if (!first || (end && *first > *end)) return {};
    const auto until = excluded_until(*first);
    if (!until) return first;
    t = *until - seconds(1);
  }
  return {};
}

const Zone& Specification::shown_in() const {
  return rules.size() == 1 && rules.front().zone ? *rules.front().zone : zone;
}

seconds Specification::jitter_of(const std::string& id, Seconds nominal) const {
  if (jitter <= 0) return seconds(0);
  std::int64_t most = jitter;
  if (const auto next = next_after(nominal)) most = std::min(most, (*next - nominal).count() - 1);
  if (most <= 0) return seconds(0);
  const std::uint64_t h = hash_of(id + "@" + std::to_string(nominal.time_since_epoch().count()));
  return seconds(static_cast<std::int64_t>(h % static_cast<std::uint64_t>(most + 1)));
}

std::string local_text(const Zone& zone, Seconds t) {
  const Stretch now = zone.at(t);
  const Local at = local(t, now.offset);
  const auto day = chrono::floor<chrono::days>(at);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(at - day);
  const std::int64_t minutes = std::abs(now.offset.count()) / 60;
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d%c%02d:%02d", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), now.offset.count() < 0 ? '-' : '+',
                static_cast<int>(minutes / 60), static_cast<int>(minutes % 60));
  return text;
}

std::string local_note(const Zone& zone, Seconds t) {
  const Stretch now = zone.at(t);
  const Local at = local(t, now.offset);
  const Stretch before = zone.at(now.begin - seconds(1));
  const Stretch after = zone.at(now.end);
  std::string out = now.abbreviation;
  if (before.offset > now.offset && at < local(now.begin, before.offset)) out += ", the second time";
  if (after.offset < now.offset && at >= local(now.end, after.offset)) out += ", the first of two times";
  if (before.offset < now.offset && t == now.begin) out += ", the clock is put forward";
  return out;
}

}  // namespace millrace::calendar
