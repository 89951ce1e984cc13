// Planning splits.
//
// Boundaries of key ranges are quantiles of a sample: TABLESAMPLE SYSTEM reads a few blocks spread over the table,
// their keys are put in order, and every (1/n)th is a boundary. The ranges need not be equal; they must only cover
// everything, so the first is open below and the last above, and a row is in exactly one because "key < b" and "key >=
// b" are each other's negation for keys that are not null.
#include <algorithm>
#include <cstdio>

#include "common/errors.h"
#include "connectors/postgres/source.h"
#include "connectors/postgres/source_cursor.h"
#include "connectors/postgres/source_xmin.h"

namespace millrace::connectors::postgres {
namespace {

std::string split_id(std::size_t n) {
  char text[16];
  std::snprintf(text, sizeof text, "%04zu", n);
  return text;
}

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// A split is what a crash can cost, and each has its price: two statements, two transactions, buffers that are cold. So
// there are a few in a table of middling size, and many large ones in a large one; and as many for each reader.
std::int64_t splits_for(std::int64_t rows, const PlanOptions& options) {
  constexpr std::int64_t kFewest = 4;
  const std::int64_t per_split = options.rows_per_split > 0 ? options.rows_per_split
                                                            : std::clamp(rows / kFewest, PostgresSource::kRowsPerSplit,
                                                                         PostgresSource::kMostRowsPerSplit);
  const auto parallel = static_cast<std::int64_t>(std::max<std::size_t>(options.parallel, 1));
  const std::int64_t about = (rows + per_split / 2) / per_split;
  const std::int64_t for_each_reader = std::max<std::int64_t>(divide_up(about, parallel), 1);
  const std::int64_t most = rows / std::min(PostgresSource::kMinRowsPerSplit, per_split);
  return std::clamp<std::int64_t>(for_each_reader * parallel, 1,
                                  std::clamp<std::int64_t>(most, 1, PostgresSource::kMaxSplits));
}

SplitPlan whole(const Relation& relation, std::int64_t rows) {
  Bounds bounds;
  bounds.relation = relation.kind;
  Split split;
  split.id = split_id(0);
  split.bounds = to_json(bounds);
  split.rows_estimate = rows;
  SplitPlan plan;
  plan.splits.push_back(std::move(split));
  // One statement: one moment; and it is all or nothing, so a later attempt may as well read it again.
  plan.consistency = Consistency::one_snapshot;
  plan.resumable = true;
  return plan;
}

void restrict_to(SplitPlan& plan, const CursorBounds& cursor) {
  for (Split& split : plan.splits) {
    Bounds bounds = bounds_from_json(split.bounds);
    bounds.cursor = cursor;
    split.bounds = to_json(bounds);
  }
}

void restrict_to(SplitPlan& plan, const std::string& xmin) {
  for (Split& split : plan.splits) {
    Bounds bounds = bounds_from_json(split.bounds);
    bounds.xmin = xmin;
    split.bounds = to_json(bounds);
  }
}

}  // namespace

asio::awaitable<SplitPlan> PostgresSource::plan(ConfiguredStream stream, PlanOptions options) {
  SessionPtr session = co_await pool_.take();
  const Relation relation = co_await read_relation(*session, stream.name);
  CursorRead cursor;
  XminRead xmin;
  const bool by_xmin = config_.xmin && (relation.kind == 'r' || relation.kind == 'p');
  if (is_incremental(stream.sync_mode) && by_xmin) {
    xmin = co_await look_at_xmin(*session, stream);
    cursor.first = !xmin.from;
    cursor.state = xmin.state;
    cursor.notes = xmin.notes;
  } else if (is_incremental(stream.sync_mode)) {
    cursor = co_await look_at_cursor(*session, stream, relation.kind);
  }
  const bool table = relation.kind == 'r' || relation.kind == 'p' || relation.kind == 'm';
  std::int64_t rows = -1;
  if (table) rows = co_await estimate_rows(*session, "SELECT 1 FROM " + from_clause(stream.name, relation.kind));

  const std::int64_t splits = table ? splits_for(rows, options) : 1;
  const auto parallel = static_cast<std::int64_t>(options.parallel);
  const bool by_key = splits > 1 && config_.read_method != ReadMethod::snapshot && !relation.key.empty();
  // Before version 14 each range of blocks would be a scan of the whole table.
  const bool by_blocks = splits > 1 && parallel > 1 && relation.kind != 'p' && session->server_version() >= 140000;
  SplitPlan plan;
  if (is_incremental(stream.sync_mode) && !cursor.first) {
    plan = whole(relation, -1);
    if (cursor.nothing_new) plan.splits.clear();
  } else if (stream.limit > 0) {
    plan = whole(relation, rows);
  } else if (by_key) {
    plan = co_await plan_key_ranges(*session, stream.name, relation, rows, splits);
  } else if (by_blocks) {
    // No more splits than readers, with some to even out the ends.
    plan = co_await plan_snapshot(stream.name, relation, rows, std::min(splits, parallel * 4));
  } else {
    plan = whole(relation, rows);
  }
  if (cursor.bounds) restrict_to(plan, *cursor.bounds);
  if (xmin.from) restrict_to(plan, *xmin.from);
  plan.state = cursor.state;
  plan.notes = cursor.notes;
  pool_.give_back(std::move(session));
  co_return plan;
}

asio::awaitable<SplitPlan> PostgresSource::plan_key_ranges(net::PostgresSession& session, StreamName name,
                                                           Relation relation, std::int64_t rows, std::int64_t splits) {
  std::string columns, texts;
  for (const auto& column : relation.key) {
    const std::string quoted = net::quote_identifier(column);
    columns += (columns.empty() ? "" : ", ") + quoted;
    texts += (texts.empty() ? "" : ", ") + quoted + "::text";
  }
  const double wanted = static_cast<double>(std::max<std::int64_t>(splits * kSampledRowsPerSplit, 20'000));
  const double percent = std::min(100.0, 100.0 * wanted / static_cast<double>(std::max<std::int64_t>(rows, 1)));
  const std::string n = std::to_string(splits);
  // The row at which (r - 1) * n / c steps up begins the next n-th of the sample.
  const std::string sql = "SELECT " + texts + " FROM (SELECT " + columns + ", row_number() OVER (ORDER BY " + columns +
                          ") AS millrace_r, count(*) OVER () AS millrace_c FROM " + from_clause(name, relation.kind) +
                          " TABLESAMPLE SYSTEM (" + std::to_string(percent) +
                          ")) s WHERE millrace_r > 1 AND (millrace_r - 1) * " + n +
                          " / millrace_c > (millrace_r - 2) * " + n + " / millrace_c ORDER BY millrace_r";
  const auto found = co_await session.query(sql, {});

  SplitPlan plan;
  plan.consistency = Consistency::key_ranges;
  plan.resumable = true;
  Bounds bounds;
  bounds.relation = relation.kind;
  bounds.key = relation.key;
  bounds.key_types = relation.key_types;
  const auto count = static_cast<std::int64_t>(found.rows.size()) + 1;
  for (std::size_t i = 0; i <= found.rows.size(); ++i) {
    bounds.from = std::move(bounds.to);
    bounds.to.reset();
    if (i < found.rows.size()) {
      bounds.to.emplace();
      for (const auto& value : found.rows[i]) bounds.to->push_back(value.value_or(""));
    }
    Split split;
    split.id = split_id(i);
    split.bounds = to_json(bounds);
    split.rows_estimate = rows / count;
    plan.splits.push_back(std::move(split));
    if (!bounds.to) break;
    bounds.from.reset();
  }
  co_return plan;
}

asio::awaitable<SplitPlan> PostgresSource::plan_snapshot(StreamName name, Relation relation, std::int64_t rows,
                                                         std::int64_t splits) {
  SessionPtr keeper = co_await pool_.take();
  // LOCK takes no snapshot, so what follows it sees the table as it is under the lock: nobody can rewrite or truncate
  // it from here on, either of which would leave an older snapshot with an empty table.
  const std::string lock = relation.kind == 'm'
                               ? "SELECT 1 FROM " + qualified(name) + " LIMIT 0"
                               : "LOCK TABLE " + from_clause(name, relation.kind) + " IN ACCESS SHARE MODE";
  co_await keeper->execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; " + lock);
  const auto exported = co_await keeper->query("SELECT pg_catalog.pg_export_snapshot()", {});
  SplitPlan plan;
  plan.consistency = Consistency::one_snapshot;
  plan.resumable = false;
  Bounds bounds;
  bounds.relation = relation.kind;
  bounds.snapshot = exported.at(0, 0);
  splits = std::clamp<std::int64_t>(splits, 1, std::max<std::int64_t>(relation.blocks, 1));
  for (std::int64_t i = 0; i < splits; ++i) {
    bounds.from_block = relation.blocks * i / splits;
    bounds.to_block.reset();
    if (i + 1 < splits) bounds.to_block = relation.blocks * (i + 1) / splits;
    Split split;
    split.id = split_id(static_cast<std::size_t>(i));
    split.bounds = to_json(bounds);
    split.rows_estimate = rows / splits;
    plan.splits.push_back(std::move(split));
  }
  std::lock_guard lock_keepers(mutex_);
  keepers_.push_back(std::move(keeper));
  co_return plan;
}

}  // namespace millrace::connectors::postgres
