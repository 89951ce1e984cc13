#include "connectors/sqlite/destination.h"

#include <algorithm>
#include <filesystem>

#include "common/errors.h"
#include "connectors/local_path.h"
#include "connectors/sqlite/meta.h"
#include "connectors/sqlite/stream_writer.h"
#include "connectors/sqlite/tables.h"
#include "connectors/sqlite/values.h"

namespace millrace::connectors::sqlite {

Writing::Writing(Runtime runtime, SqliteConfig config)
    : runtime_(std::move(runtime)), config_(std::move(config)), gate_(WriteGate::of(config_.path)) {}

Database& Writing::open() {
  if (db_) return *db_;
  require_absolute(config_.path);
  require_writable_directory(std::filesystem::path(config_.path).parent_path().string());
  auto db = std::make_unique<Database>(config_.path, Database::Mode::create, config_.busy_timeout);
  // Renames must not follow into views and triggers of others, which mean the name and not the table.
  db->execute("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON; PRAGMA synchronous = FULL");
  // In a file of our own readers never wait for us. One that is there stays in its mode.
  if (!db->value("SELECT 1 FROM sqlite_schema LIMIT 1")) db->value("PRAGMA journal_mode = WAL");
  add_collations(db->raw());
  db_ = std::move(db);
  return *db_;
}

asio::awaitable<void> Writing::transaction(std::function<void(Database&)> work) {
  const auto pass = co_await gate_->enter();
  auto all = [&] {
    Database& db = open();
    db.execute("BEGIN IMMEDIATE");
    try {
      work(db);
      db.execute("COMMIT");
    } catch (...) {
      if (sqlite3_get_autocommit(db.raw()) == 0) sqlite3_exec(db.raw(), "ROLLBACK", nullptr, nullptr, nullptr);
      throw;
    }
  };
  co_await runtime_.blocking(all);
}

asio::awaitable<void> Writing::close() {
  if (!db_) co_return;
  const auto pass = co_await gate_->enter();
  auto all = [&] { db_.reset(); };
  co_await runtime_.blocking(all);
}

SqliteDestination::SqliteDestination(Runtime runtime, SqliteConfig config)
    : runtime_(runtime), config_(config), writing_(std::make_shared<Writing>(runtime, std::move(config))) {}

namespace {

StreamTarget usable(StreamTarget target) {
  const auto known = SqliteDestination::modes();
  if (std::find(known.begin(), known.end(), target.sync_mode) == known.end())
    throw Error("destination.mode_unsupported", std::string(to_string(target.sync_mode)) + " by an SQLite destination");
  if (is_deduped(target.sync_mode) && target.primary_key.empty())
    throw Error("connector.config_invalid", target.source_name.text() + " has no key to dedupe by");
  if (target.keep_history || !target.typed.empty())
    throw Error("destination.unsupported", std::string(target.keep_history ? "keepHistory" : "raw") + " of stream " +
                                               target.source_name.text() + " by an SQLite destination");
  return target;
}

// Under the fence: the helper rows and the stage of this generation. The row as it then is.
LoadRow take_over(Database& db, const StreamTarget& target, const std::string& token, std::uint32_t attempt) {
  LoadRow row = load_row(db, target).value_or(LoadRow());
  if (row.generation > target.generation || (row.generation == target.generation && row.attempt > attempt))
    throw Error("destination.fenced", target.source_name.text() + ": generation " + std::to_string(row.generation) +
                                          ", attempt " + std::to_string(row.attempt) + " stands before generation " +
                                          std::to_string(target.generation) + ", attempt " + std::to_string(attempt));
  if (row.generation < target.generation) {
    StreamTarget older = target;
    older.generation = row.generation;
    db.execute("DROP TABLE IF EXISTS " + quote_name(stage_name(older)));
    forget_splits(db, target);
    row = LoadRow();
    row.generation = target.generation;
  }
  if (!row.published && !relation_exists(db, stage_name(target))) {
    db.execute(create_table(stage_name(target), columns_of(target), mark_of(target)));
    forget_splits(db, target);  // somebody dropped it: then what was committed into it is gone too
    row.finished = false;
    row.rows = 0;
  }
  row.attempt = attempt;
  row.token = token;
  put_load_row(db, target, row);
  return row;
}

// A file that is there opens as a database and can be written; one that is not can be made.
void check_destination(const SqliteConfig& config) {
  require_absolute(config.path);
  require_writable_directory(std::filesystem::path(config.path).parent_path().string());
  std::error_code error;
  if (!std::filesystem::exists(config.path, error)) return;
  require_readable_file(config.path);
  Database db(config.path, Database::Mode::write, config.busy_timeout);
  db.execute("BEGIN IMMEDIATE");
  db.execute("ROLLBACK");
}

}  // namespace

asio::awaitable<CheckResult> SqliteDestination::check() {
  CheckResult result;
  auto look = [&] {
    try {
      check_destination(config_);
    } catch (const Error& e) {
      result.ok = false;
      result.code = e.code();
      result.message = e.what();
      result.remedy = e.remedy();
    }
  };
  const auto pass = co_await WriteGate::of(config_.path)->enter();
  co_await runtime_.blocking(look);
  co_return result;
}

asio::awaitable<std::unique_ptr<StreamWriter>> SqliteDestination::open_stream(StreamTarget given, std::string token,
                                                                              std::uint32_t attempt) {
  auto load = std::make_shared<LoadContext>();
  load->target = usable(std::move(given));
  load->token = token;
  load->writing = writing_;
  load->columns = columns_of(load->target);
  const StreamTarget& target = load->target;
  LoadRow row;
  std::map<std::string, Checkpoint> committed;
  std::optional<StoredState> state;
  std::function<void(Database&)> work = [&](Database& db) {
    ensure_meta(db);
    const std::string table = final_name(target);
    if (relation_exists(db, table)) is_ours(db, target, table);
    row = take_over(db, target, token, attempt);
    committed = checkpoints(db, target);
    state = stored_state(db, target);
  };
  co_await writing_->transaction(work);
  std::unique_ptr<StreamWriter> writer =
      std::make_unique<SqliteStreamWriter>(std::move(load), std::move(committed), std::move(state), row.finished);
  co_return writer;
}

asio::awaitable<PublishResult> SqliteDestination::publish(StreamTarget given) {
  const StreamTarget target = usable(std::move(given));
  PublishResult result;
  std::function<void(Database&)> work = [&](Database& db) {
    ensure_meta(db);
    result = publish_generation(db, target);
  };
  co_await writing_->transaction(work);
  co_return result;
}

asio::awaitable<void> SqliteDestination::close() { co_await writing_->close(); }

}  // namespace millrace::connectors::sqlite
