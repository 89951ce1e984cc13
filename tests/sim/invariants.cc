#include "tests/sim/invariants.h"

#include <fmt/format.h>

#include "engine/codec/payload.h"
#include "state/keys.h"

namespace millrace::sim {
namespace {

namespace events = engine::events;
namespace keys = state::keys;
using engine::AttemptOutcome;
using engine::EventType;
using engine::ExecutionStatus;
using engine::HistoryEvent;
using engine::RunRecord;

template <class T>
const T* as(const HistoryEvent& event) {
  return std::get_if<T>(&event.attributes);
}

// The scheduled event that an event closes; 0: none.
std::uint64_t closes_step(const HistoryEvent& e) {
  if (const auto* a = as<events::ActivityTaskCompleted>(e)) return a->scheduled_event_id;
  if (const auto* a = as<events::ActivityTaskFailed>(e)) return a->scheduled_event_id;
  if (const auto* a = as<events::ActivityTaskTimedOut>(e)) return a->scheduled_event_id;
  if (const auto* a = as<events::ActivityTaskCanceled>(e)) return a->scheduled_event_id;
  return 0;
}

ExecutionStatus status_of(const HistoryEvent& closing) {
  switch (type_of(closing)) {
    case EventType::workflow_execution_completed:
      return ExecutionStatus::completed;
    case EventType::workflow_execution_failed:
      return ExecutionStatus::failed;
    case EventType::workflow_execution_canceled:
      return ExecutionStatus::canceled;
    case EventType::workflow_execution_terminated:
      return ExecutionStatus::terminated;
    case EventType::workflow_execution_timed_out:
      return ExecutionStatus::timed_out;
    case EventType::workflow_execution_continued_as_new:
      return ExecutionStatus::continued_as_new;
    default:
      return ExecutionStatus::running;
  }
}

// What is pending of a run by its history alone.
struct Pending {
  std::map<std::uint64_t, const events::ActivityTaskScheduled*> steps;
  std::map<std::uint64_t, WallTime> timers;  // when they fire
};

// Checks one run; the keys that its state says must be there go to `rows`.
class RunCheck {
 public:
  RunCheck(World& world, const std::string& id, const RunImage& run, std::map<std::string, std::string>& expected)
      : world_(world), id_(id), run_(run), expected_(expected) {}

  void check() {
    if (!run_.record) {
      complain("a row belongs to a run", "it has no record");
      return;
    }
    check_events();
    check_record();
    check_rows();
  }

 private:
  void complain(const std::string& invariant, const std::string& detail) {
    world_.complain(invariant, "run " + id_ + ": " + detail);
  }

