#include "cdc/source.h"

#include "cdc/feed.h"
#include "cdc/handover.h"
#include "cdc/pgoutput.h"
#include "cdc/slot_care.h"
#include "common/byte_order.h"
#include "common/errors.h"
#include "connectors/change_columns.h"

namespace millrace::cdc {

using connectors::Catalog;
using connectors::CheckResult;
using connectors::ConfiguredStream;
using connectors::RowBatch;
using connectors::SchemaPtr;
using connectors::Split;
using connectors::SplitPlan;
using connectors::SyncMode;

CdcSource::CdcSource(Runtime runtime, connectors::postgres::PostgresConfig config, SpoolOptions spool)
    : runtime_(runtime),
      config_(config),
      spool_(std::move(spool)),
      inner_(runtime, config),
      pool_(runtime, config_.parameters, connectors::postgres::pinned_settings()) {}

asio::awaitable<CheckResult> CdcSource::check() {
  CheckResult result = co_await inner_.check();
  if (!result.ok) co_return result;
  std::vector<std::string> warnings = result.warnings;
  try {
    auto session = co_await pool_.take();
    co_await require_server(*session, *config_.replication, warnings);
    const Catalog catalog = co_await connectors::postgres::read_catalog(*session, config_.schemas);
    for (const auto& stream : catalog.streams) {
      if (stream.is_view) continue;
      std::string sql;
      const std::string fault = co_await identity_fault(*session, stream.name, {}, sql);
      if (!fault.empty()) warnings.push_back(stream.name.text() + " can't be followed: " + fault + "; run: " + sql);
    }
    pool_.give_back(std::move(session));
    co_await identify_system(runtime_, config_.parameters);
  } catch (const Error& e) {
    result = connectors::postgres::failed_check(e);
  }
  result.warnings = std::move(warnings);
  co_return result;
}

asio::awaitable<Catalog> CdcSource::discover() {
  Catalog catalog = co_await inner_.discover();
  for (auto& stream : catalog.streams) {
    if (stream.is_view) continue;
    stream.source_defined_cursor = stream.follows_log = true;
    stream.cursor_candidates.clear();
    stream.sync_modes = connectors::postgres::source_modes();
  }
  co_return catalog;
}

namespace {

// A load of a stream that is followed afterwards has the columns that the mode adds; the table itself has not.
ConfiguredStream without_change_columns(ConfiguredStream stream) {
  auto schema = std::make_shared<connectors::Schema>();
  for (const auto& f : stream.schema->fields)
    if (!connectors::is_change_column(f)) schema->fields.push_back(f);
  stream.schema = std::move(schema);
  return stream;
}

bool is_followed(const ConfiguredStream& stream) {
  for (const auto& f : stream.schema->fields)
    if (connectors::is_change_column(f)) return true;
  return false;
}

// The values of those columns in every row of a load.
std::string load_tail(const connectors::Schema& schema, connectors::Lsn lsn, std::int64_t now_us, int& fields) {
  std::string tail;
  fields = 0;
  for (const auto& f : schema.fields) {
    if (!connectors::is_change_column(f)) continue;
    ++fields;
    if (f.name == connectors::kChangeLsn) {
      append_big_endian(tail, std::int32_t{8});
      append_big_endian(tail, lsn);
    } else if (f.name == connectors::kChangeOp) {
      append_big_endian(tail, std::int32_t{1});
      tail += 'r';
    } else if (f.name == connectors::kChangeSeq) {
      append_big_endian(tail, std::int32_t{8});
      append_big_endian(tail, std::int64_t{0});
    } else if (f.name == connectors::kChangeTime) {
      append_big_endian(tail, std::int32_t{8});
      append_big_endian(tail, now_us - kPostgresEpochUs);
    } else {
      append_big_endian(tail, connectors::kNullField);
    }
  }
  return tail;
}

// Gives every row its tail on its way.
class WideningSink final : public connectors::BatchSink {
 public:
  WideningSink(connectors::BatchSink& out, SchemaPtr schema, std::string tail, int fields)
      : out_(out), schema_(std::move(schema)), tail_(std::move(tail)), fields_(fields) {}

