// The step follow: changes from the source's log into the destination, from where the destination stands.
//
//   reader: feed.follow() ──► ChangeQueue ──► applier: writer.write() ..., writer.commit(position) ──► feed.confirm()
//
// The order of things, and why:
//  1. The fence (open_changes): what an older attempt still had on its way is settled before the position is read.
//  2. now() gives a position L of the log after the loads of all streams were read: rows that were loaded since the
//  last
//     time are as old as the log from L on.
//  3. start() compares the position with the slot; then where reading begins, and L for what is newly loaded, are made
//     durable (begin), so that a later attempt knows them.
//  4. A commit at the destination holds whole transactions and their position; only then the source hears of it.
// A manual or scheduled job reads up to L and ends. A continuous one reads on; every so often the step ends by itself,
// and the workflow looks at the source and the connection again.
#include <boost/asio/this_coro.hpp>
#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "common/metrics.h"
#include "common/task_group.h"
#include "connectors/change_queue.h"
#include "workflows/follow_plan.h"
#include "workflows/slots.h"
#include "workflows/steps.h"

namespace millrace::workflows {

using connectors::FeedPosition;
using connectors::Lsn;
using nlohmann::json;

namespace {

constexpr std::size_t kCommitBytes = 8 << 20;
constexpr std::size_t kCommitChanges = 10'000;
constexpr Duration kCommitAfter = std::chrono::milliseconds(100);  // of work on queued transactions
constexpr Duration kKeepEvery = std::chrono::seconds(5);           // positions in the history
constexpr Duration kReportEvery = std::chrono::milliseconds(250);
constexpr Duration kNudgeEvery = std::chrono::seconds(30);  // a quiet log is moved by a message
constexpr Duration kSlotEvery = std::chrono::seconds(10);   // what the slot retains is looked at
constexpr Duration kRoundOf = std::chrono::hours(1);        // of a continuous step

struct FollowRun {
  FollowRun(engine::StepContext& c, std::vector<FollowedInput> s, bool without_end)
      : ctx(c), streams(std::move(s)), continuous(without_end) {}
  engine::StepContext& ctx;
  std::vector<FollowedInput> streams;
  const bool continuous;

