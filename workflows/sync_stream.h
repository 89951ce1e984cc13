// One stream of a sync: fence, plan, splits, finish. See sync_stream.cc for the order of things, split_worker.cc for
// the way of the rows.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "common/awaitable.h"
#include "common/event.h"
#include "common/task_group.h"
#include "connectors/destination.h"
#include "connectors/source.h"
#include "engine/step.h"
#include "workflows/job_input.h"
#include "workflows/sync_plan.h"
#include "workflows/sync_progress.h"

namespace millrace::workflows {

// Makes the two ends of a connection: one of each for a stream, so that a snapshot or a broken session is a stream's
// own.
struct Endpoints {
  Endpoints() = default;
  std::string connection_name;
  std::function<std::unique_ptr<connectors::Source>()> make_source;
  std::function<std::unique_ptr<connectors::Destination>()> make_destination;
};

// A stream's name in the scopes of checkpoints: "public.orders", other dots, slashes and per cent signs escaped.
std::string scope_of(const connectors::StreamName& name);

class StreamSync {
 public:
  // All references must outlive this.
  StreamSync(engine::StepContext& ctx, const Endpoints& endpoints, const StreamPlan& plan, SyncOptions options,
             StreamProgress& progress);

  // Brings the stream to "loaded", or stops at a split boundary because the server drains (then suspended() is true).
  // Throws what made it fail; whatever it throws, nothing runs on and the ends are closed.
  asio::awaitable<void> run();
  bool suspended() const { return suspended_; }

  // ---- for the workers ----
  // The next split to read; empty: none is left, or the stream is to stop.
  const connectors::Split* next_split();
  // Where to go on in a split that was committed in part.
  const connectors::Checkpoint* committed(const std::string& split_id) const;
  asio::awaitable<std::unique_ptr<connectors::SplitWriter>> open_split(std::string split_id);
  // A commit of `rows` more rows in `bytes` more bytes, durable at the destination as `checkpoint`; `quarantined` of
  // the rows have a value that did not fit.
  asio::awaitable<void> split_committed(connectors::Checkpoint checkpoint, std::int64_t rows, std::int64_t bytes,
                                        std::int64_t quarantined);
  // A worker failed: the others stop at their next boundary. Keeps the first.
  void fail(std::exception_ptr error);

  engine::StepContext& ctx() { return ctx_; }
  connectors::Source& source() { return *source_; }
  const connectors::ConfiguredStream& configured() const { return configured_; }
  const StreamPlan& plan() const { return plan_; }
  StreamProgress& progress() { return progress_; }
  bool resumable() const { return split_plan_.resumable; }

 private:
  asio::awaitable<void> load();
  asio::awaitable<void> make_plan();
  asio::awaitable<void> read_splits();
  asio::awaitable<void> finish();
  asio::awaitable<void> watch_stall();
  void set_workers(TaskGroup* workers);
  asio::awaitable<void> close_ends();
  bool take_earlier_outcome();
  void take_stored_state();
  bool all_complete() const;

  engine::StepContext& ctx_;
  const Endpoints& endpoints_;
  const StreamPlan& plan_;
  const SyncOptions options_;
  StreamProgress& progress_;
  const std::string scope_;

  connectors::ConfiguredStream configured_;
  std::unique_ptr<connectors::Source> source_;
  std::unique_ptr<connectors::Destination> destination_;
  std::unique_ptr<connectors::StreamWriter> writer_;
  connectors::SplitPlan split_plan_;
  std::map<std::string, connectors::Checkpoint> committed_;  // at the start of this attempt; fixed while workers run

  std::mutex mutex_;
  std::vector<const connectors::Split*> todo_;  // guarded
  std::size_t next_ = 0;                        // guarded
  std::map<std::string, std::int64_t> rows_;    // complete splits; guarded
  std::exception_ptr error_;                    // guarded
  TaskGroup* workers_ = nullptr;                // while splits are read; guarded
  bool opening_ = false;                        // guarded: one open_split() at a time
  Event opened_;
  bool suspended_ = false;  // guarded while workers run
};

}  // namespace millrace::workflows
