// SQLite as a source: tables and views of one file. Each read has a connection of its own, opened read-only, and one
// read transaction, so that a split is of one moment. A reader never waits for us in WAL mode; in the older journal
// modes a writer waits until the split is read.
#pragma once

#include <memory>

#include "connectors/source.h"
#include "connectors/sqlite/config.h"

namespace millrace::connectors::sqlite {

class SqliteSource final : public Source {
 public:
  SqliteSource(Runtime runtime, SqliteConfig config) : runtime_(std::move(runtime)), config_(std::move(config)) {}

  static std::vector<SyncMode> modes() {
    return {SyncMode::full_refresh_overwrite, SyncMode::full_refresh_append, SyncMode::full_refresh_overwrite_deduped,
            SyncMode::incremental_append, SyncMode::incremental_deduped_history};
  }

  asio::awaitable<CheckResult> check() override;
  asio::awaitable<Catalog> discover() override;
  asio::awaitable<SplitPlan> plan(ConfiguredStream stream, PlanOptions options) override;
  asio::awaitable<void> read(ConfiguredStream stream, Split split, std::optional<std::string> from,
                             BatchSink& out) override;
  asio::awaitable<void> close() override;

 private:
  Runtime runtime_;
  SqliteConfig config_;
};

}  // namespace millrace::connectors::sqlite
