#include "tests/sim/timetable.h"

#include <fmt/format.h>

#include "common/errors.h"
#include "engine/schedules/schedule_check.h"
#include "engine/schedules/times.h"
#include "state/keys.h"
#include "tests/sim/life.h"

namespace millrace::sim {

namespace {

using engine::Overlap;

constexpr int kSeedsWithOne = 40;  // percent
constexpr const char* kId = "timetable";

std::int64_t count_of(const engine::Schedule& s, const char* counter) {
  const auto it = s.counters.find(counter);
  return it == s.counters.end() ? 0 : static_cast<std::int64_t>(it->second);
}

// Times of which something has become: started, or told as missed.
std::int64_t accounted(const engine::Schedule& s) {
  std::int64_t sum = 0;
  for (const auto& [name, n] : s.counters)
    if (name != "failed") sum += static_cast<std::int64_t>(n);
  return sum;
}

}  // namespace

Timetable::Timetable(std::uint64_t seed, WallTime wall) {
  Chance chance(seed ^ 0x7461626c65ULL);
  there_ = chance.percent(kSeedsWithOne);
  const std::int64_t spans[] = {1, 2, 7, 60};
  every_ = spans[chance.below(4)];
  times_ = chance.between(1, 12);
  filled_ = chance.percent(50) ? chance.between(1, times_) : 0;
  first_ = (engine::seconds_floor(wall) / every_ + 2) * every_;
  const Overlap overlaps[] = {Overlap::skip,         Overlap::buffer_one,      Overlap::buffer_all,
                              Overlap::cancel_other, Overlap::terminate_other, Overlap::allow_all};
  schedule_.id = kId;
  schedule_.overlap = overlaps[chance.below(6)];
  schedule_.spec = {{"intervals", {{{"everySeconds", every_}}}},
                    {"startAt", format_time(engine::from_seconds(first_))},
                    {"endAt", format_time(engine::from_seconds(first_ + every_ * (times_ - 1)))}};
  if (chance.percent(40)) schedule_.spec["jitterSeconds"] = chance.between(1, 90);
  schedule_.action = {{"kind", "workflow"},
                      {"type", "test.timer"},
                      {"workflowId", kId},
                      {"input", {{"seconds", chance.between(1, 5)}}}};
  schedule_.mark = first_ - 1;
}

asio::awaitable<void> Timetable::play_once(Life* life) {
  if (finished()) co_return;
  bool there = true;
  try {
    co_await life->schedules->get(kId);
  } catch (const Error& e) {
    if (e.code() != "schedule.not_found") throw;
    there = false;
  }
  if (life->dead()) co_return;
  if (!there) {
    life->world.require(!made_, "what was durable stays", "the schedule is gone");
    engine::Schedule fresh = schedule_;
    co_await life->schedules->create(std::move(fresh));
  }
  if (life->dead()) co_return;
  made_ = true;
  engine::Schedule now = co_await life->schedules->get(kId);
  if (life->dead()) co_return;
  if (filled_ != 0 && now.numbers == 0) {
    const WallTime from = engine::from_seconds(first_), to = engine::from_seconds(first_ + every_ * (filled_ - 1));
    co_await life->schedules->backfill(kId, from, to, Overlap::buffer_all);
  }
  for (;;) {
    if (life->dead()) co_return;
    now = co_await life->schedules->get(kId);
    if (life->dead()) co_return;
    if (now.running.empty() && now.buffer.empty() && now.backfills.empty() && accounted(now) >= promised()) break;
    co_await life->sim.runtime().sleep_for(std::chrono::seconds(1));
  }
  finished_ = true;
}

// A full disk refuses a write and loses nothing: its caller asks again.
asio::awaitable<void> Timetable::play(Life* life) {
  for (;;) {
    bool full = false;
    try {
      co_await play_once(life);
    } catch (const Error& e) {
      if (e.code() != "store.disk_full") throw;
      full = true;
    }
    if (!full || life->dead()) co_return;
    co_await life->sim.runtime().sleep_for(std::chrono::seconds(1));
  }
}

void Timetable::check(World& world, const Image& image, bool end) const {
  const auto row = image.rows.find(state::keys::schedule(kId));
  if (row == image.rows.end()) {
    world.require(!made_, "what was durable stays", "the schedule is gone");
    return;
  }
  const engine::Schedule s = engine::decode_schedule(row->second);
  for (const auto& fault : engine::faults_of_schedule(kId, s)) world.complain("a schedule's row holds together", fault);
  std::map<std::string, int> runs;
  int all = 0;
  for (const auto& [id, run] : image.runs) {
    if (!run.record || !run.record->workflow_id.starts_with(std::string(kId) + "-")) continue;
    ++all;
    if (++runs[run.record->workflow_id] > 1)
      world.complain("each time of a schedule starts once", run.record->workflow_id);
  }
  if (all != count_of(s, "started"))
    world.complain("a start and the mark of its time are one write",
                   fmt::format("{} runs, {} by the schedule's row", all, count_of(s, "started")));
  if (s.mark >= first_ + every_ * times_) world.complain("a schedule ends", fmt::format("its mark is {}", s.mark));
  if (count_of(s, "started") > 0) world.marks.hit("schedule fired");
  if (accounted(s) > count_of(s, "started")) world.marks.hit("schedule time missed");
  if (filled_ != 0 && s.numbers != 0) world.marks.hit("schedule backfilled");
  if (!end) return;
  if (accounted(s) != promised())
    world.complain("of each time of a schedule something becomes",
                   fmt::format("{} of {}: {}", accounted(s), promised(), row->second));
}

}  // namespace millrace::sim
