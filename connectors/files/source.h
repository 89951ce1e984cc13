// CSV and JSONL files as a source: a split is one file or a few, read whole. Blocking work is on the blocking lane.
#pragma once

#include "connectors/files/config.h"
#include "connectors/files/listing.h"
#include "connectors/source.h"

namespace millrace::connectors::files {

// What file_columns adds, named as in Airbyte's sources of files.
inline constexpr const char* kFileUrl = "_ab_source_file_url";
inline constexpr const char* kFileModified = "_ab_source_file_last_modified";

class FilesSource final : public Source {
 public:
  FilesSource(Runtime runtime, FilesConfig config) : runtime_(std::move(runtime)), config_(std::move(config)) {}

  // Of the whole connector; the incremental ones need file_columns, the deduped ones a key that the user names.
  static std::vector<SyncMode> modes() {
    return {SyncMode::full_refresh_overwrite, SyncMode::full_refresh_append, SyncMode::full_refresh_overwrite_deduped,
            SyncMode::incremental_append, SyncMode::incremental_deduped_history};
  }

  asio::awaitable<CheckResult> check() override;
  asio::awaitable<Catalog> discover() override;
  asio::awaitable<SplitPlan> plan(ConfiguredStream stream, PlanOptions options) override;
  // Bounds are {"files": [{"path", "size", "modified"}]}.
  asio::awaitable<void> read(ConfiguredStream stream, Split split, std::optional<std::string> from,
                             BatchSink& out) override;
  asio::awaitable<void> close() override;

 private:
  Runtime runtime_;
  FilesConfig config_;
};

}  // namespace millrace::connectors::files
