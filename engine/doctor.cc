#include "engine/doctor.h"

#include <set>

#include "common/errors.h"
#include "engine/doctor_run.h"
#include "engine/history.h"
#include "engine/records/attempt_record.h"
#include "engine/records/outbox_row.h"
#include "engine/records/rows.h"
#include "engine/schedules/schedule_check.h"
#include "state/keys.h"

namespace millrace::engine {
namespace {

namespace keys = state::keys;

// A frozen view where a store is asked for.
class FrozenStore final : public state::Store {
 public:
  explicit FrozenStore(std::shared_ptr<state::Snapshot> view) : view_(std::move(view)) {}
  asio::awaitable<std::optional<std::string>> get(std::string key) override { return view_->get(std::move(key)); }
  asio::awaitable<std::vector<state::KeyValue>> scan(state::Range range) override {
    return view_->scan(std::move(range));
  }
  asio::awaitable<state::Commit> commit(state::Batch) override { throw Error("store.unavailable", "a frozen view"); }
  std::unique_ptr<state::Snapshot> snapshot() override { return nullptr; }
  state::StoreStatus status() override { return {}; }
  void close() override {}

 private:
  std::shared_ptr<state::Snapshot> view_;
};

// What the later passes ask of a run; kept for open runs and for those at fault only, the rest is read again.
struct Brief {
  Brief() = default;
  bool open = false;
  std::string workflow_id;
};

class Examination {
 public:
  Examination(std::shared_ptr<state::Snapshot> view, DoctorPause pause)
      : view_(view), store_(std::move(view)), pause_(std::move(pause)) {}

  asio::awaitable<DoctorReport> run() {
    co_await outbox();
    co_await runs();
    co_await open_rows();
    co_await currents();
    co_await timers();
    co_await lists();
    co_await schedules();
    co_await owned();
    co_return std::move(report_);
  }

 private:
  void say(std::string check, std::string workflow_id, std::string run_id, std::string detail) {
    ++report_.fault_count;
    ++report_.by_check[check];
    if (report_.faults.size() >= kFaultsKept) return;
    StoreFault fault;
    fault.check = std::move(check);
    fault.workflow_id = std::move(workflow_id);
    fault.run_id = std::move(run_id);
    fault.detail = std::move(detail);
    report_.faults.push_back(std::move(fault));
  }

  // Calls `each` for all rows under the prefix.
  using Each = std::function<asio::awaitable<void>(const state::KeyValue&)>;
  asio::awaitable<void> all(std::string prefix, Each each) {
    state::Range range = state::prefix_range(prefix);
    range.limit = 500;
    for (;;) {
      const auto rows = co_await view_->scan(range);
      if (rows.empty()) co_return;
      for (const state::KeyValue& row : rows) {
        ++report_.rows;
        std::string fault;
        try {
          co_await each(row);
        } catch (const Error& e) {
          fault = e.what();
        }
        if (!fault.empty()) say("record.differs", {}, {}, "a row cannot be read: " + fault);
      }
      range.begin = rows.back().key + '\0';
      if (pause_) co_await pause_();
    }
  }

  // The record of a run; nothing if there is none or it can't be read.
  asio::awaitable<std::optional<RunRecord>> record_of(std::string run_id) {
    std::optional<RunRecord> record;
    const auto bytes = co_await view_->get(keys::run(run_id));
    if (!bytes) co_return record;
    try {
      record = decode_record<RunRecord>(*bytes);
    } catch (const Error&) {
      // Said where the record itself is looked at.
    }
    co_return record;
  }
  static bool is_open(const RunRecord& r) {
    return r.status == ExecutionStatus::running || r.status == ExecutionStatus::paused;
  }

  asio::awaitable<void> outbox() {
    Each each = [this](const state::KeyValue& row) -> asio::awaitable<void> { return outbox_row(row); };
    co_await all(keys::outbox_prefix(state::kEmbeddedShard), each);
  }
  asio::awaitable<void> outbox_row(state::KeyValue row) {
    try {
      const auto message = decode_record<OutboxRow>(row.value);
      if (message.kind == OutboxKind::start_child || message.kind == OutboxKind::signal ||
          message.kind == OutboxKind::cancel)
        messages_.emplace(message.from_run_id, message.event_id);
    } catch (const Error& e) {
      say("outbox.stray", {}, {}, std::string("a message cannot be read: ") + e.what());
    }
    co_return;
  }

