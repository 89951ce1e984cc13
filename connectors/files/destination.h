// CSV or JSONL files as a destination. A stream is a directory; each split of a load is a file in it.
//
//   <path>/<namespace>/<stream>/<generation>-<split>-<attempt>.jsonl    what readers see, and _millrace.json
//   <path>/.millrace/<stream hash>/load.json                            fence and state of the newest load
//                                  <generation>/                        files of a load that is not published yet
//                                  <generation>.splits/<split>.json     checkpoints: files and the bytes that count
//                                  former/                              what the last overwrite replaced
//
// Everything that changes one of these holds the stream's lock and has compared the fence's token under it, so nothing
// of an older attempt comes after a newer one. A commit syncs the split's file, then renames its checkpoint into place:
// bytes beyond a checkpoint were never committed and are cut off. publish() swaps the whole directory in one step
// (overwrite), or renames file by file into it (append); readers never see half a file.
#pragma once

#include <memory>
#include <string>

#include "connectors/destination.h"
#include "connectors/files/config.h"

namespace millrace::connectors::files {

class FilesDestination final : public Destination {
 public:
  FilesDestination(Runtime runtime, FilesConfig config) : runtime_(std::move(runtime)), config_(std::move(config)) {}

  // Files can't be merged into, so there is no mode that dedupes.
  static std::vector<SyncMode> modes() {
    return {SyncMode::full_refresh_overwrite, SyncMode::full_refresh_append, SyncMode::incremental_append};
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
  FilesConfig config_;
};

}  // namespace millrace::connectors::files
