#include "connectors/postgres/change_writer.h"

#include "common/errors.h"
#include "connectors/change_columns.h"
#include "connectors/postgres/change_tables.h"
#include "connectors/postgres/meta.h"
#include "connectors/postgres/names.h"

namespace millrace::connectors::postgres {

PostgresChangeWriter::PostgresChangeWriter(SessionPtr session, ChangeTarget target, std::string token,
                                           std::optional<FeedPosition> position, std::vector<FollowedStream> streams)
    : session_(std::move(session)),
      target_(std::move(target)),
      token_(std::move(token)),
      position_(std::move(position)) {
  for (std::size_t i = 0; i < target_.streams.size(); ++i)
    lanes_.push_back(std::make_unique<ChangeLane>(target_.streams[i], std::move(streams[i]), i));
}

asio::awaitable<void> PostgresChangeWriter::open_transaction() {
  if (in_transaction_) co_return;
  co_await session_->execute("BEGIN");
  in_transaction_ = true;
}

asio::awaitable<void> PostgresChangeWriter::begin(FeedPosition at, Lsn settled) {
  co_await open_transaction();
  for (const auto& lane : lanes_) {
    FollowedStream& followed = lane->followed();
    if (!followed.fresh) continue;
    followed.settled = settled;
    followed.fresh = false;
    co_await store_followed(*session_, lane->target(), followed);
  }
  co_await leave_others_out(*session_, target_);
  co_await store_position(*session_, target_.connection_id, token_, at);
  co_await session_->execute("COMMIT");
  in_transaction_ = false;
  position_ = std::move(at);
}

asio::awaitable<void> PostgresChangeWriter::write(const ChangeBatch& batch) {
  if (batch.changes().empty()) co_return;
  co_await open_transaction();
  for (const Change& change : batch.changes()) {
    ChangeLane& lane = *lanes_.at(change.stream);
    if (!lane.add(batch, change)) co_await lane.apply_alone(*session_, batch, change);
    if (lane.full()) co_await lane.flush(*session_);
  }
}

asio::awaitable<void> PostgresChangeWriter::commit(FeedPosition position) {
  co_await open_transaction();
  for (const auto& lane : lanes_) {
    co_await lane->flush(*session_);
    co_await lane->settle(*session_, position.lsn);
  }
  co_await store_position(*session_, target_.connection_id, token_, position);
  co_await session_->execute("COMMIT");
  in_transaction_ = false;
  position_ = std::move(position);
  for (const auto& lane : lanes_) {
    lane->committed_counts.changes += lane->open_counts.changes;
    lane->committed_counts.bytes += lane->open_counts.bytes;
    lane->open_counts = ChangeCounts();
  }
}

// Closing the session is the abort: the server rolls back, and nothing has to be waited for.
asio::awaitable<void> PostgresChangeWriter::abort() {
  session_.reset();
  in_transaction_ = false;
  co_return;
}

namespace {

// The table is there, ours, and has the columns.
asio::awaitable<void> prepare_table(net::PostgresSession& session, ChangeStreamTarget stream) {
  StreamTarget target = stream.target;
  target.schema =
      std::make_shared<const Schema>(with_change_columns(*target.schema, target.sync_mode, stream.soft_delete));
  target.metadata_columns = false;
  const std::string ns = identifier_that_fits(target.ns), name = identifier_that_fits(target.name);
  const std::int64_t oid = co_await relation_oid(session, ns, name);
  const auto mark = co_await table_mark(session, ns, name);
  if (oid == 0) throw Error("destination.incomplete", final_table(target) + " is gone");
  if (!mark || mark->relation != oid || mark->connection_id != target.connection_id ||
      mark->stream != target.source_name)
    throw Error("destination.not_ours", final_table(target) + " was made by somebody else");
  co_await match_columns(session, final_table(target), columns_of(target), target.renamed);
}

}  // namespace

asio::awaitable<std::unique_ptr<ChangeWriter>> open_change_writer(SessionPtr session, ChangeTarget target,
                                                                  std::string token, std::uint32_t attempt,
                                                                  Duration wait) {
  co_await ensure_meta(*session);
  co_await ensure_change_tables(*session);
  auto position = co_await take_change_fence(*session, target, token, attempt, wait);
  std::vector<FollowedStream> streams;
  for (const auto& stream : target.streams) {
    FollowedStream followed = co_await followed_stream(*session, stream.target);
    if (!followed.loaded)
      throw Error("destination.incomplete", stream.target.source_name.text() + " has no load to go on from");
    if (followed.left_out)
      throw Error("cdc.gap", stream.target.source_name.text() +
                                 " was not followed for a while, and the position has moved on: it needs a new load");
    co_await prepare_table(*session, stream);
    streams.push_back(std::move(followed));
  }
  // By this name a newer attempt finds the session. The stage has no statistics: without these the planner reads the
  // whole table to join it.
  const std::string setup = "SET application_name = " + net::quote_literal(change_session_name(target.connection_id)) +
                            "; SET enable_hashjoin = off; SET enable_mergejoin = off; SET synchronous_commit = on";
  co_await session->execute(setup);
  std::unique_ptr<ChangeWriter> writer = std::make_unique<PostgresChangeWriter>(
      std::move(session), std::move(target), std::move(token), std::move(position), std::move(streams));
  co_return writer;
}

}  // namespace millrace::connectors::postgres
