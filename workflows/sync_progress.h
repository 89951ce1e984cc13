// Where a sync is: counters that the workers move, and the heartbeat and metrics made of them four times a second.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "common/awaitable.h"
#include "common/metrics.h"
#include "connectors/schema.h"
#include "engine/failure.h"
#include "engine/step.h"

namespace millrace::workflows {

// One stream of a running sync. Thread-safe.
class StreamProgress {
 public:
  // loaded: all rows are durable at the destination, and publish() is yet to make the final table of them.
  enum class Status { pending, running, loaded, failed };

  explicit StreamProgress(connectors::StreamName name) : name_(std::move(name)) {}
  const connectors::StreamName& name() const { return name_; }

  std::atomic<std::int64_t> rows_read{0};
  std::atomic<std::int64_t> bytes_read{0};
  std::atomic<std::int64_t> rows_committed{0};
  std::atomic<std::int64_t> bytes_committed{0};
  std::atomic<std::int64_t> rows_quarantined{0};  // committed ones, with a value that did not fit its type
  std::atomic<std::int64_t> splits_total{0};
  std::atomic<std::int64_t> splits_complete{0};
  // Time that destination and source spent waiting for each other, over all workers.
  std::atomic<std::int64_t> waited_for_source_us{0};
  std::atomic<std::int64_t> waited_for_destination_us{0};

  // Rows that an earlier attempt made durable, and this one only found: part of the stream's counters, none of the
  // metrics, which say what this process moved.
  void found(std::int64_t rows, std::int64_t bytes);
  struct Counts {
    std::int64_t rows_read, bytes_read, rows_committed, bytes_committed;
  };
  Counts moved() const;  // the counters without what was found

  // How many rows the catalog expects; shown where it is known.
  void set_rows_estimate(std::int64_t rows) { rows_estimate_.store(rows); }

  // This attempt works at the stream from `now` on, having found what earlier ones left; and until `now`.
  void begin(MonoTime now);
  void end(MonoTime now);

  void set_status(Status status) { status_.store(status); }
  Status status() const { return status_.load(); }
  void set_consistency(std::string consistency);
  void set_state(std::string state);  // what the next job starts from
  std::string state() const;
  void set_schema_changes(std::string json) { schema_changes_ = std::move(json); }  // before it is shared
  void set_failure(engine::Failure failure);                                        // and the status failed
  std::optional<engine::Failure> failure() const;

  // {namespace, name, status, rowsRead, ..., splits, consistency, failure}
  nlohmann::json view() const;

 private:
  const connectors::StreamName name_;
  std::atomic<Status> status_{Status::pending};
  std::atomic<std::int64_t> rows_estimate_{-1};
  mutable std::mutex mutex_;
  std::string schema_changes_;  // JSON list; empty: none
  std::string consistency_;
  std::string state_;
  std::optional<engine::Failure> failure_;
  std::optional<MonoTime> began_;
  Duration worked_{0};
  std::int64_t rows_found_ = 0;  // when this attempt began
  std::int64_t found_rows_ = 0;
  std::int64_t found_bytes_ = 0;
};
std::string_view to_string(StreamProgress::Status status);

class SyncProgress {
 public:
  // `connection` is the label of its metrics. `ctx` must outlive this.
  SyncProgress(engine::StepContext& ctx, std::string connection, const std::vector<connectors::StreamName>& streams);
  ~SyncProgress();

  StreamProgress& stream(std::size_t i) { return *streams_[i]; }
  std::size_t size() const { return streams_.size(); }

  // Reports until it is cancelled.
  asio::awaitable<void> report_loop();
  // Reports what is so now; not at the same time as report_loop().
  void report();
  // All streams, as the step's result has them.
  nlohmann::json streams_json() const;

 private:
  struct Last;  // what the former report saw, to tell rates
  nlohmann::json heartbeat_json();
  void move_metrics();

  engine::StepContext& ctx_;
  std::vector<std::unique_ptr<StreamProgress>> streams_;
  std::vector<Last> last_;
  MonoTime last_report_;
  Counter records_read_;
  Counter records_committed_;
  Counter bytes_read_;
  Counter bytes_committed_;
  Gauge running_;
};

}  // namespace millrace::workflows
