// The SQLite destination: rows and checkpoints in one transaction behind a fence, a swap at the end.
//
// All modes load into a stage table beside the final one, and publish() makes the final table in one transaction. Each
// split has its own range of the stage's row numbers, so that several splits can be written by turns in short
// transactions: rows count from the transaction on that moves the split's checkpoint beyond them, and what lies beyond
// is deleted when the split is opened again. Every transaction compares the fence's token first.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "connectors/destination.h"
#include "connectors/sqlite/config.h"
#include "connectors/sqlite/database.h"
#include "connectors/sqlite/write_gate.h"

namespace millrace::connectors::sqlite {

// The writing connection of one Destination. Used under the file's gate only.
class Writing {
 public:
  Writing(Runtime runtime, SqliteConfig config);
  // Runs `work` on the blocking lane in one transaction of its own, which is rolled back if it throws.
  asio::awaitable<void> transaction(std::function<void(Database&)> work);
  asio::awaitable<void> close();

 private:
  Database& open();

  Runtime runtime_;
  SqliteConfig config_;
  std::shared_ptr<WriteGate> gate_;
  std::unique_ptr<Database> db_;
};

class SqliteDestination final : public Destination {
 public:
  SqliteDestination(Runtime runtime, SqliteConfig config);

  static std::vector<SyncMode> modes() {
    return {SyncMode::full_refresh_overwrite, SyncMode::full_refresh_append, SyncMode::full_refresh_overwrite_deduped,
            SyncMode::incremental_append, SyncMode::incremental_deduped_history};
  }

  asio::awaitable<CheckResult> check() override;
  std::vector<SyncMode> sync_modes() const override { return modes(); }
  asio::awaitable<std::unique_ptr<StreamWriter>> open_stream(StreamTarget target, std::string token,
                                                             std::uint32_t attempt) override;
  asio::awaitable<PublishResult> publish(StreamTarget target) override;
  // upkeep.cc. What does not fit is not kept here: SplitWriter::quarantine() throws destination.unsupported.
  asio::awaitable<std::vector<OwnedTable>> owned_tables(std::string connection_id) override;
  asio::awaitable<std::int64_t> clear(StreamTarget target) override;
  asio::awaitable<TakenBack> undo(StreamTarget target, std::int64_t load_id) override;
  asio::awaitable<TablePreview> preview(StreamTarget target) override;
  asio::awaitable<void> close() override;

 private:
  Runtime runtime_;
  SqliteConfig config_;
  std::shared_ptr<Writing> writing_;
};

// publish.cc: inside a transaction.
PublishResult publish_generation(Database& db, const StreamTarget& target);

}  // namespace millrace::connectors::sqlite
