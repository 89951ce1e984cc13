// The PostgreSQL source with `replication_method: CDC`.
//
// Full refreshes are read as ever. A stream in an incremental mode is loaded once, in the same key ranges as a full
// refresh, and then followed by the log (handover.h says how the two meet): plan() makes the publication and the slot
// where they are missing, and its state is where the load meets the log. The rows of a load get the columns that the
// mode adds: in a log of changes the operation `r`, in a table of rows the position of the load.
#pragma once

#include <memory>

#include "cdc/transaction_spool.h"
#include "connectors/postgres/source.h"

namespace millrace::cdc {

class CdcSource final : public connectors::Source {
 public:
  CdcSource(Runtime runtime, connectors::postgres::PostgresConfig config, SpoolOptions spool);

  asio::awaitable<connectors::CheckResult> check() override;
  asio::awaitable<connectors::Catalog> discover() override;
  asio::awaitable<connectors::SplitPlan> plan(connectors::ConfiguredStream stream,
                                              connectors::PlanOptions options) override;
  asio::awaitable<void> read(connectors::ConfiguredStream stream, connectors::Split split,
                             std::optional<std::string> from, connectors::BatchSink& out) override;
  std::shared_ptr<connectors::ChangeFeed> change_feed() override;
  asio::awaitable<void> close() override;

 private:
  Runtime runtime_;
  connectors::postgres::PostgresConfig config_;
  SpoolOptions spool_;
  connectors::postgres::PostgresSource inner_;
  connectors::postgres::SessionPool pool_;
};

}  // namespace millrace::cdc
