// The order of things for one stream, and why each is where it is.
//
//  1. The fence. open_stream() writes this attempt's token and waits out older transactions, so what it then says is
//     committed can no longer change behind us.
//  2. The plan is durable before the first row is read. A later attempt must read the very same parts: a boundary drawn
//     anew would lose or double the rows between the old and the new one. A plan that can't be resumed (it is bound to
//     a snapshot that died with its attempt) is thrown away together with the rows that were read by it.
//  3. Splits. What the destination says is complete is not read again; its word is the truth, the step's checkpoints
//  are
//     only kept for the eye and for telling progress.
//  4. Finish, once and alone: the destination sees all splits complete and the counts of both sides equal.
//
// A failure that a retry can't mend is kept as a checkpoint, so that the attempts made for other streams leave this one
// alone.
#include "workflows/sync_stream.h"

#include <boost/asio/this_coro.hpp>
#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "common/task_group.h"
#include "workflows/split_worker.h"
#include "workflows/stream_failure.h"

namespace millrace::workflows {

using nlohmann::json;

std::string scope_of(const connectors::StreamName& name) {
  const auto escaped = [](const std::string& text) {
    std::string out;
    for (char c : text) {
      if (c == '.')
        out += "%2E";
      else if (c == '/')
        out += "%2F";
      else if (c == '%')
        out += "%25";
      else
        out += c;
    }
    return out;
  };
  return name.ns.empty() ? escaped(name.name) : escaped(name.ns) + "." + escaped(name.name);
}

StreamSync::StreamSync(engine::StepContext& ctx, const Endpoints& endpoints, const StreamPlan& plan,
                       SyncOptions options, StreamProgress& progress)
    : ctx_(ctx),
      endpoints_(endpoints),
      plan_(plan),
      options_(options),
      progress_(progress),
      scope_(scope_of(plan.target.source_name)) {
  configured_.name = plan.target.source_name;
  configured_.schema = plan.read_schema ? plan.read_schema : plan.target.schema;
  configured_.sync_mode = plan.read_mode.value_or(plan.target.sync_mode);
  configured_.primary_key = plan.read_key.empty() ? plan.target.primary_key : plan.read_key;
  configured_.cursor_field = plan.read_cursor.empty() ? plan.target.cursor_field : plan.read_cursor;
  configured_.state = plan.state;
  configured_.filter = plan.filter;
  configured_.limit = plan.limit;
}

// What an earlier attempt has settled; true: nothing is left to do.
bool StreamSync::take_earlier_outcome() {
  const auto& kept = ctx_.checkpoints();
  if (const auto it = kept.find("failed/" + scope_); it != kept.end()) {
    progress_.set_failure(failure_from_view(json::parse(it->second)));
    return true;
  }
  const auto it = kept.find("done/" + scope_);
  if (it == kept.end()) return false;
  const json done = json::parse(it->second);
  progress_.found(done.value("rows", std::int64_t{0}), done.value("bytes", std::int64_t{0}));
  progress_.rows_quarantined += done.value("quarantined", std::int64_t{0});
  progress_.splits_total = progress_.splits_complete = done.value("splits", std::int64_t{0});
  progress_.set_consistency(done.value("consistency", ""));
  progress_.set_state(done.value("state", ""));
  progress_.set_status(StreamProgress::Status::loaded);
  return true;
}

asio::awaitable<void> StreamSync::run() {
  if (take_earlier_outcome()) co_return;
  progress_.set_status(StreamProgress::Status::running);
  // Here and not where the splits are read: it must be stopped whatever ends this, also a cancellation.
  TaskGroup watch(ctx_.runtime());
  watch.spawn("stall watch", watch_stall());
  std::exception_ptr error;
  try {
    co_await load();
  } catch (...) {
    error = std::current_exception();
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await watch.stop();
  co_await close_ends();
  if (error) std::rethrow_exception(error);
}

asio::awaitable<void> StreamSync::load() {
  source_ = endpoints_.make_source();
  destination_ = endpoints_.make_destination();
  writer_ = co_await destination_->open_stream(plan_.target, ctx_.token().text(), ctx_.token().attempt);
  committed_ = writer_->committed();
  take_stored_state();
  co_await make_plan();
  if (!writer_->finished()) {
    co_await read_splits();
    if (suspended_) co_return;
  }
  co_await finish();
}

// A job that ended between its publication and the keeping of its state left the newer one at the destination only.
void StreamSync::take_stored_state() {
  if (!connectors::is_incremental(configured_.sync_mode)) return;
  const auto stored = writer_->stored_state();
  if (!stored || stored->generation <= plan_.state_job || stored->generation >= plan_.target.generation) return;
  configured_.state = stored->state;
  ctx_.log(LogLevel::info, scope_ + ": starts from the state that job " + std::to_string(stored->generation) +
                               " left at the destination");
}

bool StreamSync::all_complete() const {
  for (const auto& split : split_plan_.splits) {
    const auto it = committed_.find(split.id);
    if (it == committed_.end() || !it->second.complete) return false;
  }
  return true;
}

asio::awaitable<void> StreamSync::make_plan() {
  const auto& kept = ctx_.checkpoints();
  const auto it = kept.find("plan/" + scope_);
  if (it != kept.end()) {
    split_plan_ = connectors::split_plan_from_json(it->second);
    if (split_plan_.resumable || writer_->finished() || all_complete()) co_return;
    ctx_.log(LogLevel::warn,
             scope_ + ": its snapshot is gone with the former attempt; it is read again from the start");
  }
  if (it != kept.end() || !committed_.empty()) {
    co_await writer_->restart();
    committed_.clear();
  }
  connectors::PlanOptions options;
  options.parallel = options_.splits_parallel;
  options.rows_per_split = options_.rows_per_split;
  split_plan_ = co_await source_->plan(configured_, options);
  co_await ctx_.checkpoint("plan/" + scope_, connectors::to_json(split_plan_));
  for (const auto& note : plan_.notes) ctx_.log(LogLevel::warn, scope_ + ": " + note);
  for (const auto& note : split_plan_.notes) ctx_.log(LogLevel::warn, scope_ + ": " + note);
  ctx_.log(LogLevel::info, scope_ + ": " + std::to_string(split_plan_.splits.size()) + " split" +
                               (split_plan_.splits.size() == 1 ? "" : "s") + ", consistency " +
                               std::string(to_string(split_plan_.consistency)) +
                               (split_plan_.resumable ? "" : ", not resumable"));
}

asio::awaitable<void> StreamSync::read_splits() {
  const auto& kept = ctx_.checkpoints();
  progress_.splits_total = static_cast<std::int64_t>(split_plan_.splits.size());
  progress_.set_consistency(std::string(to_string(split_plan_.consistency)));
  for (const auto& split : split_plan_.splits) {
    const auto it = committed_.find(split.id);
    if (it != committed_.end()) {
      std::int64_t bytes = 0;
      if (const auto c = kept.find("split/" + scope_ + "/" + split.id); c != kept.end()) {
        const json told = json::parse(c->second);
        bytes = told.value("bytes", std::int64_t{0});
        progress_.rows_quarantined += told.value("quarantined", std::int64_t{0});
      }
      progress_.found(it->second.rows, bytes);
      if (it->second.complete) {
        rows_[split.id] = it->second.rows;
        ++progress_.splits_complete;
        continue;
      }
    }
    todo_.push_back(&split);
  }
  const auto skipped = split_plan_.splits.size() - todo_.size();
  if (skipped > 0) ctx_.log(LogLevel::info, scope_ + ": goes on after " + std::to_string(skipped) + " complete splits");
  progress_.begin(ctx_.runtime().mono());
  TaskGroup workers(ctx_.runtime());
  const std::size_t parallel = std::min(std::max<std::size_t>(1, options_.splits_parallel), todo_.size());
  for (std::size_t i = 0; i < parallel; ++i) workers.spawn("split worker", run_split_worker(*this));
  set_workers(&workers);
  std::exception_ptr error;
  try {
    co_await workers.join();
  } catch (...) {
    error = std::current_exception();
  }
  set_workers(nullptr);
  progress_.end(ctx_.runtime().mono());
  if (error_) std::rethrow_exception(error_);
  if (error) std::rethrow_exception(error);
  suspended_ = next_ < todo_.size();
}

// A system that neither fails nor moves would hold a job for good: the stream fails then, and says who was waited for.
asio::awaitable<void> StreamSync::watch_stall() {
  const Duration limit = options_.stall_limit;
  const auto moved = [&] {
    return progress_.rows_read.load() + progress_.rows_committed.load() + progress_.splits_complete.load();
  };
  std::int64_t last = -1;
  MonoTime since = ctx_.runtime().mono();
  for (;;) {
    co_await ctx_.runtime().sleep_for(std::min<Duration>(limit / 4, std::chrono::seconds(15)));
    const MonoTime now = ctx_.runtime().mono();
    const std::int64_t at = moved();
    std::lock_guard lock(mutex_);
    if (workers_ == nullptr || at != last) {
      last = at;
      since = now;
    } else if (now - since >= limit && !error_) {
      const bool writing = progress_.rows_read.load() > progress_.rows_committed.load();
      const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit).count();
      error_ = std::make_exception_ptr(
          Error("sync.stalled", scope_ + ": no row in " + std::to_string(seconds) + " s; " +
                                    (writing ? "rows were read and not committed" : "the source gave none")));
      workers_->cancel();
    }
  }
}

void StreamSync::set_workers(TaskGroup* workers) {
  std::lock_guard lock(mutex_);
  workers_ = workers;
}

asio::awaitable<void> StreamSync::finish() {
  std::vector<std::string> splits;
  std::int64_t rows = 0;
  if (writer_->finished()) {
    for (const auto& [id, checkpoint] : committed_) rows_[id] = checkpoint.rows;
    std::int64_t found = 0;
    for (const auto& [_, n] : rows_) found += n;
    progress_.found(found, 0);
    progress_.splits_total = progress_.splits_complete = static_cast<std::int64_t>(rows_.size());
    progress_.set_consistency(std::string(to_string(split_plan_.consistency)));
  }
  for (const auto& [id, n] : rows_) {
    splits.push_back(id);
    rows += n;
  }
  if (!writer_->finished()) {
    for (const auto& split : split_plan_.splits)
      if (!rows_.contains(split.id))
        throw Error("sync.incomplete", scope_ + ": split " + split.id + " was not read to its end");
    co_await writer_->finish(splits, rows);
  }
  const json done = {{"rows", rows},
                     {"bytes", progress_.bytes_committed.load()},
                     {"splits", splits.size()},
                     {"quarantined", progress_.rows_quarantined.load()},
                     {"consistency", to_string(split_plan_.consistency)},
                     {"state", split_plan_.state}};
  progress_.set_state(split_plan_.state);
  co_await ctx_.checkpoint("done/" + scope_, done.dump());
  progress_.set_status(StreamProgress::Status::loaded);
  ctx_.log(LogLevel::info, scope_ + ": " + std::to_string(rows) + " rows loaded");
}

// Whatever they throw comes too late to matter: what is durable is told by the fence of the next attempt.
asio::awaitable<void> StreamSync::close_ends() {
  writer_.reset();
  if (source_) {
    try {
      co_await source_->close();
    } catch (const std::exception& e) {
      log_debug("closing a source failed", {{"stream", scope_}, {"error", e.what()}});
    }
  }
  if (destination_) {
    try {
      co_await destination_->close();
    } catch (const std::exception& e) {
      log_debug("closing a destination failed", {{"stream", scope_}, {"error", e.what()}});
    }
  }
}

const connectors::Split* StreamSync::next_split() {
  // A plan that can't be resumed gains nothing from stopping between two of its splits.
  const bool drain = split_plan_.resumable && ctx_.draining();
  std::lock_guard lock(mutex_);
  if (error_ || drain || next_ == todo_.size()) return nullptr;
  return todo_[next_++];
}

const connectors::Checkpoint* StreamSync::committed(const std::string& split_id) const {
  const auto it = committed_.find(split_id);
  return it == committed_.end() ? nullptr : &it->second;
}

// One at a time: a StreamWriter is not made for calls at once, and its sessions need a moment each.
asio::awaitable<std::unique_ptr<connectors::SplitWriter>> StreamSync::open_split(std::string split_id) {
  for (;;) {
    {
      std::lock_guard lock(mutex_);
      if (!opening_) {
        opening_ = true;
        break;
      }
      opened_.reset();
    }
    co_await opened_.wait();
  }
  std::unique_ptr<connectors::SplitWriter> out;
  std::exception_ptr error;
  try {
    out = co_await writer_->open_split(std::move(split_id));
  } catch (...) {
    error = std::current_exception();
  }
  {
    std::lock_guard lock(mutex_);
    opening_ = false;
  }
  opened_.set();
  if (error) std::rethrow_exception(error);
  co_return out;
}

asio::awaitable<void> StreamSync::split_committed(connectors::Checkpoint checkpoint, std::int64_t rows,
                                                  std::int64_t bytes, std::int64_t quarantined) {
  progress_.rows_committed += rows;
  progress_.rows_quarantined += quarantined;
  const std::int64_t total_bytes = progress_.bytes_committed += bytes;
  if (!checkpoint.complete) co_return;
  const std::int64_t complete = ++progress_.splits_complete;
  {
    std::lock_guard lock(mutex_);
    rows_[checkpoint.id] = checkpoint.rows;
  }
  json kept = {{"rows", checkpoint.rows}, {"bytes", bytes}, {"complete", complete}, {"totalBytes", total_bytes}};
  if (quarantined > 0) kept["quarantined"] = quarantined;
  co_await ctx_.checkpoint("split/" + scope_ + "/" + checkpoint.id, kept.dump());
}

void StreamSync::fail(std::exception_ptr error) {
  std::lock_guard lock(mutex_);
  if (!error_) error_ = std::move(error);
}

}  // namespace millrace::workflows
