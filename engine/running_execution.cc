#include "engine/running_execution.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/dispatch.hpp>

#include "common/errors.h"
#include "common/log.h"
#include "engine/crash_notes.h"
#include "engine/events/codec.h"
#include "state/keys.h"

namespace millrace::engine {
namespace {

namespace keys = state::keys;

constexpr std::size_t kKeptInputBytes = 1024;
constexpr std::uint64_t kLongHistory = 10'240;  // events, after each of which a warning is due
constexpr Duration kDiskFullRetry = std::chrono::seconds(1);

// The batch's conditions did not hold.
struct Fenced : std::exception {
  const char* what() const noexcept override { return "the run was changed by another owner"; }
};

}  // namespace

RunningExecution::RunningExecution(CorePtr core, std::string run_id)
    : core_(std::move(core)),
      run_id_(std::move(run_id)),
      strand_(core_->runtime.make_strand()),
      steps_(*this),
      timers_(*this),
      links_(*this),
      locals_(*this) {}

void RunningExecution::submit(Input input) {
  core_->pumps.enter();
  asio::dispatch(strand_, [self = shared_from_this(), input = std::move(input)]() mutable {
    self->inputs_.push_back(std::move(input));
    self->stir();
    self->wake_pump();
  });
}

void RunningExecution::wake_pump() {
  if (pumping_ || !ready_ || inputs_.empty()) return;
  pumping_ = true;
  asio::co_spawn(strand_, pump(shared_from_this()), [](std::exception_ptr error) {
    if (error) std::rethrow_exception(error);
  });
}

asio::awaitable<void> RunningExecution::pump([[maybe_unused]] RunningPtr self) {
  while (ready_ && !inputs_.empty()) {
    std::vector<Input> inputs = std::exchange(inputs_, {});
    const std::size_t taken = inputs.size();
    Transaction tx(core_->runtime.now());
    decide(tx, std::move(inputs));
    bool durable = true;
    if (!tx.events.empty() || !tx.batch.empty() || record_changed_) {
      complete_batch(tx);
      durable = co_await write(&tx);
    }
    if (durable) {
      for (auto& action : tx.actions) action();
      for (auto& action : tx.anyway) action();
      for (const AckPtr& ack : tx.acks) ack->succeed();
      if (!tx.events.empty()) tell_waiters();
    }
    for (std::size_t i = 0; i < taken; ++i) core_->pumps.leave();
  }
  pumping_ = false;
  rest();
}

void RunningExecution::decide(Transaction& tx, std::vector<Input> inputs) {
  for (Input& input : inputs) input(tx);
  run_turns(tx);
}

const HistoryEvent& RunningExecution::append(Transaction& tx, Attributes attributes) {
  const bool news = is_news_event(type_of(attributes)) || is_local_result(attributes);
  const HistoryEvent& event = tx.events.emplace_back(++last_event_id_, tx.now, std::move(attributes));
  // What the engine appends itself always speaks of something the code asked for.
  if (news && replayer_) (void)replayer_->deliver(event);
  return event;
}

// A turn may bring news of its own (a step cancelled before it began): then another follows in the same batch.
void RunningExecution::run_turns(Transaction& tx) {
  while (accepts() && !is_paused() && replayer_ && !record_.is_blocked && replayer_->has_news()) {
    events::WorkflowTaskCompleted turn_event;
    turn_event.woken_by_event_id = replayer_->first_news();
    turn_event.build_id = kBuildId;
    turn_event.history_bytes = record_.history_bytes & ~std::uint64_t{0xffff};
    replayer_->set_history_bytes(turn_event.history_bytes);
    Turn turn;
    {
      const CrashNote note(core_->options.crash_notes.get(), run_id_);
      turn = replayer_->live_turn(tx.now);
    }
    if (turn.bug) {
      Divergence d;
      d.event_id = last_event_id_ + 1;
      d.expected = "an outcome of the workflow";
      d.got = *turn.bug;
      d.position = replayer_->position();
      block(tx, std::move(d));
      return;
    }
    const std::uint64_t turn_id = append(tx, std::move(turn_event)).id;
    // A step that does not run ends at once when it is cancelled. That is news, and news may not stand between the
    // commands of a turn: replay cuts the turn there.
    std::vector<HistoryEvent> cancels;
    for (Command& command : turn.commands) {
      std::visit(
          [turn_id](auto& a) {
            if constexpr (requires { a.turn_event_id; }) a.turn_event_id = turn_id;
          },
          command.body);
      if (auto* step = std::get_if<events::ActivityTaskScheduled>(&command.body)) steps_.prepare(tx, *step);
      if (auto* again = std::get_if<events::WorkflowExecutionContinuedAsNew>(&command.body))
        again->new_run_id = core_->runtime.uuid();
      const OperationPtr operation = command.operation;
      // A copy: what dispatch() does may append further events.
      const HistoryEvent event = append(tx, std::move(command.body));
      replayer_->bind(event.attributes, operation, event.id);
      if (type_of(event) == EventType::activity_task_cancel_requested)
        cancels.push_back(event);
      else
        dispatch(tx, event);
    }
    for (const HistoryEvent& event : cancels)
      if (is_open()) dispatch(tx, event);
    if (accepts()) locals_.take(tx, *replayer_);
  }
}

// Each group knows its own events.
void RunningExecution::dispatch(Transaction& tx, const HistoryEvent& event) {
  switch (type_of(event)) {
    case EventType::activity_task_scheduled:
      return steps_.on_scheduled(tx, event);
    case EventType::activity_task_cancel_requested:
      return steps_.on_cancel_requested(tx, event);
    case EventType::timer_started:
      return timers_.on_started(tx, event);
    case EventType::timer_canceled:
      return timers_.on_canceled(tx, event);
    case EventType::start_child_initiated:
      return links_.on_child_initiated(tx, event);
    case EventType::signal_external_initiated:
      return links_.on_signal_initiated(tx, event);
    case EventType::request_cancel_external_initiated:
      return links_.on_cancel_initiated(tx, event);
    case EventType::update_completed:
      return on_update_completed(tx, event);
    case EventType::workflow_execution_continued_as_new:
      continue_as_new(tx, event);
      return close(tx, event);
    case EventType::workflow_execution_completed:
    case EventType::workflow_execution_failed:
    case EventType::workflow_execution_canceled:
      return close(tx, event);
    default:
      return;
  }
}

// Adds what every batch of the run has: its events, its record, and the condition that nobody else has changed it.
void RunningExecution::complete_batch(Transaction& tx) {
  if (stored_record_.empty())
    tx.batch.expect_absent(keys::run(run_id_));
  else
    tx.batch.expect(keys::run(run_id_), stored_record_);
  if (tx.events.empty() && !record_changed_) {
    next_record_ = stored_record_;
    return;
  }
  record_changed_ = false;
  if (!tx.events.empty()) {
    const FieldEncoder::BlobSink blob = [&](const std::string& hash, const Payload& text) {
      tx.batch.put(keys::blob(run_id_, hash), text);
    };
    std::string bytes = encode_events(tx.events, &blob);
    if (record_.history_length / kLongHistory != last_event_id_ / kLongHistory && is_open()) {
      log_warn("the history is long: replay takes longer with each event; its code might continue as new",
               {{"workflow", record_.workflow_id}, {"run", run_id_}, {"events", last_event_id_}});
    }
    record_.history_length = last_event_id_;
    record_.history_bytes += bytes.size();
    record_.last_batch = tx.events.front().id;
    tx.batch.put(keys::history(run_id_, tx.events.front().id), std::move(bytes));
  }
  ++record_.version;
  next_record_ = encode_record(record_);
  tx.batch.put(keys::run(run_id_), next_record_);
}

asio::awaitable<bool> RunningExecution::write(Transaction* tx) {
  std::exception_ptr failure;
  for (;;) {
    bool full = false;
    failure = nullptr;
    try {
      state::Batch copy = tx->batch;  // a full disk gives it back
      if (co_await core_->store->commit(std::move(copy)) != state::Commit::done)
        failure = std::make_exception_ptr(Fenced());
    } catch (const Error& e) {
      failure = std::current_exception();
      full = e.code() == "store.disk_full" && !stored_record_.empty();
    } catch (...) {
      failure = std::current_exception();
    }
    if (!failure) {
      stored_record_ = std::exchange(next_record_, {});
      co_return true;
    }
    if (!full || core_->stopped) break;
    co_await core_->runtime.sleep_for(kDiskFullRetry);
  }
  give_up(*tx, failure);
  co_return false;
}

void RunningExecution::give_up(const Transaction& tx, const std::exception_ptr& error) {
  const bool began = !stored_record_.empty();
  dead_ = true;
  if (began) log_warn("execution dropped from memory", {{"run", run_id_}, {"error", describe(error)}});
  core_->executions.erase(run_id_, this);
  steps_.abandon(CancelReason::shut_down);
  locals_.abandon();
  timers_.abandon();
  if (began) core_->metrics.opened(record_.type, -1);
  for (const auto& action : tx.anyway) action();
  for (const AckPtr& ack : tx.acks) ack->fail(error);
  refuse_updates();
  tell_waiters();
}

void RunningExecution::abandon() {
  asio::dispatch(strand_, [self = shared_from_this()] {
    if (std::exchange(self->dead_, true)) return;
    self->core_->timers.cancel(self->wake_timer_);
    if (!self->loading_) self->drop_pending();
    self->refuse_updates();
    self->ready_ = true;  // what waits is answered
    self->wake_pump();
  });
}

void RunningExecution::drop_pending() {
  steps_.abandon(CancelReason::shut_down);
  locals_.abandon();
  timers_.abandon();
}

// ---- starting ----

asio::awaitable<bool> RunningExecution::start(StartRequest request, state::Batch beside, Origin origin) {
  auto shared = std::make_shared<std::pair<StartRequest, state::Batch>>(std::move(request), std::move(beside));
  return start_with([this, shared, origin = std::move(origin)](Transaction& tx) {
    begin(tx, shared->first, std::move(shared->second), origin);
  });
}

asio::awaitable<bool> RunningExecution::start_with(Input first) {
  auto ack = std::make_shared<Ack>();
  submit([ack, first = std::move(first)](Transaction& tx) {
    tx.acks.push_back(ack);
    first(tx);
  });
  asio::dispatch(strand_, [self = shared_from_this()] {
    self->ready_ = true;
    self->wake_pump();
  });
  bool fenced = false;
  try {
    co_await ack->wait();
  } catch (const Fenced&) {
    fenced = true;
  }
  co_return !fenced;
}

void RunningExecution::begin(Transaction& tx, StartRequest& request, state::Batch beside, const Origin& origin) {
  tx.batch = std::move(beside);
  record_.workflow_id = request.workflow_id;
  record_.type = request.type;
  record_.started = tx.now;
  record_.memo = request.memo;
  record_.first_run_id = origin.first_run_id;
  record_.continued_run_id = origin.continued_run_id;
  record_.parent_workflow_id = origin.parent_workflow_id;
  record_.parent_run_id = origin.parent_run_id;
  record_.parent_event_id = origin.parent_event_id;
  run_timeout_ = request.run_timeout;
  tx.batch.put(keys::open_run(run_id_), encode_record(OpenRow()));
  CurrentRow current;
  current.run_id = run_id_;
  tx.batch.put(keys::current(request.workflow_id), encode_record(current));
  tx.batch.put(keys::index_by_start(tx.now, run_id_), {});
  tx.batch.put(keys::index_by_attribute("type", request.type, tx.now, run_id_), {});
  tx.batch.put(keys::index_by_attribute("workflowId", request.workflow_id, tx.now, run_id_), {});
  tx.batch.put(keys::index_by_attribute("status", to_string(ExecutionStatus::running), tx.now, run_id_), {});
  tx.batch.append(std::move(request.extra));

  Replayer::Identity identity;
  identity.workflow_id = request.workflow_id;
  identity.run_id = run_id_;
  identity.type = request.type;
  replayer_ = std::make_unique<Replayer>(std::move(identity), *core_->registry.workflow(request.type), request.input);

  if (request.input.size() <= kKeptInputBytes) input_ = request.input;

  events::WorkflowExecutionStarted started;
  started.workflow_type = request.type;
  started.workflow_id = request.workflow_id;
  started.input = std::move(request.input);
  started.memo = std::move(request.memo);
  started.run_timeout = request.run_timeout;
  started.continued_run_id = origin.continued_run_id;
  started.first_run_id = origin.first_run_id;
  started.initiator = origin.initiator;
  started.parent_workflow_id = origin.parent_workflow_id;
  started.parent_run_id = origin.parent_run_id;
  started.parent_initiated_event_id = origin.parent_event_id;
  started.build_id = kBuildId;
  append(tx, std::move(started));
  if (request.run_timeout) timers_.on_run_timeout(tx, tx.now + *request.run_timeout);
  tx.act([this] {
    core_->metrics.started(record_.type);
    core_->metrics.opened(record_.type, 1);
    counted_open_ = true;
  });
}

}  // namespace millrace::engine
