#include "workflows/sync_progress.h"

#include <nlohmann/json.hpp>

#include "workflows/stream_failure.h"

namespace millrace::workflows {

using nlohmann::json;

namespace {

constexpr Duration kReportEvery = std::chrono::milliseconds(250);
constexpr Duration kLogEvery = std::chrono::seconds(10);
// A heartbeat with more streams than this lists only those that are at work or failed; the others' checkpoints tell the
// rest.
constexpr std::size_t kHeartbeatStreams = 200;

Counter records(const std::string& connection, const char* stage) {
  return metric_counter("millrace_sync_records_total", "Rows that syncs moved, by stage.",
                        {{"connection", connection}, {"stage", stage}});
}
Counter bytes(const std::string& connection, const char* stage) {
  return metric_counter("millrace_sync_bytes_total", "Bytes of rows that syncs moved, by stage.",
                        {{"connection", connection}, {"stage", stage}});
}

}  // namespace

std::string_view to_string(StreamProgress::Status status) {
  switch (status) {
    case StreamProgress::Status::pending:
      return "pending";
    case StreamProgress::Status::running:
      return "running";
    case StreamProgress::Status::loaded:
      return "loaded";
    case StreamProgress::Status::failed:
      return "failed";
  }
  return "pending";
}

void StreamProgress::set_consistency(std::string consistency) {
  std::lock_guard lock(mutex_);
  consistency_ = std::move(consistency);
}

void StreamProgress::set_state(std::string state) {
  std::lock_guard lock(mutex_);
  state_ = std::move(state);
}

std::string StreamProgress::state() const {
  std::lock_guard lock(mutex_);
  return state_;
}

void StreamProgress::set_failure(engine::Failure failure) {
  std::lock_guard lock(mutex_);
  failure_ = std::move(failure);
  status_.store(Status::failed);
}

// Under the lock, so that no report sees the counters between the two.
void StreamProgress::found(std::int64_t rows, std::int64_t bytes) {
  std::lock_guard lock(mutex_);
  found_rows_ += rows;
  found_bytes_ += bytes;
  rows_read += rows;
  bytes_read += bytes;
  rows_committed += rows;
  bytes_committed += bytes;
}

StreamProgress::Counts StreamProgress::moved() const {
  std::lock_guard lock(mutex_);
  return {rows_read.load() - found_rows_, bytes_read.load() - found_bytes_, rows_committed.load() - found_rows_,
          bytes_committed.load() - found_bytes_};
}

void StreamProgress::begin(MonoTime now) {
  std::lock_guard lock(mutex_);
  began_ = now;
  rows_found_ = rows_committed.load();
}

void StreamProgress::end(MonoTime now) {
  std::lock_guard lock(mutex_);
  if (began_) worked_ = std::chrono::duration_cast<Duration>(now - *began_);
}

std::optional<engine::Failure> StreamProgress::failure() const {
  std::lock_guard lock(mutex_);
  return failure_;
}

json StreamProgress::view() const {
  std::lock_guard lock(mutex_);
  json out = {{"namespace", name_.ns},
              {"name", name_.name},
              {"status", to_string(status_.load())},
              {"rowsRead", rows_read.load()},
              {"rowsCommitted", rows_committed.load()},
              {"bytesRead", bytes_read.load()},
              {"bytesCommitted", bytes_committed.load()},
              {"rowsQuarantined", rows_quarantined.load()},
              {"splits", {{"total", splits_total.load()}, {"complete", splits_complete.load()}}}};
  if (!state_.empty()) out["state"] = json::parse(state_);
  if (rows_estimate_.load() >= 0) out["rowsEstimate"] = rows_estimate_.load();
  // Of what has ended: rows a second over all of it.
  if (worked_ > Duration{0})
    out["rate"] =
        static_cast<std::int64_t>(static_cast<double>(rows_committed.load() - rows_found_) / to_seconds(worked_));
  if (!schema_changes_.empty()) out["schemaChanges"] = json::parse(schema_changes_);
  if (!consistency_.empty()) out["consistency"] = consistency_;
  if (failure_) out["failure"] = failure_json(*failure_);
  return out;
}

struct SyncProgress::Last {
  std::int64_t rows = 0;
  std::int64_t bytes = 0;
  std::int64_t rows_committed = 0;
  std::int64_t bytes_committed = 0;
  std::int64_t waited_for_source = 0;
  std::int64_t waited_for_destination = 0;
  double rate = 0;  // rows a second, smoothed
  std::string slow;
};

SyncProgress::SyncProgress(engine::StepContext& ctx, std::string connection,
                           const std::vector<connectors::StreamName>& streams)
    : ctx_(ctx),
      last_(streams.size()),
      last_report_(ctx.runtime().mono()),
      records_read_(records(connection, "read")),
      records_committed_(records(connection, "committed")),
      bytes_read_(bytes(connection, "read")),
      bytes_committed_(bytes(connection, "committed")),
      running_(metric_gauge("millrace_sync_running", "Syncs that run now.", {{"connection", connection}})) {
  for (const auto& name : streams) streams_.push_back(std::make_unique<StreamProgress>(name));
  running_.add(1);
}

SyncProgress::~SyncProgress() { running_.add(-1); }

json SyncProgress::streams_json() const {
  json out = json::array();
  for (const auto& s : streams_) out.push_back(s->view());
  return out;
}

void SyncProgress::move_metrics() {
  const MonoTime now = ctx_.runtime().mono();
  const double seconds = std::max(1e-6, to_seconds(std::chrono::duration_cast<Duration>(now - last_report_)));
  last_report_ = now;
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    const auto& s = *streams_[i];
    auto& last = last_[i];
    // What has come to a counter since the last report. A counter of Prometheus never goes back: neither does what is
    // remembered.
    const auto moved = [](std::int64_t value, std::int64_t& before) {
      const std::int64_t by = std::max<std::int64_t>(0, value - before);
      before += by;
      return by;
    };
    const auto counts = s.moved();
    const auto rows = moved(counts.rows_read, last.rows);
    records_read_.add(static_cast<double>(rows));
    bytes_read_.add(static_cast<double>(moved(counts.bytes_read, last.bytes)));
    records_committed_.add(static_cast<double>(moved(counts.rows_committed, last.rows_committed)));
    bytes_committed_.add(static_cast<double>(moved(counts.bytes_committed, last.bytes_committed)));
    const double rate = static_cast<double>(rows) / seconds;
    last.rate = last.rate == 0 ? rate : 0.7 * last.rate + 0.3 * rate;
    const auto for_source = moved(s.waited_for_source_us.load(), last.waited_for_source);
    const auto for_destination = moved(s.waited_for_destination_us.load(), last.waited_for_destination);
    last.slow = for_source > for_destination ? "source" : for_destination > 0 ? "destination" : "";
  }
}

