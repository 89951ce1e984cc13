#include "connectors/postgres/stream_writer.h"

#include "common/errors.h"
#include "connectors/complete.h"
#include "connectors/postgres/destination.h"
#include "connectors/postgres/meta.h"
#include "connectors/postgres/names.h"

namespace millrace::connectors::postgres {
PostgresStreamWriter::PostgresStreamWriter(std::shared_ptr<const LoadContext> load,
                                           std::map<std::string, Checkpoint> committed,
                                           std::optional<StoredState> state, bool finished)
    : load_(std::move(load)), committed_(std::move(committed)), state_(std::move(state)), finished_(finished) {}

asio::awaitable<std::unique_ptr<SplitWriter>> PostgresStreamWriter::open_split(std::string split_id) {
  std::unique_ptr<SplitWriter> writer = std::make_unique<PostgresSplitWriter>(load_, std::move(split_id));
  co_return writer;
}

asio::awaitable<void> PostgresStreamWriter::restart() {
  const StreamTarget& target = load_->target;
  SessionPtr session = co_await load_->pool->take();
  co_await session->execute("BEGIN");
  co_await require_fence(*session, target, load_->token, RowLock::update);
  if (writes_in_place(target)) {
    const Parameters load{std::to_string(target.load_id)};
    const std::string sql =
        "DELETE FROM " + final_table(target) + " WHERE " + net::quote_identifier(kLoadId) + " = $1::bigint";
    co_await session->query(sql, load);
  } else {
    const std::string sql = "TRUNCATE " + helper_table(stage_name(target));
    co_await session->execute(sql);
  }
  co_await forget_quarantined(*session, target, target.load_id);
  Parameters key = stream_key(target);
  co_await session->query(
      "DELETE FROM millrace.checkpoints WHERE connection_id = $1 AND stream_namespace = $2 AND stream_name = $3", key);
  co_await session->query(
      "UPDATE millrace.loads SET finished = false, rows = 0 WHERE connection_id = $1 AND stream_namespace = $2 AND "
      "stream_name = $3",
      key);
  co_await session->execute("COMMIT");
  load_->pool->give_back(std::move(session));
  committed_.clear();
  finished_ = false;
}

asio::awaitable<void> PostgresStreamWriter::finish(std::vector<std::string> splits, std::int64_t rows) {
  const StreamTarget& target = load_->target;
  SessionPtr session = co_await load_->pool->take();
  co_await session->execute("BEGIN");
  co_await require_fence(*session, target, load_->token, RowLock::update);
  const auto done = co_await load_checkpoints(*session, target);
  require_complete(target, done, splits, rows);
  Parameters parameters = stream_key(target);
  parameters.emplace_back(std::to_string(rows));
  co_await session->query(
      "UPDATE millrace.loads SET finished = true, rows = $4::bigint "
      "WHERE connection_id = $1 AND stream_namespace = $2 AND stream_name = $3",
      parameters);
  co_await session->execute("COMMIT");
  load_->pool->give_back(std::move(session));
  committed_ = done;
  finished_ = true;
}

}  // namespace millrace::connectors::postgres
