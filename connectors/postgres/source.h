// The PostgreSQL source: full reads by COPY binary, in splits.
//
// Two ways of splitting, and what each is good for (README.md has the table):
//   key ranges   boundaries of the primary key fixed before the first row is read; each range is one statement under a
//                snapshot of its own; survives a crash, since a later attempt can read the very same ranges.
//   snapshot     ranges of heap blocks under one exported snapshot, which a session of this object keeps open: one
//                moment for the whole table and no index in the way, but gone with this object.
#pragma once

#include <memory>
#include <mutex>

#include "connectors/postgres/bounds.h"
#include "connectors/postgres/config.h"
#include "connectors/postgres/relation.h"
#include "connectors/postgres/session_pool.h"
#include "connectors/source.h"

namespace millrace::connectors::postgres {

class PostgresSource final : public Source {
 public:
  PostgresSource(Runtime runtime, PostgresConfig config);

  asio::awaitable<CheckResult> check() override;
  asio::awaitable<Catalog> discover() override;
  asio::awaitable<SplitPlan> plan(ConfiguredStream stream, PlanOptions options) override;
  asio::awaitable<void> read(ConfiguredStream stream, Split split, std::optional<std::string> from,
                             BatchSink& out) override;
  asio::awaitable<void> close() override;

  static constexpr std::int64_t kMinRowsPerSplit = 20'000;  // fewer are not worth a statement
  static constexpr std::int64_t kRowsPerSplit = 250'000;
  static constexpr std::int64_t kMostRowsPerSplit = 750'000;
  static constexpr std::int64_t kMaxSplits = 1'000;
  static constexpr std::int64_t kSampledRowsPerSplit = 200;

 private:
  asio::awaitable<SplitPlan> plan_key_ranges(net::PostgresSession& session, StreamName name, Relation relation,
                                             std::int64_t rows, std::int64_t splits);
  asio::awaitable<SplitPlan> plan_snapshot(StreamName name, Relation relation, std::int64_t rows, std::int64_t splits);
  asio::awaitable<void> copy_rows(net::PostgresSession& session, ConfiguredStream stream, Split split, BatchSink& out);

  PostgresConfig config_;
  SessionPool pool_;
  std::mutex mutex_;
  std::vector<SessionPtr> keepers_;  // each holds a transaction whose snapshot a plan of this object names
};

// A failed attempt as the answer of check(): code, message and remedy.
CheckResult failed_check(const Error& error);

}  // namespace millrace::connectors::postgres
