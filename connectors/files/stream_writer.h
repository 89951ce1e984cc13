// What one attempt does with one stream of a files destination after its fence stands.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "connectors/destination.h"
#include "connectors/files/config.h"
#include "connectors/files/load_state.h"

namespace millrace::connectors::files {

// What all splits of one opened stream share.
struct LoadContext {
  LoadContext(Runtime r, FilesConfig c, StreamTarget t)
      : runtime(std::move(r)), config(std::move(c)), target(std::move(t)), places(config.path, target) {}
  Runtime runtime;
  FilesConfig config;
  StreamTarget target;
  Places places;
  std::string token;
  std::uint32_t attempt = 0;
  Schema schema;  // with the metadata columns of the mode
};

// The schema of the files: the stream's, and where the mode appends _extracted_at and _load_id.
Schema schema_of_files(const StreamTarget& target);

class FilesStreamWriter final : public StreamWriter {
 public:
  FilesStreamWriter(std::shared_ptr<const LoadContext> load, std::map<std::string, Checkpoint> committed,
                    std::optional<StoredState> state, bool finished)
      : load_(std::move(load)), committed_(std::move(committed)), state_(std::move(state)), finished_(finished) {}

  const std::map<std::string, Checkpoint>& committed() const override { return committed_; }
  std::optional<StoredState> stored_state() const override { return state_; }
  bool finished() const override { return finished_; }
  asio::awaitable<void> restart() override;
  asio::awaitable<std::unique_ptr<SplitWriter>> open_split(std::string split_id) override;
  asio::awaitable<void> finish(std::vector<std::string> splits, std::int64_t rows) override;

 private:
  std::shared_ptr<const LoadContext> load_;
  std::map<std::string, Checkpoint> committed_;
  std::optional<StoredState> state_;
  bool finished_;
};

class FilesSplitWriter final : public SplitWriter {
 public:
  FilesSplitWriter(std::shared_ptr<const LoadContext> load, std::string split_id);

  asio::awaitable<void> write(const RowBatch& batch) override;
  asio::awaitable<Committed> commit(Checkpoint checkpoint) override;
  asio::awaitable<void> abort() override;

 private:
  // Appends what is pending to the attempt's file. Under the lock, behind the fence.
  void flush();

  std::shared_ptr<const LoadContext> load_;
  std::string split_id_, file_;
  std::string metadata_;      // binary values of the metadata columns
  std::string pending_;       // lines that are not in the file yet
  std::int64_t size_ = 0;     // bytes of the attempt's file
  std::int64_t written_ = 0;  // rows since the last commit
};

}  // namespace millrace::connectors::files