  void check_events() {
    std::uint64_t next = 1;
    std::set<std::uint64_t> closed_links;
    bool closed = false;
    std::map<std::string, int> update_ends;
    for (const HistoryEvent& e : run_.history) {
      const std::string what = fmt::format("event {} {}", e.id, engine::describe_event(e.attributes));
      if (e.id != next++) complain("event ids are dense", what);
      if (closed) complain("nothing follows the closing event", what);
      if (e.id == 1 && type_of(e) != EventType::workflow_execution_started)
        complain("a history begins with its start", what);
      if (const auto* s = as<events::ActivityTaskScheduled>(e)) pending_.steps[e.id] = s;
      if (const auto id = closes_step(e); id != 0 && pending_.steps.erase(id) == 0)
        complain("a step is closed once", what + fmt::format(" of step {}", id));
      if (const auto* t = as<events::TimerStarted>(e)) {
        pending_.timers[e.id] = t->fires;
        started_[e.id] = e.time;
        // A program's timers are whole milliseconds behind its turn's time.
        if (t->fires < e.time - world_.jumped) complain("a timer fires in its future", what);
      }
      if (const auto* t = as<events::TimerFired>(e)) {
        const auto it = pending_.timers.find(t->started_event_id);
        if (it == pending_.timers.end())
          complain("a timer fires once", what);
        else if (e.time + world_.jumped < it->second)
          complain("no timer is early", what + fmt::format(" by {} us", (it->second - e.time).count()));
        pending_.timers.erase(t->started_event_id);
      }
      if (const auto* t = as<events::TimerCanceled>(e); t != nullptr && pending_.timers.erase(t->started_event_id) == 0)
        complain("a timer that is cancelled was pending", what);
      if (const auto id = engine::initiated_event_of(e.attributes);
          id != 0 && type_of(e) != EventType::child_started && !closed_links.insert(id).second)
        complain("a message between runs is answered once", what);
      if (const auto* s = as<events::WorkflowExecutionSignaled>(e);
          s != nullptr && !s->request_id.empty() && !signals_.insert(s->request_id).second)
        complain("a signal is there once", what + " " + s->request_id);
      if (const auto* u = as<events::WorkflowExecutionUpdateAccepted>(e);
          u != nullptr && !updates_.insert(u->update_id).second)
        complain("an update is accepted once", what);
      if (const auto* u = as<events::WorkflowExecutionUpdateCompleted>(e);
          u != nullptr && (++update_ends[u->update_id] > 1 || !updates_.contains(u->update_id)))
        complain("an update is completed once", what);
      if (type_of(e) == EventType::workflow_execution_cancel_requested) ++cancels_;
      HistoryEvent copy = e;
      engine::for_each_payload(copy.attributes, [&](engine::StoredPayload& p) {
        if (p.blob_hash.empty()) return;
        const auto blob = run_.blobs.find(p.blob_hash);
        if (blob == run_.blobs.end() || engine::payload_hash(blob->second) != p.blob_hash)
          complain("a payload's blob is there", what);
      });
      closed = engine::is_closing_event(type_of(e));
    }
    is_closed_ = closed;
    if (cancels_ > 1) complain("a run is asked to cancel once", std::to_string(cancels_));
  }

  // State rebuilt from the history equals stored state.
  void check_record() {
    const RunRecord& r = *run_.record;
    const auto differs = [&](const std::string& field) { complain("stored state equals the history", field); };
    if (run_.history.empty()) return differs("a record and no history");
    const HistoryEvent& last = run_.history.back();
    if (r.history_length != last.id) differs(fmt::format("length {} for {} events", r.history_length, last.id));
    if (r.status != status_of(last)) differs("status " + std::string(to_string(r.status)));
    if (r.closed.has_value() != is_closed_ || (r.closed && *r.closed != last.time)) differs("time of closing");
    if (r.cancel_requested != (cancels_ > 0)) differs("cancel requested");
    std::uint64_t bytes = 0;
    for (const std::string& b : run_.batches) bytes += b.size();
    if (r.history_bytes != bytes) differs(fmt::format("{} bytes for {}", r.history_bytes, bytes));
    const auto* started = as<events::WorkflowExecutionStarted>(run_.history.front());
    if (started == nullptr) return;
    if (r.workflow_id != started->workflow_id || r.type != started->workflow_type ||
        r.started != run_.history.front().time || r.first_run_id != started->first_run_id ||
        r.parent_run_id != started->parent_run_id || r.parent_event_id != started->parent_initiated_event_id)
      differs("what it was started as");
    if (const auto* f = as<events::WorkflowExecutionFailed>(last);
        f != nullptr && (!r.failure || r.failure->type != f->failure.type))
      differs("failure");
    if (is_closed_ && r.is_blocked) differs("blocked and closed");
    if (r.is_blocked)
      complain("an unchanged program agrees with its history", r.blocked.expected + " / " + r.blocked.got);
    run_timeout_ =
        started->run_timeout ? std::optional(run_.history.front().time + *started->run_timeout) : std::nullopt;
  }

  void expect(std::string key) { expected_.emplace(std::move(key), "run " + id_); }

