// When something is to happen: intervals, cron expressions and calendars, minus exclusions, within a start and an end,
// in a time zone with its daylight-saving rules.
//
// Nominal times are whole seconds. An interval counts from the epoch (1970-01-01T00:00:00Z): epoch + n * every + phase.
// Cron and calendars match the wall clock. Where the clock is put forward, a time that does not exist is skipped, or
// (run_after_gap) runs once at the end of the gap; where it is put back, a time that comes twice runs both times, or
// (first_only) the first time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "calendar/cron.h"
#include "calendar/zone.h"

namespace millrace::calendar {

struct Interval {
  std::int64_t every = 60;  // seconds, at least 1
  std::int64_t phase = 0;   // seconds, below `every`
};

// Either an interval or a cron.
struct Rule {
  std::optional<Interval> interval;
  Cron cron;
  std::optional<Zone> zone;  // its own (TZ= prefix); else the specification's
};

struct Fault {
  Fault(std::string p, std::string d) : pointer(std::move(p)), detail(std::move(d)) {}
  std::string pointer;  // JSON pointer
  std::string detail;
};

class Specification {
 public:
  std::vector<Rule> rules;
  std::vector<Rule> exclusions;
  std::optional<Seconds> start, end;  // both inclusive
  Zone zone;
  bool run_after_gap = false;
  bool first_only = false;
  std::int64_t jitter = 0;  // seconds

  // {crons: [text], intervals: [{everySeconds, phaseSeconds}], calendars: [{second, minute, hour, dayOfMonth, month,
  // dayOfWeek, year}], exclusions: [text or {calendar}], timeZone, skipped: skip|run-after, repeated: both|first,
  // startAt, endAt, jitterSeconds}. The clock's fields that a calendar leaves out are 0, of an exclusion any; an
  // exclusion of five fields covers whole minutes. Faults are added to `faults`, under `pointer`; then the
  // specification is of no use.
  static Specification parse(const nlohmann::json& body, const std::string& pointer, std::vector<Fault>& faults);

  // The first nominal time after `t`; empty: there is none (until 2099).
  std::optional<Seconds> next_after(Seconds t) const;
  // How much later than its nominal time it happens: drawn from both arguments, below or at `jitter`, never past the
  // next nominal time.
  std::chrono::seconds jitter_of(const std::string& id, Seconds nominal) const;
  // The zone in whose time people read it: its own, or that of its only expression with a zone.
  const Zone& shown_in() const;

 private:
  std::optional<Seconds> next_of(const Rule& rule, Seconds t) const;
  // Empty: it is not. Else a time before which all are excluded.
  std::optional<Seconds> excluded_until(Seconds t) const;
};

// The rule of one expression: cron, "@every 1h30m", "@every 1h/5m" (phase), each with "TZ=Europe/Berlin " before it if
// wanted. Empty: `fault` says why.
std::optional<Rule> parse_rule(const std::string& expression, std::string& fault);

// "Every 15 minutes" (minutes, hours, days, weeks; case does not matter): its seconds.
std::optional<std::int64_t> parse_basic_timing(const std::string& text);

// "2026-10-25T02:30:00+01:00", as the clock on the wall shows it.
std::string local_text(const Zone& zone, Seconds t);
// What a person should know of it: "CET", with ", the second time", ", the first of two times" or ", the clock is put
// forward" where it is changed.
std::string local_note(const Zone& zone, Seconds t);

}  // namespace millrace::calendar
