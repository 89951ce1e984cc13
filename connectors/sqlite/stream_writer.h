// What one attempt does with one stream of an SQLite destination after its fence stands.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "connectors/destination.h"
#include "connectors/sqlite/destination.h"
#include "connectors/sqlite/tables.h"

namespace millrace::connectors::sqlite {

// What all splits of one opened stream share.
struct LoadContext {
  LoadContext() = default;
  StreamTarget target;
  std::string token;
  std::vector<Column> columns;
  std::shared_ptr<Writing> writing;
};

class SqliteStreamWriter final : public StreamWriter {
 public:
  SqliteStreamWriter(std::shared_ptr<const LoadContext> load, std::map<std::string, Checkpoint> committed,
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

class SqliteSplitWriter final : public SplitWriter {
 public:
  SqliteSplitWriter(std::shared_ptr<const LoadContext> load, std::string split_id, std::int64_t base, std::int64_t last)
      : load_(std::move(load)), split_id_(std::move(split_id)), base_(base), last_(last) {}

  asio::awaitable<void> write(const RowBatch& batch) override;
  asio::awaitable<Committed> commit(Checkpoint checkpoint) override;
  asio::awaitable<void> abort() override;

 private:
  // Inserts what is pending. Returns the last row number that is taken then.
  std::int64_t insert_pending(Database& db);

  std::shared_ptr<const LoadContext> load_;
  std::string split_id_;
  std::int64_t base_, last_;   // row numbers of this split: base_ + 1 to last_ are taken
  std::int64_t written_ = 0;   // since the last commit
  std::vector<char> pending_;  // tuples that are not in the file yet
  std::uint32_t pending_rows_ = 0;
};

}  // namespace millrace::connectors::sqlite
