#include "engine/schedules/schedule_check.h"

#include <set>
#include <tuple>

#include "engine/schedules/times.h"

namespace millrace::engine {

std::vector<std::string> faults_of_schedule(const std::string& id, const Schedule& s) {
  std::vector<std::string> out;
  if (s.id != id) out.push_back("its key says " + id + ", its row " + s.id);
  std::vector<calendar::Fault> faults;
  (void)ScheduleSpec::parse(s.spec, "/spec", faults);
  for (const auto& fault : faults) out.push_back(fault.pointer + " " + fault.detail);
  if (s.buffer.size() > Schedule::kMaxBuffer) out.push_back(std::to_string(s.buffer.size()) + " starts wait");
  if (s.backfills.size() > Schedule::kMaxBackfills)
    out.push_back(std::to_string(s.backfills.size()) + " backfills wait");

  // A start that waits is there once, and has not been started.
  std::set<std::tuple<Cause, std::uint64_t, std::int64_t>> seen;
  const auto take = [&](const DueStart& due) { return seen.emplace(due.cause, due.number, due.nominal).second; };
  const auto name = [](const DueStart& due) {
    return std::string(to_string(due.cause)) + " " + format_time(from_seconds(due.nominal));
  };
  for (const StartedRun& run : s.recent)
    if (!take(run.due)) out.push_back(name(run.due) + " was started twice");
  for (const DueStart& due : s.buffer) {
    if (!take(due)) out.push_back(name(due) + " waits, and stands there before");
    if (due.cause == Cause::time && due.nominal > s.mark)
      out.push_back(name(due) + " waits, but the mark stands before it");
    if (due.cause != Cause::time && due.number > s.numbers) out.push_back(name(due) + " has a number not yet given");
  }
  return out;
}

}  // namespace millrace::engine
