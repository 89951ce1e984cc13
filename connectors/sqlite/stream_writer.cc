#include "connectors/sqlite/stream_writer.h"

#include "common/check.h"
#include "common/errors.h"
#include "connectors/complete.h"
#include "connectors/sqlite/meta.h"
#include "connectors/sqlite/values.h"
#include "connectors/values/values.h"

namespace millrace::connectors::sqlite {
namespace {

constexpr int kSplitBits = 40;                   // row numbers of a split
constexpr std::size_t kPendingBytes = 4U << 20;  // tuples gathered for one transaction
constexpr std::int64_t kPostgresEpochUs = 946'684'800'000'000;

// Rows that a split left in the stage and never committed.
void delete_uncommitted(Database& db, const LoadContext& load, const SplitRow& row) {
  const std::string number = row_number_name(load.columns);
  Statement s = db.prepare("DELETE FROM " + quote_name(stage_name(load.target)) + " WHERE " + number + " > ? AND " +
                           number + " <= ?");
  const std::int64_t base = row.ordinal << kSplitBits;
  s.bind(1, base + row.last).bind(2, base + (std::int64_t{1} << kSplitBits) - 1);
  s.step();
}

}  // namespace

asio::awaitable<std::unique_ptr<SplitWriter>> SqliteStreamWriter::open_split(std::string split_id) {
  SplitRow row;
  std::function<void(Database&)> work = [&](Database& db) {
    require_fence(db, load_->target, load_->token);
    const auto found = split_row(db, load_->target, split_id);
    if (found) {
      row = *found;
      delete_uncommitted(db, *load_, row);
    } else {
      row.ordinal = next_ordinal(db, load_->target);
      put_split_row(db, load_->target, split_id, row);
    }
  };
  co_await load_->writing->transaction(work);
  const std::int64_t base = row.ordinal << kSplitBits;
  std::unique_ptr<SplitWriter> writer =
      std::make_unique<SqliteSplitWriter>(load_, std::move(split_id), base, base + row.last);
  co_return writer;
}

asio::awaitable<void> SqliteStreamWriter::restart() {
  std::function<void(Database&)> work = [&](Database& db) {
    require_fence(db, load_->target, load_->token);
    db.execute("DELETE FROM " + quote_name(stage_name(load_->target)));
    forget_splits(db, load_->target);
    LoadRow row = load_row(db, load_->target).value_or(LoadRow());
    row.finished = false;
    row.rows = 0;
    put_load_row(db, load_->target, row);
  };
  co_await load_->writing->transaction(work);
  committed_.clear();
  finished_ = false;
}

asio::awaitable<void> SqliteStreamWriter::finish(std::vector<std::string> splits, std::int64_t rows) {
  std::map<std::string, Checkpoint> done;
  std::function<void(Database&)> work = [&](Database& db) {
    require_fence(db, load_->target, load_->token);
    done = checkpoints(db, load_->target);
    require_complete(load_->target, done, splits, rows);
    for (const auto& [id, _] : done) delete_uncommitted(db, *load_, split_row(db, load_->target, id).value());
    LoadRow row = load_row(db, load_->target).value_or(LoadRow());
    row.finished = true;
    row.rows = rows;
    put_load_row(db, load_->target, row);
  };
  co_await load_->writing->transaction(work);
  committed_ = done;
  finished_ = true;
}

std::int64_t SqliteSplitWriter::insert_pending(Database& db) {
  std::int64_t at = last_;
  if (pending_rows_ == 0) return at;
  const StreamTarget& target = load_->target;
  const auto& fields = target.schema->fields;
  std::string marks = "?1";
  for (std::size_t i = 0; i < load_->columns.size(); ++i) marks += ", ?" + std::to_string(i + 2);
  Statement s = db.prepare("INSERT INTO " + quote_name(stage_name(target)) + " (" + row_number_name(load_->columns) +
                           ", " + column_list(load_->columns) + ") VALUES (" + marks + ")");
  const bool metadata = load_->columns.size() > fields.size();
  std::string extracted;
  if (metadata) {
    std::string binary;
    append_big_endian(binary, target.extracted_at_us - kPostgresEpochUs);
    extracted = values::to_text(Type(Kind::timestamptz, "timestamp with time zone"), binary);
  }
  const RowBatch batch = RowBatch::of_tuples(target.schema, std::move(pending_), pending_rows_);
  RowReader reader(batch);
  std::vector<RowReader::FieldView> row;
  const std::int64_t before = db.changes();
  while (reader.next(row)) {
    s.bind(1, ++at);
    for (std::size_t i = 0; i < fields.size(); ++i)
      bind_field(s.raw(), static_cast<int>(i) + 2, fields[i].type, row[i]);
    if (metadata) {
      s.bind(static_cast<int>(fields.size()) + 2, extracted);
      s.bind(static_cast<int>(fields.size()) + 3, target.load_id);
    }
    s.step();
    sqlite3_reset(s.raw());
  }
  if (db.changes() - before != pending_rows_)
    throw Error("destination.count_mismatch", "split " + split_id_ + ": " + std::to_string(pending_rows_) +
                                                  " rows were sent, SQLite counted " +
                                                  std::to_string(db.changes() - before));
  return at;
}

asio::awaitable<void> SqliteSplitWriter::write(const RowBatch& batch) {
  const std::string_view bytes = batch.bytes();
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  pending_rows_ += batch.rows();
  written_ += batch.rows();
  if (pending_.size() < kPendingBytes) co_return;
  std::int64_t last = last_;
  std::function<void(Database&)> work = [&](Database& db) {
    require_fence(db, load_->target, load_->token);
    last = insert_pending(db);
  };
  co_await load_->writing->transaction(work);
  last_ = last;
  pending_.clear();
  pending_rows_ = 0;
}

asio::awaitable<Committed> SqliteSplitWriter::commit(Checkpoint checkpoint) {
  check(checkpoint.id == split_id_, "a checkpoint belongs to the split it is committed for");
  Committed committed;
  std::int64_t last = last_;
  std::function<void(Database&)> work = [&](Database& db) {
    require_fence(db, load_->target, load_->token);
    SplitRow row = split_row(db, load_->target, split_id_).value_or(SplitRow());
    if (row.complete) throw Error("destination.count_mismatch", "split " + split_id_ + " is complete already");
    if (row.rows + written_ != checkpoint.rows)
      throw Error("destination.count_mismatch", "split " + split_id_ + ": the source counted " +
                                                    std::to_string(checkpoint.rows) + " rows, " +
                                                    std::to_string(row.rows + written_) + " would be durable");
    last = insert_pending(db);
    if (last - base_ != checkpoint.rows)
      throw Error("destination.count_mismatch", "split " + split_id_ + ": " + std::to_string(last - base_) +
                                                    " rows are in the stage, " + std::to_string(checkpoint.rows) +
                                                    " were sent");
    row.last = last - base_;
    row.rows = checkpoint.rows;
    row.state = checkpoint.state;
    row.complete = checkpoint.complete;
    put_split_row(db, load_->target, split_id_, row);
    committed.rows = row.rows;
  };
  co_await load_->writing->transaction(work);
  last_ = last;
  written_ = 0;
  pending_.clear();
  pending_rows_ = 0;
  co_return committed;
}

// What is in the file beyond the checkpoint is deleted when the split is opened again.
asio::awaitable<void> SqliteSplitWriter::abort() {
  pending_.clear();
  pending_rows_ = 0;
  co_return;
}

}  // namespace millrace::connectors::sqlite
