// The feed of a PostgreSQL source: one slot, one publication, one reader of the log.
//
// Where reading begins, and what is refused (start()). The server hands out from the greater of what it is asked for
// and what the slot was last confirmed at, without a word: so the two are compared here first, and a slot that stands
// behind nothing that we have is the only one that is read. A slot that is missing, lost or of another cluster, or that
// somebody else moved past our position, is an error that names both ends; nothing is skipped and nothing is taken for
// granted from a slot of the same name.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "cdc/transaction_spool.h"
#include "connectors/change.h"
#include "connectors/postgres/config.h"
#include "connectors/postgres/session_pool.h"

namespace millrace::cdc {

class PostgresFeed final : public connectors::ChangeFeed {
 public:
  PostgresFeed(Runtime runtime, connectors::postgres::PostgresConfig config, SpoolOptions spool);

  asio::awaitable<connectors::FeedPosition> now() override;
  asio::awaitable<connectors::FeedPosition> start(std::optional<connectors::FeedPosition> stored,
                                                  std::vector<connectors::FeedStream> streams,
                                                  std::vector<bool> fresh) override;
  asio::awaitable<void> follow(std::vector<connectors::FeedStream> streams, connectors::Lsn from, connectors::Lsn until,
                               connectors::ChangeSink& out) override;
  void confirm(connectors::Lsn lsn) override;
  asio::awaitable<connectors::FeedStatus> status() override;
  asio::awaitable<void> close() override;

  // ---- for a run of follow() ----
  Runtime runtime() const { return runtime_; }
  const connectors::postgres::PostgresConfig& config() const { return config_; }
  const SpoolOptions& spool() const { return spool_; }
  connectors::postgres::SessionPool& pool() { return pool_; }
  // What may be told to the server: confirmed, and no further than what was handed out.
  connectors::Lsn confirmed() const { return std::min(confirmed_.load(), handed_out_.load()); }
  void handed_out(connectors::Lsn lsn) { handed_out_.store(std::max(handed_out_.load(), lsn)); }

 private:
  Runtime runtime_;
  connectors::postgres::PostgresConfig config_;
  SpoolOptions spool_;
  connectors::postgres::SessionPool pool_;
  std::atomic<connectors::Lsn> confirmed_{0};
  std::atomic<connectors::Lsn> handed_out_{0};
};

}  // namespace millrace::cdc
