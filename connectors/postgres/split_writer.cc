#include "connectors/postgres/split_writer.h"

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "common/byte_order.h"
#include "common/check.h"
#include "common/errors.h"
#include "connectors/change_columns.h"
#include "connectors/postgres/meta.h"
#include "connectors/postgres/names.h"

namespace millrace::connectors::postgres {
namespace {

constexpr std::string_view kHeader{"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19};
constexpr std::string_view kTrailer{"\377\377", 2};
constexpr std::int64_t kPostgresEpochUs = 946'684'800'000'000;  // 2000-01-01 in microseconds since 1970

std::string metadata_tail(const StreamTarget& target) {
  std::string tail;
  append_big_endian(tail, std::int32_t{8});
  append_big_endian(tail, target.extracted_at_us - kPostgresEpochUs);
  append_big_endian(tail, std::int32_t{8});
  append_big_endian(tail, target.load_id);
  return tail;
}

std::string hex_of(const std::string& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

}  // namespace

void widen_tuples(std::string_view tuples, std::uint32_t rows, std::string_view tail, std::vector<char>& out) {
  connectors::widen_tuples(tuples, rows, tail, 2, out);
}

PostgresSplitWriter::PostgresSplitWriter(std::shared_ptr<const LoadContext> load, std::string split_id)
    : load_(std::move(load)), split_id_(std::move(split_id)) {}

asio::awaitable<void> PostgresSplitWriter::begin() {
  if (in_transaction_) co_return;
  if (!session_) session_ = co_await load_->pool->take();
  // By this name a newer attempt finds the sessions that stand in its way.
  co_await session_->execute("BEGIN; SET LOCAL application_name = " +
                             net::quote_literal(data_session_name(load_->target)));
  in_transaction_ = true;
  co_await require_fence(*session_, load_->target, load_->token, RowLock::share);
}

asio::awaitable<void> PostgresSplitWriter::begin_copy() {
  co_await begin();
  co_await session_->copy_in_begin(load_->copy_sql);
  in_copy_ = true;
  co_await session_->copy_in_write(kHeader);
}

asio::awaitable<void> PostgresSplitWriter::send(std::string_view tuples, std::uint32_t rows) {
  if (!in_copy_) co_await begin_copy();
  if (load_->add_metadata) {
    const std::string tail = metadata_tail(load_->target);
    widen_tuples(tuples, rows, tail, widened_);
    tuples = {widened_.data(), widened_.size()};
  }
  co_await session_->copy_in_write(tuples);
  written_ += rows;
}

void PostgresSplitWriter::quarantine(std::vector<QuarantinedValue> values) {
  held_.insert(held_.end(), std::make_move_iterator(values.begin()), std::make_move_iterator(values.end()));
}

asio::awaitable<void> PostgresSplitWriter::end_copy() {
  if (!in_copy_) co_return;
  co_await session_->copy_in_write(kTrailer);
  in_copy_ = false;
  counted_ += co_await session_->copy_in_end();
}

asio::awaitable<void> PostgresSplitWriter::send_quarantined() {
  if (held_.empty()) co_return;
  nlohmann::json list = nlohmann::json::array();
  for (const auto& v : held_)
    list.push_back({{"n", v.row},
                    {"k", nlohmann::json::parse(v.key, nullptr, false)},
                    {"f", v.field},
                    {"w", v.wanted},
                    {"r", v.reason},
                    {"v", hex_of(v.bytes)}});
  held_.clear();
  Parameters parameters = stream_key(load_->target);
  parameters.emplace_back(std::to_string(load_->target.load_id));
  parameters.emplace_back(split_id_);
  parameters.emplace_back(list.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  co_await session_->query(
      "INSERT INTO millrace.quarantine (connection_id, stream_namespace, stream_name, load_id, split_id, row_number, "
      "key, field, wanted, reason, value) SELECT $1, $2, $3, $4::bigint, $5, n, coalesce(k, '{}'), f, w, r, "
      "decode(v, 'hex') FROM jsonb_to_recordset($6::jsonb) AS x(n bigint, k jsonb, f text, w text, r text, v text)",
      parameters);
}

asio::awaitable<void> PostgresSplitWriter::write(const RowBatch& batch) {
  if (batch.empty()) co_return;
  std::exception_ptr failure;
  try {
    if (held_.size() >= kMostHeld) {
      co_await begin();
      co_await end_copy();
      co_await send_quarantined();
    }
    co_await send(batch.bytes(), batch.rows());
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return;
  drop();
  std::rethrow_exception(failure);
}

asio::awaitable<Committed> PostgresSplitWriter::commit(Checkpoint checkpoint) {
  std::exception_ptr failure;
  Committed committed;
  try {
    committed = co_await commit_rows(std::move(checkpoint));
  } catch (...) {
    failure = std::current_exception();
  }
  if (!failure) co_return committed;
  drop();
  std::rethrow_exception(failure);
}

asio::awaitable<Committed> PostgresSplitWriter::commit_rows(Checkpoint checkpoint) {
  check(checkpoint.id == split_id_, "a checkpoint belongs to the split it is committed for");
  co_await begin();
  co_await end_copy();
  co_await send_quarantined();
  const std::int64_t counted = counted_;
  if (counted != written_)
    throw Error("destination.count_mismatch", "split " + split_id_ + ": " + std::to_string(written_) +
                                                  " rows were sent, the server counted " + std::to_string(counted));

  Parameters parameters = stream_key(load_->target);
  parameters.emplace_back(std::to_string(load_->target.generation));
  parameters.emplace_back(split_id_);
  parameters.emplace_back(checkpoint.state);
  parameters.emplace_back(std::to_string(counted));
  parameters.emplace_back(checkpoint.complete ? "true" : "false");
  const auto stored = co_await session_->query(
      "INSERT INTO millrace.checkpoints AS c (connection_id, stream_namespace, stream_name, generation, split_id, "
      "state, rows, complete) "
      "VALUES ($1, $2, $3, $4::bigint, $5, $6, $7::bigint, $8::boolean) "
      "ON CONFLICT (connection_id, stream_namespace, stream_name, generation, split_id) DO UPDATE SET "
      "state = EXCLUDED.state, rows = c.rows + EXCLUDED.rows, complete = EXCLUDED.complete, committed_at = now() "
      "WHERE NOT c.complete RETURNING rows",
      parameters);
  if (stored.rows.empty()) throw Error("destination.count_mismatch", "split " + split_id_ + " is complete already");
  Committed committed;
  committed.rows = std::strtoll(stored.at(0, 0).c_str(), nullptr, 10);
  if (committed.rows != checkpoint.rows)
    throw Error("destination.count_mismatch", "split " + split_id_ + ": the source counted " +
                                                  std::to_string(checkpoint.rows) + " rows, " +
                                                  std::to_string(committed.rows) + " would be durable");
  co_await session_->execute("COMMIT");
  in_transaction_ = false;
  written_ = counted_ = 0;
  if (checkpoint.complete) load_->pool->give_back(std::move(session_));
  co_return committed;
}

// Closing the session is the abort: the server rolls back, and nothing has to be waited for.
void PostgresSplitWriter::drop() {
  if (session_ && !in_transaction_) load_->pool->give_back(std::move(session_));
  session_.reset();
  in_transaction_ = in_copy_ = false;
  written_ = counted_ = 0;
  held_.clear();
}

asio::awaitable<void> PostgresSplitWriter::abort() {
  drop();
  co_return;
}

}  // namespace millrace::connectors::postgres
