#include "tests/sim/ledger.h"

#include <fmt/format.h>

namespace millrace::sim {
namespace {

// Heartbeats are durable a second later at most, or with the next write of the run; slow disks and late wake-ups on
// top.
constexpr Duration kHeartbeatMayBeLost = std::chrono::seconds(30);

}  // namespace

StepBook& Ledger::begin(const engine::StepToken& token, const Beginning& b, int life, Duration now, bool exact) {
  const StepKey key(token.run_id, token.scheduled_event_id);
  StepBook& book = steps_[key];
  const std::string what = fmt::format("run {} step {} attempt {}", token.run_id, b.activity_id, token.attempt);
  if (book.began.empty()) {
    book.activity_id = b.activity_id;
    book.input = b.input;
  }
  if (book.activity_id != b.activity_id || book.input != b.input)
    complain_("a step has one input", what + ": " + book.input + " and " + b.input);
  if (book.began.contains(token.attempt)) complain_("an attempt runs once", what);
  if (!book.began.empty() && token.attempt < book.began.rbegin()->first) complain_("attempts run in order", what);
  if (closed_.contains(key)) complain_("a closed step is not run again", what);
  if (book.running && !book.may_overlap && !b.may_overlap)
    complain_("one attempt at a time", what + " beside " + std::to_string(*book.running));
  if (b.maximum_attempts != 0 && token.attempt > b.maximum_attempts)
    complain_("no more attempts than allowed", what + " of " + std::to_string(b.maximum_attempts));
  if (const auto before = book.failed_at.find(token.attempt - 1);
      exact && before != book.failed_at.end() && book.last_life == life && now - before->second < b.least_backoff)
    complain_("a retry waits for its back-off", fmt::format("{} after {} us, at least {} us", what,
                                                            (now - before->second).count(), b.least_backoff.count()));
  // The values are attempt numbers: a newer one was durable before its attempt could know.
  for (const auto& [scope, value] : book.checkpoints) {
    const auto it = b.checkpoints.find(scope);
    if (it == b.checkpoints.end() || std::stoi(it->second) < std::stoi(value))
      complain_("an acknowledged checkpoint is kept", what + " scope " + scope + ": " + value);
  }
  check_heartbeat(book, token, b, life, now);
  book.began.emplace(token.attempt, life);
  book.running = token.attempt;
  book.last_life = life;
  book.may_overlap = b.may_overlap;
  return book;
}

void Ledger::check_heartbeat(const StepBook& book, const engine::StepToken& token, const Beginning& b, int life,
                             Duration now) {
  if (book.heartbeats.empty()) return;
  const std::int64_t got = b.heartbeat && !b.heartbeat->empty() ? std::stoll(*b.heartbeat) : -1;
  // In one life nothing of an attempt before this one is lost; over a crash the last seconds may be.
  std::int64_t at_least = -1;
  for (const auto& [at, beat] : book.heartbeats)
    if (beat.attempt < token.attempt &&
        (beat.life == life || life_ended_.at(static_cast<std::size_t>(beat.life)) - at > kHeartbeatMayBeLost))
      at_least = std::max(at_least, beat.count);
  if (got < at_least && !book.may_overlap)
    complain_("heartbeat details are handed on",
              fmt::format("run {} step {} attempt {} got {}, an earlier one had said {} (at {} us)", token.run_id,
                          b.activity_id, token.attempt, got, at_least, now.count()));
}

StepBook* Ledger::find(const StepKey& step) {
  const auto it = steps_.find(step);
  return it == steps_.end() ? nullptr : &it->second;
}

void Ledger::end_life(Duration now) {
  for (auto& [_, book] : steps_) book.running.reset();
  life_ended_.push_back(now);
}

}  // namespace millrace::sim