  asio::awaitable<void> runs() {
    Each each = [this](const state::KeyValue& row) -> asio::awaitable<void> { return run_row(row); };
    co_await all(keys::run_prefix(), each);
  }
  asio::awaitable<void> run_row(state::KeyValue row) {
    state::KeyReader key(row.key);
    const std::string run_id = key.str();
    RunRecord record;
    std::string unreadable;
    try {
      record = decode_record<RunRecord>(row.value);
    } catch (const Error& e) {
      unreadable = e.what();
    }
    if (!unreadable.empty()) {
      say("record.differs", {}, run_id, "the record cannot be read: " + unreadable);
      co_return;
    }
    ++report_.runs;
    const std::string workflow_id = record.workflow_id;
    RunFacts facts([this, workflow_id, run_id](std::string check, std::string detail) {
      say(std::move(check), workflow_id, run_id, std::move(detail));
    });
    try {
      HistoryReader reader(store_, run_id);
      for (auto events = co_await reader.next(); !events.empty(); events = co_await reader.next()) {
        for (const HistoryEvent& event : events) facts.take(event);
        report_.events += events.size();
      }
    } catch (const Error& e) {
      unreadable = e.what();
    }
    if (!unreadable.empty()) {
      say("history.unreadable", workflow_id, run_id, unreadable);
    } else {
      facts.compare(record);
      if (facts.is_open()) co_await waits(workflow_id, run_id, facts);
    }
    co_await listed(run_id, record);
    if (is_open(record)) {
      const auto open = co_await view_->get(keys::open_run(run_id));
      if (!open) say("open_row.missing", workflow_id, run_id, "the run is open, but a restart would not look at it");
      const auto current = co_await view_->get(keys::current(workflow_id));
      if (!current || decode_record<CurrentRow>(*current).run_id != run_id)
        say("current.wrong", workflow_id, run_id, "the run is open, but its workflow id means another");
    }
    if (pause_) co_await pause_();
  }

  // Each pending thing has its row.
  asio::awaitable<void> waits(std::string workflow_id, std::string run_id, const RunFacts& facts) {
    for (const auto& [event, fires] : facts.timers()) {
      const auto row = co_await view_->get(keys::timer(fires, run_id, timer_seq(TimerKind::user, event)));
      if (!row)
        say("timer.missing", workflow_id, run_id, "the timer of event " + std::to_string(event) + " has no row");
    }
    if (facts.run_deadline()) {
      const auto row =
          co_await view_->get(keys::timer(*facts.run_deadline(), run_id, timer_seq(TimerKind::run_timeout, 1)));
      if (!row) say("timer.missing", workflow_id, run_id, "the time-out of the run has no row");
    }
    for (const std::uint64_t event : facts.unanswered())
      if (messages_.count({run_id, event}) == 0)
        say("outbox.missing", workflow_id, run_id,
            "event " + std::to_string(event) + " waits for the answer to a message that is not there");
  }

  asio::awaitable<void> listed(std::string run_id, RunRecord r) {
    const auto need = [&](std::string name, std::string key) -> asio::awaitable<void> {
      return need_row(std::move(name), std::move(key), r.workflow_id, run_id);
    };
    co_await need("all runs", keys::index_by_start(r.started, run_id));
    co_await need("its type", keys::index_by_attribute("type", r.type, r.started, run_id));
    co_await need("its workflow id", keys::index_by_attribute("workflowId", r.workflow_id, r.started, run_id));
    co_await need("its status", keys::index_by_attribute("status", to_string(r.status), r.started, run_id));
  }
  asio::awaitable<void> need_row(std::string name, std::string key, std::string workflow_id, std::string run_id) {
    const auto row = co_await view_->get(std::move(key));
    if (!row) say("index.missing", std::move(workflow_id), std::move(run_id), "the run is not in the list of " + name);
  }

  asio::awaitable<void> open_rows() {
    Each each = [this](const state::KeyValue& row) -> asio::awaitable<void> { return open_row(row); };
    co_await all(keys::open_run_prefix(), each);
  }
  asio::awaitable<void> open_row(state::KeyValue row) {
    state::KeyReader key(row.key);
    const std::string run_id = key.str();
    const auto record = co_await record_of(run_id);
    if (!record)
      say("record.missing", {}, run_id, "the run has an open row and no record");
    else if (!is_open(*record))
      say("open_row.stray", record->workflow_id, run_id, "the run is closed, but a restart would look at it");
  }

  asio::awaitable<void> currents() {
    Each each = [this](const state::KeyValue& row) -> asio::awaitable<void> { return current_row(row); };
    co_await all(keys::current_prefix(), each);
  }
  asio::awaitable<void> current_row(state::KeyValue row) {
    state::KeyReader key(row.key);
    const std::string workflow_id = key.str();
    const auto current = decode_record<CurrentRow>(row.value);
    const auto record = co_await record_of(current.run_id);
    if (!record)
      say("current.wrong", workflow_id, current.run_id, "the workflow id means a run that has no record");
    else if (record->workflow_id != workflow_id)
      say("current.wrong", workflow_id, current.run_id, "the workflow id means a run of " + record->workflow_id);
  }

