// StreamWriter of a PostgreSQL destination: what one attempt does with one stream after its fence stands.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "connectors/destination.h"
#include "connectors/postgres/split_writer.h"

namespace millrace::connectors::postgres {

class PostgresStreamWriter final : public StreamWriter {
 public:
  PostgresStreamWriter(std::shared_ptr<const LoadContext> load, std::map<std::string, Checkpoint> committed,
                       std::optional<StoredState> state, bool finished);

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

}  // namespace millrace::connectors::postgres