  std::unique_ptr<connectors::Source> source;
  std::shared_ptr<connectors::ChangeFeed> feed;
  std::unique_ptr<connectors::Destination> destination;
  std::unique_ptr<connectors::ChangeWriter> writer;
  connectors::ChangeQueue queue;
  FeedPosition position;
  Lsn until = 0;
  std::atomic<Lsn> committed{0};
  std::atomic<std::int64_t> committed_time_us{0};
  std::atomic<std::int64_t> transactions{0};
  std::atomic<bool> behind{true};  // something was taken and is not committed
  std::vector<std::atomic<std::int64_t>> rows = std::vector<std::atomic<std::int64_t>>(streams.size());
  std::vector<std::atomic<std::int64_t>> bytes = std::vector<std::atomic<std::int64_t>>(streams.size());
  std::atomic<bool> stop_wanted{false};
};

json streams_json(const FollowRun& run, const char* status) {
  json out = json::array();
  for (std::size_t i = 0; i < run.streams.size(); ++i) {
    json one = name_json(run.streams[i].feed.stream.name);
    one["status"] = status;
    one["rowsRead"] = one["rowsCommitted"] = run.rows[i].load();
    one["bytesRead"] = one["bytesCommitted"] = run.bytes[i].load();
    one["consistency"] = "log";
    out.push_back(std::move(one));
  }
  return out;
}

json heartbeat_json(const FollowRun& run) {
  return {{"streams", streams_json(run, "running")},
          {"position", connectors::format_lsn(run.committed)},
          {"transactions", run.transactions.load()}};
}

asio::awaitable<void> read_log(FollowRun& run, std::vector<connectors::FeedStream> streams) {
  std::exception_ptr error;
  try {
    co_await run.feed->follow(std::move(streams), run.position.lsn, run.until, run.queue);
  } catch (...) {
    error = std::current_exception();
  }
  run.queue.close_writer(error);
}

// Says that the step lives and how far behind it is; ends a round of a continuous step, and a draining server's.
asio::awaitable<void> report(FollowRun& run, std::string connection) {
  const Gauge lag = metric_gauge("millrace_cdc_source_lag_seconds",
                                 "Age of the newest change of the source that is not at the destination yet.",
                                 {{"connection", connection}});
  const MonoTime end = run.ctx.runtime().mono() + kRoundOf;
  MonoTime nudged = run.ctx.runtime().mono();
  Gauge lag_gauge = lag;
  MonoTime looked = nudged - kSlotEvery;
  for (;;) {
    run.ctx.heartbeat(heartbeat_json(run).dump());
    const std::int64_t now_us = to_micros(run.ctx.runtime().now());
    const std::int64_t at_us = run.committed_time_us.load();
    lag_gauge.set(run.behind && at_us > 0 ? std::max(0.0, static_cast<double>(now_us - at_us) / 1e6) : 0);
    if (run.ctx.draining() || (run.continuous && run.ctx.runtime().mono() >= end)) {
      run.stop_wanted = true;
      run.queue.close_reader();
    }
    if (run.continuous && run.ctx.runtime().mono() - nudged >= kNudgeEvery) {
      nudged = run.ctx.runtime().mono();
      try {
        co_await run.feed->now();
      } catch (const Error& e) {
        log_debug("a message to the source's log failed", {{"error", e.what()}});
      }
    }
    if (run.ctx.runtime().mono() - looked >= kSlotEvery) {
      looked = run.ctx.runtime().mono();
      try {
        const auto status = co_await run.feed->status();
        set_slot_metrics(status);
      } catch (const Error& e) {
        log_debug("looking at the slot failed", {{"error", e.what()}});
      }
    }
    co_await run.ctx.runtime().sleep_for(kReportEvery);
  }
}

asio::awaitable<void> commit(FollowRun& run, Lsn boundary, std::int64_t time_us) {
  run.position.lsn = boundary;
  co_await run.writer->commit(run.position);
  run.feed->confirm(boundary);
  run.committed = boundary;
  run.committed_time_us = time_us;
  for (std::size_t i = 0; i < run.streams.size(); ++i) {
    const auto counts = run.writer->counts(i);
    run.rows[i] = counts.changes;
    run.bytes[i] = counts.bytes;
  }
  run.behind = !run.queue.empty();
}

asio::awaitable<void> apply(FollowRun& run, Counter changes, Counter transactions) {
  std::size_t bytes = 0, rows = 0;
  std::int64_t whole = 0;
  MonoTime first = run.ctx.runtime().mono(), kept = first;
  while (auto batch = co_await run.queue.read()) {
    run.behind = true;
    if (rows == 0) first = run.ctx.runtime().mono();
    co_await run.writer->write(*batch);
    bytes += batch->size();
    rows += batch->changes().size();
    whole += static_cast<std::int64_t>(batch->transactions);
    if (batch->boundary == 0) continue;
    // What has queued meanwhile goes into the same transaction, within bounds.
    const bool more = !run.queue.empty() && bytes < kCommitBytes && rows < kCommitChanges &&
                      run.ctx.runtime().mono() - first < kCommitAfter;
    if (more) continue;
    co_await commit(run, batch->boundary, batch->boundary_time_us);
    changes.add(static_cast<double>(rows));
    transactions.add(static_cast<double>(whole));
    run.transactions += whole;
    bytes = rows = 0;
    whole = 0;
    if (run.ctx.runtime().mono() - kept >= kKeepEvery) {
      kept = run.ctx.runtime().mono();
      co_await run.ctx.checkpoint("position", connectors::format_lsn(run.committed));
    }
  }
}

asio::awaitable<void> open(FollowRun& run, const Endpoints& endpoints, std::string connection_id, std::int64_t job_id) {
  run.source = endpoints.make_source();
  run.feed = run.source->change_feed();
  if (!run.feed) throw Error("destination.mode_unsupported", "the source has no log to follow");
  run.destination = endpoints.make_destination();
  connectors::ChangeTarget target;
  target.connection_id = std::move(connection_id);
  target.generation = job_id;
  for (const auto& s : run.streams) target.streams.push_back(s.target);
  run.writer =
      co_await run.destination->open_changes(std::move(target), run.ctx.token().text(), run.ctx.token().attempt);
  std::vector<connectors::FeedStream> streams;
  std::vector<bool> fresh;
  for (std::size_t i = 0; i < run.streams.size(); ++i) {
    run.streams[i].feed.state = run.writer->load_state(i);
    streams.push_back(run.streams[i].feed);
    fresh.push_back(run.writer->fresh(i));
  }
  const FeedPosition now = co_await run.feed->now();
  run.position = co_await run.feed->start(run.writer->position(), streams, fresh);
  co_await run.writer->begin(run.position, now.lsn);
  run.committed = run.position.lsn;
  for (std::size_t i = 0; i < run.streams.size(); ++i) run.streams[i].feed.settled = run.writer->settled(i);
  run.until = run.continuous ? 0 : now.lsn;
  run.ctx.log(LogLevel::info, "follows " + std::to_string(run.streams.size()) + " streams from " +
                                  connectors::format_lsn(run.position.lsn) +
                                  (run.continuous ? "" : " to " + connectors::format_lsn(run.until)));
}

asio::awaitable<void> close(FollowRun& run) {
  try {
    if (run.writer) co_await run.writer->abort();
    if (run.destination) co_await run.destination->close();
    if (run.feed) co_await run.feed->close();
    if (run.source) co_await run.source->close();
  } catch (const std::exception& e) {
    log_debug("closing the ends of a feed failed", {{"error", e.what()}});
  }
}

asio::awaitable<void> run_streams(FollowRun& run, std::string connection) {
  const Counter changes = metric_counter("millrace_cdc_events_total", "Changes made durable at the destination.",
                                         {{"connection", connection}});
  const Counter transactions =
      metric_counter("millrace_cdc_transactions_total", "Transactions of the source made durable at the destination.",
                     {{"connection", connection}});
  std::vector<connectors::FeedStream> streams;
  for (const auto& s : run.streams) streams.push_back(s.feed);
  TaskGroup group(run.ctx.runtime());
  group.spawn("cdc reader", read_log(run, std::move(streams)));
  group.spawn("cdc report", report(run, connection));
  std::exception_ptr error;
  try {
    co_await apply(run, changes, transactions);
  } catch (...) {
    error = std::current_exception();
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  run.queue.close_reader();
  co_await group.stop();
  if (error && !(run.stop_wanted && is_cancelled(error))) std::rethrow_exception(error);
}

}  // namespace

asio::awaitable<engine::Payload> follow_step(engine::StepContext& ctx, engine::Payload input, ResourcesPtr resources) {
  const json value = json::parse(input);
  const JobInput job = job_input_from_json(value.at("job").dump());
  std::vector<FollowedInput> streams;
  for (const auto& s : value.at("streams")) streams.push_back(followed_from_json(s));
  const Endpoints endpoints = co_await make_endpoints(ctx.runtime(), resources, job);
  const std::string connection = value.value("connectionName", job.connection.id);
  FollowRun run(ctx, std::move(streams), value.value("continuous", false));
  std::exception_ptr error;
  try {
    co_await open(run, endpoints, job.connection.id, job.job_id);
    co_await run_streams(run, connection);
  } catch (...) {
    error = std::current_exception();
  }
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await close(run);
  if (error) std::rethrow_exception(error);
  if (ctx.draining() && run.stop_wanted) throw engine::Suspended();
  json out = {{"streams", streams_json(run, "complete")},
              {"position", connectors::format_lsn(run.committed)},
              {"transactions", run.transactions.load()},
              {"reason", run.stop_wanted ? "round" : "end"}};
  co_return out.dump();
}

}  // namespace millrace::workflows