  void check_rows() {
    const RunRecord& r = *run_.record;
    if (run_.open_row == is_closed_)
      complain("an open run has its row, a closed one none", is_closed_ ? "closed" : "open");
    expect(keys::index_by_start(r.started, id_));
    expect(keys::index_by_attribute("type", r.type, r.started, id_));
    expect(keys::index_by_attribute("workflowId", r.workflow_id, r.started, id_));
    expect(keys::index_by_attribute("status", to_string(r.status), r.started, id_));
    if (!is_closed_) {
      for (const auto& [event, fires] : pending_.timers)
        expect(keys::timer(fires, id_, engine::timer_seq(engine::TimerKind::user, event)));
      if (run_timeout_) expect(keys::timer(*run_timeout_, id_, engine::timer_seq(engine::TimerKind::run_timeout, 1)));
    }
    std::set<std::uint64_t> backing_off;
    for (const auto& [key, row] : run_.timers) {
      if (row.kind != engine::TimerKind::retry) continue;
      const auto attempts = run_.attempts.find(row.event_id);
      const bool pending = !is_closed_ && pending_.steps.contains(row.event_id);
      if (!pending || attempts == run_.attempts.end() ||
          attempts->second.rbegin()->second.outcome != AttemptOutcome::failed)
        complain("a timer's row has something to wait for", fmt::format("retry of step {}", row.event_id));
      if (!backing_off.insert(row.event_id).second)
        complain("a step has one row for its retry", std::to_string(row.event_id));
      expect(key);
    }
    for (const auto& [event, attempts] : run_.attempts) {
      const auto* scheduled = event <= run_.history.size() && event > 0
                                  ? as<events::ActivityTaskScheduled>(run_.history[event - 1])
                                  : nullptr;
      if (scheduled == nullptr) {
        complain("an attempt's row has its step", fmt::format("step {}", event));
        continue;
      }
      // One that waits for a slot, or was due while the server drained, has no row any more.
      if (always_starts_ && !is_closed_ && pending_.steps.contains(event) &&
          attempts.rbegin()->second.outcome == AttemptOutcome::failed && !backing_off.contains(event))
        complain("a step that backs off has its timer's row", fmt::format("step {}", event));
      if (scheduled->retry.maximum_attempts != 0 &&
          attempts.rbegin()->second.counted > scheduled->retry.maximum_attempts)
        complain("no more attempts than allowed", fmt::format("step {}", event));
    }
  }