  asio::awaitable<void> timers() {
    Each each = [this](const state::KeyValue& row) -> asio::awaitable<void> { return timer_row(row); };
    co_await all(keys::timer_prefix(), each);
  }
  asio::awaitable<void> timer_row(state::KeyValue row) {
    state::KeyReader key(row.key);
    (void)key.time();
    const std::string run_id = key.str();
    const auto record = co_await record_of(run_id);
    if (!record)
      say("timer.stray", {}, run_id, "a timer of a run that has no record");
    else if (!is_open(*record))
      say("timer.stray", record->workflow_id, run_id, "a timer of a run that is closed");
  }

  asio::awaitable<void> lists() {
    Each by_start = [this](const state::KeyValue& row) -> asio::awaitable<void> { return start_row(row); };
    co_await all(keys::index_by_start_prefix(), by_start);
    Each by_attribute = [this](const state::KeyValue& row) -> asio::awaitable<void> { return attribute_row(row); };
    co_await all(state::KeyBuilder(state::KeyKind::index_attribute).take(), by_attribute);
  }
  asio::awaitable<void> start_row(state::KeyValue row) {
    state::KeyReader key(row.key);
    const WallTime started = key.inverse_time();
    const std::string run_id = key.str();
    const auto record = co_await record_of(run_id);
    if (!record)
      say("index.stray", {}, run_id, "the list of all runs names a run that has no record");
    else if (record->started != started)
      say("index.stray", record->workflow_id, run_id, "the list of all runs has it under another start");
  }
  asio::awaitable<void> attribute_row(state::KeyValue row) {
    state::KeyReader key(row.key);
    const std::string name = key.str(), value = key.str();
    (void)key.inverse_time();
    const std::string run_id = key.str();
    const auto record = co_await record_of(run_id);
    if (!record) {
      say("index.stray", {}, run_id, "the list of " + name + " " + value + " names a run that has no record");
      co_return;
    }
    std::optional<std::string> is;
    if (name == "type") is = record->type;
    if (name == "workflowId") is = record->workflow_id;
    if (name == "status") is = to_string(record->status);
    if (is && *is != value)
      say("index.stray", record->workflow_id, run_id,
          "the list of " + name + " " + value + " names it, but it is " + *is);
  }

  asio::awaitable<void> schedules() {
    Each each = [this](const state::KeyValue& row) -> asio::awaitable<void> { return schedule_row(row); };
    co_await all(keys::schedule_prefix(), each);
  }
  asio::awaitable<void> schedule_row(state::KeyValue row) {
    state::KeyReader key(row.key);
    const std::string id = key.str();
    for (std::string& fault : faults_of_schedule(id, decode_schedule(row.value)))
      say("schedule.differs", {}, {}, "schedule " + id + ": " + std::move(fault));
    co_return;
  }

  // Rows that die with their run. One question a run, since its rows lie together.
  asio::awaitable<void> owned() {
    using Kind = state::KeyKind;
    const std::pair<Kind, const char*> kinds[] = {
        {Kind::history, "a history"}, {Kind::attempt, "attempts"}, {Kind::step_checkpoint, "checkpoints"},
        {Kind::log, "log lines"},     {Kind::blob, "payloads"},    {Kind::run_item, "items"}};
    for (const auto& [kind, what] : kinds) co_await owned_by_run(kind, what);
  }
  asio::awaitable<void> owned_by_run(state::KeyKind kind, std::string what) {
    state::Range range = state::prefix_range(state::KeyBuilder(kind).take());
    for (;;) {
      range.limit = 1;
      const auto rows = co_await view_->scan(range);
      if (rows.empty()) co_return;
      ++report_.rows;
      state::KeyReader key(rows.front().key);
      const std::string owner = key.str();
      const auto record = co_await view_->get(keys::run(owner));
      if (!record)
        say(kind == state::KeyKind::history ? "record.missing" : "orphan", {}, owner,
            what + " of a run that has no record");
      // To the next owner: behind all that begins with this one.
      range.begin = state::prefix_range(state::KeyBuilder(kind).str(owner).take()).end;
    }
  }

  std::shared_ptr<state::Snapshot> view_;
  FrozenStore store_;
  DoctorPause pause_;
  std::set<std::pair<std::string, std::uint64_t>> messages_;  // (run, event) that an outbox row answers for
  DoctorReport report_;
};

}  // namespace

asio::awaitable<DoctorReport> examine(std::shared_ptr<state::Snapshot> view, DoctorPause pause) {
  const auto examination = std::make_unique<Examination>(std::move(view), std::move(pause));
  co_return co_await examination->run();
}

std::string summary_of(const DoctorReport& report) {
  std::string text = std::to_string(report.runs) + " runs, " + std::to_string(report.events) + " events and " +
                     std::to_string(report.rows) + " rows were looked at: ";
  if (report.fault_count == 0) return text + "all hold together";
  text += std::to_string(report.fault_count) + (report.fault_count == 1 ? " fault" : " faults");
  for (const auto& [check, n] : report.by_check) text += ", " + check + " " + std::to_string(n);
  return text;
}

}  // namespace millrace::engine
