// SplitWriter of a PostgreSQL destination: COPY binary on a session of its own, one transaction a checkpoint.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connectors/destination.h"
#include "connectors/postgres/session_pool.h"

namespace millrace::connectors::postgres {

// What all splits of one opened stream share.
struct LoadContext {
  StreamTarget target;
  std::string token;
  std::string copy_sql;       // COPY <stage or final table> (columns) FROM STDIN (FORMAT binary)
  bool add_metadata = false;  // append _extracted_at and _load_id to each tuple on its way
  std::shared_ptr<SessionPool> pool;
};

class PostgresSplitWriter final : public SplitWriter {
 public:
  PostgresSplitWriter(std::shared_ptr<const LoadContext> load, std::string split_id);

  asio::awaitable<void> write(const RowBatch& batch) override;
  void quarantine(std::vector<QuarantinedValue> values) override;
  asio::awaitable<Committed> commit(Checkpoint checkpoint) override;
  asio::awaitable<void> abort() override;

  // So many kept values are held in memory before they are sent, between two COPYs of one transaction.
  static constexpr std::size_t kMostHeld = 2'000;

 private:
  asio::awaitable<void> begin();
  asio::awaitable<void> begin_copy();
  asio::awaitable<void> send(std::string_view tuples, std::uint32_t rows);
  asio::awaitable<Committed> commit_rows(Checkpoint checkpoint);
  asio::awaitable<void> end_copy();
  asio::awaitable<void> send_quarantined();
  // Drops the session, so that a writer that failed keeps no lock on the fence.
  void drop();

  std::shared_ptr<const LoadContext> load_;
  std::string split_id_;
  SessionPtr session_;
  bool in_transaction_ = false, in_copy_ = false;
  std::int64_t written_ = 0;  // since the last commit
  std::int64_t counted_ = 0;  // of these, by the server, in COPYs that have ended
  std::vector<QuarantinedValue> held_;
  std::vector<char> widened_;  // scratch for add_metadata
};

// Appends `tail` (two fields, each with its length) to every tuple of `tuples` and corrects the field counts.
// Throws connector.bad_row.
void widen_tuples(std::string_view tuples, std::uint32_t rows, std::string_view tail, std::vector<char>& out);

}  // namespace millrace::connectors::postgres