json SyncProgress::heartbeat_json() {
  json out = {{"streams", json::array()}};
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    const auto status = streams_[i]->status();
    const bool busy = status == StreamProgress::Status::running;
    if (streams_.size() > kHeartbeatStreams && !busy && status != StreamProgress::Status::failed) continue;
    json one = streams_[i]->view();
    if (busy) {
      one["rate"] = static_cast<std::int64_t>(last_[i].rate);
      if (!last_[i].slow.empty()) one["slowSide"] = last_[i].slow;
    }
    out["streams"].push_back(std::move(one));
  }
  return out;
}

void SyncProgress::report() {
  move_metrics();
  ctx_.heartbeat(heartbeat_json().dump(-1, ' ', false, json::error_handler_t::replace));
}

asio::awaitable<void> SyncProgress::report_loop() {
  Duration since_log{0};
  for (;;) {
    report();
    since_log += kReportEvery;
    if (since_log >= kLogEvery) {
      since_log = Duration{0};
      for (std::size_t i = 0; i < streams_.size(); ++i) {
        const auto& s = *streams_[i];
        if (s.status() != StreamProgress::Status::running) continue;
        ctx_.log(LogLevel::info, s.name().text() + ": " + std::to_string(s.rows_read.load()) + " rows read, " +
                                     std::to_string(s.rows_committed.load()) + " committed, " +
                                     std::to_string(static_cast<std::int64_t>(last_[i].rate)) + " rows/s" +
                                     (last_[i].slow.empty() ? "" : ", waiting for the " + last_[i].slow));
      }
    }
    co_await ctx_.runtime().sleep_for(kReportEvery);
  }
}

}  // namespace millrace::workflows