  World& world_;
  const bool always_starts_ = world_.plan.step_slots > 100 && !world_.plan.drains();
  const std::string& id_;
  const RunImage& run_;
  std::map<std::string, std::string>& expected_;
  Pending pending_;
  std::map<std::uint64_t, WallTime> started_;
  std::set<std::string> signals_, updates_;
  int cancels_ = 0;
  bool is_closed_ = false;
  std::optional<WallTime> run_timeout_;
};

}  // namespace

void check_rows(World& world, const Image& image) {
  std::map<std::string, std::string> expected;  // keys of timers and indexes -> whose
  std::map<std::string, int> open;              // runs of a workflow id
  for (const auto& [id, run] : image.runs) {
    RunCheck(world, id, run, expected).check();
    if (!run.record) continue;
    const std::string& workflow = run.record->workflow_id;
    const bool is_open = run.record->status == ExecutionStatus::running;
    if (is_open && ++open[workflow] > 1) world.complain("one open run of a workflow id", workflow);
    const auto current = image.current.find(workflow);
    if (current == image.current.end() || (is_open && current->second != id))
      world.complain("a workflow id's row names its run", workflow + " run " + id);
  }
  for (const auto& [workflow, run] : image.current)
    if (!image.runs.contains(run)) world.complain("a workflow id's row names its run", workflow + " names " + run);
  for (const auto& [key, whose] : expected)
    if (!image.rows.contains(key))
      world.complain("each pending thing and each index has its row",
                     whose + " kind " + std::to_string(static_cast<int>(state::KeyReader(key).kind())));
  for (const auto& [key, _] : image.rows) {
    const auto kind = state::KeyReader(key).kind();
    const bool ours = kind == state::KeyKind::timer || kind == state::KeyKind::index_start;
    if (ours && !expected.contains(key))
      world.complain("no row is left of what has ended", "kind " + std::to_string(int(kind)));
    if (kind == state::KeyKind::index_attribute && !expected.contains(key)) {
      state::KeyReader reader(key);
      const std::string name = reader.str();
      if (name == "status" || name == "type" || name == "workflowId")
        world.complain("an index row equals the state", name + "=" + reader.str());
    }
  }
  for (const auto& row : image.outbox)
    if (!image.runs.contains(row.from_run_id)) world.complain("a message has its sender", row.from_run_id);
  for (const auto& [scope, rows] : image.dedupe)
    for (const auto& [request, row] : rows)
      if (!image.runs.contains(row.run_id)) world.complain("a request id's row names a run", scope + "/" + request);
}

void Memory::check(World& world, const Image& image) {
  for (const auto& [id, before] : batches_) {
    const auto run = image.runs.find(id);
    if (run == image.runs.end()) {
      world.complain("what was durable stays", "run " + id + " is gone");
      continue;
    }
    const auto& now = run->second.batches;
    if (now.size() < before.size() || !std::equal(before.begin(), before.end(), now.begin()))
      world.complain("what was durable stays", "the history of run " + id + " has changed");
  }
  for (const auto& [id, record] : closed_)
    if (const auto run = image.runs.find(id); run != image.runs.end() && run->second.record_bytes != record)
      world.complain("a closed run stays as it was", "run " + id);
  for (const auto& [id, run] : image.runs) {
    batches_[id] = run.batches;
    if (run.record && run.record->status != ExecutionStatus::running) closed_[id] = run.record_bytes;
  }
}

void check_ledger(World& world, const Image& image) {
  for (const auto& [key, book] : world.ledger.steps()) {
    const std::string what = fmt::format("run {} step {}", key.first, book.activity_id);
    const auto run = image.runs.find(key.first);
    if (run == image.runs.end() || key.second > run->second.history.size()) {
      world.complain("a start is durable before it runs", what + ": its step is not in the history");
      continue;
    }
    const auto* scheduled = as<events::ActivityTaskScheduled>(run->second.history[key.second - 1]);
    if (scheduled == nullptr) {
      world.complain("a start is durable before it runs", what + ": another event has its id");
      continue;
    }
    const std::uint32_t last = book.began.rbegin()->first;
    const auto rows = run->second.attempts.find(key.second);
    std::uint32_t durable = scheduled->started_by.empty() ? 0 : 1;
    if (rows != run->second.attempts.end()) durable = std::max(durable, rows->second.rbegin()->first);
    if (last > durable)
      world.complain("a start is durable before it runs",
                     fmt::format("{} attempt {}, durable is {}", what, last, durable));
    for (const auto& [scope, value] : book.checkpoints) {
      const auto rows_of_step = run->second.checkpoints.find(key.second);
      const bool there = rows_of_step != run->second.checkpoints.end() && rows_of_step->second.contains(scope);
      if (!there) world.complain("an acknowledged checkpoint is kept", what + " scope " + scope);
    }
    if (rows != run->second.attempts.end())
      for (const auto& [_, attempt] : rows->second)
        if (attempt.outcome == AttemptOutcome::unknown) world.marks.hit("attempt of unknown outcome");
  }
  for (const auto& [id, run] : image.runs) {
    for (const HistoryEvent& e : run.history) {
      const auto step = closes_step(e);
      if (step == 0) continue;
      world.ledger.closed({id, step});
      const auto* completed = as<events::ActivityTaskCompleted>(e);
      if (completed == nullptr) continue;
      const StepBook* book = world.ledger.find({id, step});
      if (book == nullptr) continue;  // a step of the testkit
      bool known = false;
      for (const auto& [_, result] : book->returned) known = known || result == completed->result.text;
      if (!known)
        world.complain("a step's result is what it returned", fmt::format("run {} step {}", id, book->activity_id));
    }
  }
}

}  // namespace millrace::sim