  asio::awaitable<void> write(RowBatch batch) override {
    std::vector<char> wide = out_.buffer();
    const std::uint32_t rows = batch.rows();
    connectors::widen_tuples(batch.bytes(), rows, tail_, fields_, wide);
    spare_ = std::move(batch).take_arena();
    co_await out_.write(RowBatch::of_tuples(schema_, std::move(wide), rows));
  }
  asio::awaitable<void> checkpoint(connectors::Checkpoint checkpoint) override {
    co_await out_.checkpoint(std::move(checkpoint));
  }
  std::vector<char> buffer() override {
    std::vector<char> out = std::move(spare_);
    out.clear();
    return out;
  }

 private:
  connectors::BatchSink& out_;
  SchemaPtr schema_;
  std::string tail_;
  int fields_;
  std::vector<char> spare_;
};

}  // namespace

asio::awaitable<SplitPlan> CdcSource::plan(ConfiguredStream stream, connectors::PlanOptions options) {
  if (!is_followed(stream)) {
    SplitPlan plan = co_await inner_.plan(std::move(stream), options);
    co_return plan;
  }
  const auto& replication = *config_.replication;
  const SystemIdentity identity = co_await identify_system(runtime_, config_.parameters);
  auto session = co_await pool_.take();
  std::string sql;
  const std::string fault = co_await identity_fault(*session, stream.name, stream.primary_key, sql);
  if (!fault.empty()) throw Error("cdc.replica_identity", stream.name.text() + ": " + fault + "; run: " + sql);
  // The publication first: a slot can't decode what was written before the publication was there.
  co_await ensure_publication(*session, replication.publication, stream.name);
  const SlotFacts slot = co_await ensure_slot(*session, replication.slot);
  LoadState state;
  state.slot = replication.slot;
  state.system = identity.system;
  state.lsn = slot.confirmed;
  state.snapshot = co_await settled_snapshot(runtime_, *session);
  pool_.give_back(std::move(session));

  ConfiguredStream whole = without_change_columns(std::move(stream));
  whole.sync_mode = SyncMode::full_refresh_overwrite;
  whole.state.clear();
  SplitPlan plan = co_await inner_.plan(std::move(whole), options);
  plan.state = to_json(state);
  co_return plan;
}

asio::awaitable<void> CdcSource::read(ConfiguredStream stream, Split split, std::optional<std::string> from,
                                      connectors::BatchSink& out) {
  if (!is_followed(stream)) {
    co_await inner_.read(std::move(stream), std::move(split), std::move(from), out);
    co_return;
  }
  // Before the part is read: the row is at least as new as this position.
  auto session = co_await pool_.take();
  const auto found = co_await session->query(
      "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() ELSE "
      "pg_catalog.pg_current_wal_lsn() END",
      {});
  pool_.give_back(std::move(session));
  int fields = 0;
  std::string tail =
      load_tail(*stream.schema, connectors::parse_lsn(found.at(0, 0)).value_or(0), to_micros(runtime_.now()), fields);
  WideningSink sink(out, stream.schema, std::move(tail), fields);
  ConfiguredStream narrow = without_change_columns(std::move(stream));
  narrow.sync_mode = SyncMode::full_refresh_overwrite;
  co_await inner_.read(std::move(narrow), std::move(split), std::move(from), sink);
}

std::shared_ptr<connectors::ChangeFeed> CdcSource::change_feed() {
  return std::make_shared<PostgresFeed>(runtime_, config_, spool_);
}

asio::awaitable<void> CdcSource::close() {
  pool_.close();
  co_await inner_.close();
}

}  // namespace millrace::cdc
