// Reset: a run is cut at a point, and another goes on from there.
//
// An open current run holds still while its history is read and cut; then the batch that terminates it also begins the
// new one. Where no run is open the new one begins by itself, on the condition that the closed one still is the
// current.
#include <algorithm>
#include <set>

#include "common/errors.h"
#include "engine/engine_impl.h"
#include "engine/execution_reset.h"
#include "engine/history.h"
#include "engine/records/rows.h"
#include "engine/reset_point.h"
#include "state/keys.h"

namespace millrace::engine {

namespace keys = state::keys;

namespace {

constexpr int kResetTries = 10;
constexpr int kMostRunsOfAChain = 100'000;

std::string digest_of(const ResetRequest& r) {
  const std::vector<std::string> parts = {r.workflow_id,
                                          r.run_id,
                                          std::to_string(static_cast<int>(r.point.kind)),
                                          std::to_string(r.point.event_id),
                                          r.point.step,
                                          std::to_string(r.point.occurrence),
                                          r.point.after ? "after" : "before",
                                          std::to_string(to_micros(r.point.time)),
                                          std::to_string(static_cast<int>(r.children)),
                                          r.reapply_signals ? "s" : "",
                                          r.reapply_updates ? "u" : ""};
  std::string all;
  for (const std::string& part : parts) all += part + '\0';
  return payload_hash(all);
}

// Lets a held run go on, whatever becomes of the reset.
struct Hold {
  explicit Hold(RunningPtr e) : execution(std::move(e)) {}
  ~Hold() {
    if (execution) execution->release(holder);
  }
  Hold(const Hold&) = delete;
  Hold& operator=(const Hold&) = delete;
  void release(RunningExecution::Input first) { std::exchange(execution, nullptr)->release(holder, std::move(first)); }
  RunningPtr execution;
  const RunningExecution::HolderPtr holder = std::make_shared<RunningExecution::Holder>();
};

// Signals and updates of one run that came in by themselves: behind `after`, not those that another run handed on.
void gather(const std::vector<HistoryEvent>& events, std::uint64_t after, bool continued, const ResetRequest& request,
            std::vector<Attributes>& out) {
  std::set<std::uint64_t> handed_on;
  std::uint64_t left = 0;
  bool before_first_turn = continued;
  for (const HistoryEvent& e : events) {
    if (const auto* mark = std::get_if<events::WorkflowTaskFailed>(&e.attributes)) {
      left = mark->reapplied;
      continue;
    }
    if (type_of(e) == EventType::workflow_task_completed) before_first_turn = false;
    if (left > 0) {
      --left;
      handed_on.insert(e.id);
    }
    if (e.id <= after || before_first_turn || handed_on.count(e.id) != 0) continue;
    if (request.reapply_signals && std::holds_alternative<events::WorkflowExecutionSignaled>(e.attributes))
      out.push_back(e.attributes);
    if (request.reapply_updates && std::holds_alternative<events::WorkflowExecutionUpdateAccepted>(e.attributes))
      out.push_back(e.attributes);
  }
}

}  // namespace

asio::awaitable<std::vector<HistoryEvent>> Engine::Impl::read_history(std::string run_id) {
  std::vector<HistoryEvent> all;
  HistoryReader reader(*core_->store, run_id);
  for (auto events = co_await reader.next(); !events.empty(); events = co_await reader.next())
    std::move(events.begin(), events.end(), std::back_inserter(all));
  co_return all;
}

asio::awaitable<std::vector<Engine::Impl::Found>> Engine::Impl::later_runs(std::string base, Found current) {
  std::vector<Found> later;
  Found at = std::move(current);
  for (int i = 0; i < kMostRunsOfAChain && at.run_id != base; ++i) {
    const std::string before = at.record.continued_run_id;
    later.push_back(std::move(at));
    if (before.empty()) {
      later.clear();  // of other chains
      co_return later;
    }
    at = Found();
    at.run_id = before;
    const auto bytes = co_await core_->store->get(keys::run(before));
    if (!bytes) {
      later.clear();
      co_return later;
    }
    at.record = decode_record<RunRecord>(*bytes);
  }
  std::reverse(later.begin(), later.end());
  co_return later;
}

asio::awaitable<std::string> Engine::Impl::origin_of(std::string run_id, std::uint64_t event_id) {
  for (;;) {
    const auto bytes = co_await core_->store->get(keys::run(run_id));
    if (!bytes) co_return run_id;
    const auto record = decode_record<RunRecord>(*bytes);
    if (record.reset_run_id.empty() || event_id > record.reset_event_id) co_return run_id;
    run_id = record.reset_run_id;
  }
}

asio::awaitable<bool> Engine::Impl::is_reset_of(std::string run_id, std::string ancestor) {
  for (int i = 0; i < kMostRunsOfAChain && !run_id.empty(); ++i) {
    if (run_id == ancestor) co_return true;
    const auto bytes = co_await core_->store->get(keys::run(run_id));
    if (!bytes) co_return false;
    const auto record = decode_record<RunRecord>(*bytes);
    run_id = record.reset_run_id.empty() ? std::string() : record.continued_run_id;
  }
  co_return false;
}

asio::awaitable<std::optional<ResetResult>> Engine::Impl::earlier_reset(std::string workflow_id, std::string request_id,
                                                                        std::string digest) {
  std::optional<ResetResult> result;
  if (request_id.empty()) co_return result;
  const auto bytes = co_await core_->store->get(keys::dedupe("reset/" + workflow_id, request_id));
  if (!bytes) co_return result;
  const auto row = decode_record<DedupeRow>(*bytes);
  if (row.digest != digest)
    throw Error("idempotency.mismatch", "request id " + request_id + " has made run " + row.run_id);
  result.emplace();
  result->run_id = row.run_id;
  const auto record = co_await core_->store->get(keys::run(row.run_id));
  if (record) result->kept_event_id = decode_record<RunRecord>(*record).reset_event_id;
  co_return result;
}

asio::awaitable<ResetResult> Engine::Impl::reset(ResetRequest request) {
  if (core_->draining) throw Error("workflow.draining");
  if (request.workflow_id.empty()) request.workflow_id = (co_await find({}, request.run_id)).record.workflow_id;
  const std::string digest = digest_of(request);
  if (request.new_run_id.empty()) request.new_run_id = core_->runtime.uuid();
  auto shared = std::make_shared<ResetRequest>(std::move(request));
  for (int i = 0; i < kResetTries; ++i) {
    auto result = co_await try_reset(shared, digest);
    if (result) co_return std::move(*result);
  }
  throw Error("workflow.start_refused", "one of the conditions of the reset does not hold");
}

// Nothing: something has changed meanwhile, it is to be tried again.
asio::awaitable<std::optional<ResetResult>> Engine::Impl::try_reset(std::shared_ptr<ResetRequest> request,
                                                                    std::string digest) {
  std::optional<ResetResult> result;
  auto before = co_await earlier_reset(request->workflow_id, request->request_id, digest);
  if (before) co_return before;
  Found base = co_await find(request->workflow_id, request->run_id);
  if (core_->registry.workflow(base.record.type) == nullptr)
    throw Error("workflow.type_unknown", "no workflow of type " + base.record.type + " is registered");
  const auto current_row = co_await core_->store->get(keys::current(request->workflow_id));
  Found current = co_await find(request->workflow_id, {});
  RunningPtr open;
  if (is_open(current.record.status)) {
    open = core_->executions.find(current.run_id);
    if (!open) co_return result;  // it has just closed
  }
  Hold hold(open);
  if (open) co_await open->hold(hold.holder);
  const auto current_record = co_await core_->store->get(keys::run(current.run_id));
  if (!current_row || !current_record) co_return result;
  current.record = decode_record<RunRecord>(*current_record);
  if (is_open(current.record.status) != static_cast<bool>(open)) co_return result;

  auto source = std::make_shared<ResetSource>();
  source->base_run_id = base.run_id;
  source->base = base.run_id == current.run_id ? current.record : base.record;
  source->before_run_id = current.run_id;
  source->kept = co_await read_history(base.run_id);
  const std::uint64_t kept = reset_cut(source->kept, request->point);
  gather(source->kept, kept, false, *request, source->reapplied);
  const auto later = co_await later_runs(base.run_id, current);
  for (const Found& run : later) {
    const auto events = co_await read_history(run.run_id);
    gather(events, run.record.reset_event_id, run.record.reset_run_id.empty(), *request, source->reapplied);
  }
  source->kept.erase(source->kept.begin() + static_cast<std::ptrdiff_t>(kept), source->kept.end());
  if (!base.record.reset_run_id.empty())
    for (const HistoryEvent& e : source->kept)
      if (is_command_event(type_of(e)) && e.id <= base.record.reset_event_id) {
        std::string origin = co_await origin_of(base.run_id, e.id);
        source->origins[e.id] = std::move(origin);
      }
  auto& started = std::get<events::WorkflowExecutionStarted>(source->kept.front().attributes);
  if (request->input) started.input = StoredPayload(*request->input);
  if (request->memo) {
    started.memo = StoredPayload(*request->memo);
    source->base.memo = *request->memo;
  }
  // Today's code must agree with what is kept, before anything is closed.
  HistoryTrial trial(core_->registry, base.run_id);
  for (const HistoryEvent& e : source->kept)
    if (!trial.divergence) trial.feed(e);
  trial.finish();
  if (trial.divergence)
    throw Error("workflow.reset_invalid", "the code does not agree with event " +
                                              std::to_string(trial.divergence->event_id) + ", which holds " +
                                              trial.divergence->expected + "; it asks for " + trial.divergence->got);
  source->mark.identity = request->identity;
  source->mark.reason = request->reason;
  source->mark.request_id = request->request_id;
  source->children = request->children;
  source->beside = request->extra;
  if (!request->request_id.empty()) {
    DedupeRow row;
    row.workflow_id = request->workflow_id;
    row.run_id = request->new_run_id;
    row.digest = digest;
    row.time = core_->runtime.now();
    const std::string key = keys::dedupe("reset/" + request->workflow_id, request->request_id);
    source->beside.expect_absent(key);
    source->beside.put(key, encode_record(row));
  }
  source->beside.expect(keys::current(request->workflow_id), *current_row);

  auto next = std::make_shared<RunningExecution>(core_, request->new_run_id);
  if (open) {
    auto ack = std::make_shared<Ack>();
    RunningExecution* e = open.get();
    hold.release([e, ack, next, source](Transaction& tx) {
      if (!e->accepts()) {
        ack->fail(e->refusal());
        return;
      }
      e->replace_by(tx, next, *source);
      tx.acks.push_back(ack);
    });
    co_await ack->wait();
  } else {
    source->beside.expect(keys::run(current.run_id), *current_record);
    if (!core_->executions.insert(request->new_run_id, next)) co_return result;
    const bool done = co_await next->start_reset(source);
    if (!done) co_return result;
  }
  result.emplace();
  result->run_id = request->new_run_id;
  result->kept_event_id = kept;
  result->made = true;
  co_return result;
}

}  // namespace millrace::engine
