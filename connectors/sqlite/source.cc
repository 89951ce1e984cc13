#include "connectors/sqlite/source.h"

#include <algorithm>

#include "common/errors.h"
#include "connectors/local_path.h"
#include "connectors/sqlite/bounds.h"
#include "connectors/sqlite/source_plan.h"
#include "connectors/sqlite/table_info.h"
#include "connectors/sqlite/values.h"

namespace millrace::connectors::sqlite {
namespace {

Database open_source(const SqliteConfig& config) {
  require_absolute(config.path);
  require_readable_file(config.path);
  Database db(config.path, Database::Mode::read, config.busy_timeout);
  add_collations(db.raw());
  return db;
}

Stream stream_of(Database& db, TableInfo table) {
  Stream s;
  s.name = StreamName("", table.name);
  s.rows_estimate = estimated_rows(db, table);
  s.primary_key = table.key;
  for (const Field& f : table.schema.fields)
    if (can_be_cursor(f)) s.cursor_candidates.push_back(f.name);
  for (const SyncMode mode : SqliteSource::modes())
    if (!is_incremental(mode) || !s.cursor_candidates.empty()) s.sync_modes.push_back(mode);
  s.is_view = table.is_view;
  s.schema = std::move(table.schema);
  return s;
}

// Reads one split, a batch at a time; a batch is one visit to the blocking lane.
class SplitReader {
 public:
  SplitReader(const SqliteConfig& config, ConfiguredStream stream, const Split& split)
      : config_(config), stream_(std::move(stream)), db_(open_source(config)) {
    db_.execute("BEGIN");
    const TableInfo table = read_table(db_, stream_.name);
    std::string columns;
    for (const Field& f : stream_.schema->fields) {
      const auto at = table.schema.index_of(f.name);
      if (!at) throw Error("connector.schema_changed", stream_.name.text() + " lacks the column " + f.name);
      if (table.schema.fields[*at].type != f.type)
        throw Error("connector.schema_changed",
                    stream_.name.text() + ": column " + f.name + " is now " + table.schema.fields[*at].source_type);
      columns += (columns.empty() ? "" : ", ") + quote_name(f.name);
    }
    rows_ = db_.prepare("SELECT " + columns + " FROM " + quote_name(table.name) +
                        where_clause(bounds_from_json(split.bounds)));
  }

  // Fills a batch; false: these were the last rows.
  bool fill(RowBatch& batch) {
    RowWriter row(batch);
    const auto& fields = stream_.schema->fields;
    while (batch.bytes().size() < Pipe::kBatchBytes) {
      if (!rows_.step()) return false;
      row.begin_row(static_cast<std::uint16_t>(fields.size()));
      for (std::size_t i = 0; i < fields.size(); ++i) {
        if (put_column(rows_.raw(), static_cast<int>(i), fields[i].type, row, scratch_)) continue;
        if (!config_.unfit_as_null) unfit(fields[i], static_cast<int>(i));
        row.null();
      }
      row.end_row();
    }
    return true;
  }

 private:
  [[noreturn]] void unfit(const Field& field, int at) {
    constexpr std::size_t kShown = 80;
    std::string value = rows_.text(at);
    if (value.size() > kShown) value = value.substr(0, kShown) + "...";
    throw Error("connector.value_unfit", stream_.name.text() + ", column " + field.name + " (" + field.source_type +
                                             ", read as " + field.type.pg_type + "): " + value);
  }

  SqliteConfig config_;
  ConfiguredStream stream_;
  Database db_;
  Statement rows_;
  std::string scratch_;
};

}  // namespace

asio::awaitable<CheckResult> SqliteSource::check() {
  CheckResult result;
  auto look = [&] {
    try {
      Database db = open_source(config_);
      if (read_tables(db).empty()) result.warnings.emplace_back("the database has no tables yet");
    } catch (const Error& e) {
      result.ok = false;
      result.code = e.code();
      result.message = e.what();
      result.remedy = e.remedy();
    }
  };
  co_await runtime_.blocking(look);
  co_return result;
}

asio::awaitable<Catalog> SqliteSource::discover() {
  Catalog catalog;
  auto look = [&] {
    Database db = open_source(config_);
    db.execute("BEGIN");
    for (TableInfo& table : read_tables(db))
      if (!table.schema.fields.empty()) catalog.streams.push_back(stream_of(db, std::move(table)));
  };
  co_await runtime_.blocking(look);
  std::sort(catalog.streams.begin(), catalog.streams.end(),
            [](const Stream& a, const Stream& b) { return a.name < b.name; });
  co_return catalog;
}

asio::awaitable<SplitPlan> SqliteSource::plan(ConfiguredStream stream, PlanOptions options) {
  SplitPlan plan;
  auto look = [&] {
    Database db = open_source(config_);
    db.execute("BEGIN");
    plan = plan_read(db, stream, options);
  };
  co_await runtime_.blocking(look);
  co_return plan;
}

asio::awaitable<void> SqliteSource::read(ConfiguredStream stream, Split split, std::optional<std::string>,
                                         BatchSink& out) {
  std::unique_ptr<SplitReader> reader;
  auto open = [&] { reader = std::make_unique<SplitReader>(config_, stream, split); };
  co_await runtime_.blocking(open);
  std::int64_t rows = 0;
  for (bool more = true; more;) {
    RowBatch batch(stream.schema, out.buffer());
    auto fill = [&] { more = reader->fill(batch); };
    co_await runtime_.blocking(fill);
    rows += batch.rows();
    if (!batch.empty()) co_await out.write(std::move(batch));
  }
  reader.reset();
  Checkpoint checkpoint;
  checkpoint.id = split.id;
  checkpoint.state = "{}";
  checkpoint.rows = rows;
  checkpoint.complete = true;
  co_await out.checkpoint(std::move(checkpoint));
}

asio::awaitable<void> SqliteSource::close() { co_return; }

}  // namespace millrace::connectors::sqlite
