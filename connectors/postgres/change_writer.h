// Changes into PostgreSQL tables: one session, one transaction at a time, the position in it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "connectors/change_writer.h"
#include "connectors/postgres/change_lane.h"
#include "connectors/postgres/session_pool.h"

namespace millrace::connectors::postgres {

class PostgresChangeWriter final : public ChangeWriter {
 public:
  PostgresChangeWriter(SessionPtr session, ChangeTarget target, std::string token, std::optional<FeedPosition> position,
                       std::vector<FollowedStream> streams);

  const std::optional<FeedPosition>& position() const override { return position_; }
  bool fresh(std::size_t stream) const override { return lanes_.at(stream)->followed().fresh; }
  const std::string& load_state(std::size_t stream) const override { return lanes_.at(stream)->followed().state; }
  Lsn settled(std::size_t stream) const override { return lanes_.at(stream)->followed().settled; }
  asio::awaitable<void> begin(FeedPosition at, Lsn settled) override;
  asio::awaitable<void> write(const ChangeBatch& batch) override;
  asio::awaitable<void> commit(FeedPosition position) override;
  ChangeCounts counts(std::size_t stream) const override { return lanes_.at(stream)->committed_counts; }
  asio::awaitable<void> abort() override;

 private:
  asio::awaitable<void> open_transaction();

  SessionPtr session_;
  ChangeTarget target_;
  std::string token_;
  std::optional<FeedPosition> position_;
  std::vector<std::unique_ptr<ChangeLane>> lanes_;
  bool in_transaction_ = false;
};

// Fence, tables, columns; the writer that goes on from there. Throws destination.fenced, destination.incomplete where a
// stream was never loaded, destination.not_ours.
asio::awaitable<std::unique_ptr<ChangeWriter>> open_change_writer(SessionPtr session, ChangeTarget target,
                                                                  std::string token, std::uint32_t attempt,
                                                                  Duration wait);

}  // namespace millrace::connectors::postgres
