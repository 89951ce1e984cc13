// The PostgreSQL destination: rows and checkpoints in one transaction behind a fence, a swap at the end.
//
// Overwrite loads into millrace.stage_* and publish() swaps it in. Append writes straight into the final table, in the
// same transactions as the checkpoints, and marks its rows by _load_id; without metadata columns it can't tell its rows
// from others, so it loads aside too and publish() inserts them in one transaction. The fence: see DESIGN.md and
// traps.md, "A dead client's COMMIT still commits". A data transaction holds the stream's row of millrace.loads FOR
// SHARE, so open_stream(), which takes it FOR UPDATE, waits for every COMMIT that is on its way, and reads the
// checkpoints only after its own token stands.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "connectors/destination.h"
#include "connectors/postgres/config.h"
#include "connectors/postgres/session_pool.h"

namespace millrace::connectors::postgres {

// True if the rows of `target` have _extracted_at and _load_id.
bool has_metadata(const StreamTarget& target);
// True if rows of `target` go straight into the final table.
bool writes_in_place(const StreamTarget& target);

class PostgresDestination final : public Destination {
 public:
  PostgresDestination(Runtime runtime, PostgresConfig config);

  asio::awaitable<CheckResult> check() override;
  std::vector<SyncMode> sync_modes() const override { return modes(); }
  static std::vector<SyncMode> modes() {
    return {SyncMode::full_refresh_overwrite, SyncMode::full_refresh_append, SyncMode::full_refresh_overwrite_deduped,
            SyncMode::incremental_append, SyncMode::incremental_deduped_history};
  }
  asio::awaitable<std::unique_ptr<StreamWriter>> open_stream(StreamTarget target, std::string token,
                                                             std::uint32_t attempt) override;
  asio::awaitable<PublishResult> publish(StreamTarget target) override;
  asio::awaitable<std::vector<OwnedTable>> owned_tables(std::string connection_id) override;
  asio::awaitable<std::int64_t> clear(StreamTarget target) override;
  asio::awaitable<TakenBack> undo(StreamTarget target, std::int64_t load_id) override;
  asio::awaitable<TablePreview> preview(StreamTarget target) override;
  asio::awaitable<std::vector<QuarantinedRow>> quarantined(std::string connection_id, std::optional<StreamName> stream,
                                                           std::int64_t after, std::size_t limit) override;
  asio::awaitable<std::unique_ptr<ChangeWriter>> open_changes(ChangeTarget target, std::string token,
                                                              std::uint32_t attempt) override;
  asio::awaitable<void> close() override;

 private:
  StreamTarget with_defaults(StreamTarget target) const;

  PostgresConfig config_;
  std::shared_ptr<SessionPool> pool_;
};

}  // namespace millrace::connectors::postgres
