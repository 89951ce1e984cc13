// What is done to a stream's table beside its loads: the list of tables, clear, undo, preview.
#include <algorithm>
#include <filesystem>

#include "common/errors.h"
#include "connectors/sqlite/dependants.h"
#include "connectors/sqlite/destination.h"
#include "connectors/sqlite/meta.h"
#include "connectors/sqlite/tables.h"

namespace millrace::connectors::sqlite {
namespace {

// The mark of the table, where it stands in the table itself as well and is this stream's.
std::optional<TableMark> own_mark(Database& db, StreamTarget target) {
  target.adopt = true;  // somebody else's table is an answer here, no error
  const std::string table = final_name(target);
  if (!relation_exists(db, table) || !is_ours(db, target, table)) return std::nullopt;
  return table_mark(db, table);
}

std::int64_t count_rows(Database& db, const std::string& table) {
  Statement s = db.prepare("SELECT count(*) FROM " + quote_name(table));
  s.step();
  return s.integer(0);
}

// Nothing of an older job may come after what is done now.
LoadRow require_newest(Database& db, const StreamTarget& target) {
  const LoadRow row = load_row(db, target).value_or(LoadRow());
  if (row.generation > target.generation)
    throw Error("destination.fenced", target.source_name.text() + ": generation " + std::to_string(row.generation) +
                                          " was opened after " + std::to_string(target.generation));
  return row;
}

void drop_stage(Database& db, StreamTarget target, std::int64_t generation) {
  target.generation = generation;
  db.execute("DROP TABLE IF EXISTS " + quote_name(stage_name(target)));
  forget_splits(db, target);
}

void put_done(Database& db, const StreamTarget& target, const std::string& token) {
  LoadRow row;
  row.generation = target.generation;
  row.token = token;
  row.finished = row.published = true;
  put_load_row(db, target, row);
}

std::int64_t clear_stream(Database& db, const StreamTarget& target) {
  const LoadRow row = require_newest(db, target);
  drop_stage(db, target, row.generation);
  db.execute("DROP TABLE IF EXISTS " + quote_name(former_name(target)));
  std::int64_t rows = 0;
  if (own_mark(db, target)) {
    rows = count_rows(db, final_name(target));
    db.execute("DELETE FROM " + quote_name(final_name(target)));
  }
  put_done(db, target, "clear");
  set_former(db, target, 0);
  StreamTarget empty = target;
  empty.state.clear();
  put_stored_state(db, empty);
  return rows;
}

[[noreturn]] void impossible(const StreamTarget& target, const std::string& why) {
  throw Error("job.undo_impossible", target.source_name.text() + ": " + why);
}

// The former table comes back with the present one's indexes and triggers, and the present one becomes the former.
void bring_back(Database& db, const StreamTarget& target, const TableMark& mark, TakenBack& back) {
  const std::string table = final_name(target), former = former_name(target), aside = former + "_aside";
  const std::int64_t former_load_id = former_load(db, target);
  if (!relation_exists(db, former) || former_load_id == 0 || former_load_id >= mark.generation)
    impossible(target, "no table of before it is kept");
  back.rows = count_rows(db, table);
  const auto dependants = take_dependants(db, table);
  const auto rename = [&](const std::string& from, const std::string& to) {
    db.execute("ALTER TABLE " + quote_name(from) + " RENAME TO " + quote_name(to));
  };
  rename(table, aside);
  rename(former, table);
  rename(aside, former);
  give_dependants(db, dependants, back.notes);
  StreamTarget of_former = target;
  of_former.generation = former_load_id;
  set_table_mark(db, of_former, table, mark_of(of_former));
  set_former(db, target, mark.generation);
  back.notes.push_back("the table has the rows of job " + std::to_string(former_load_id) + " again; those of job " +
                       std::to_string(mark.generation) + " are kept in " + former + " until the next load");
}

TakenBack undo_load(Database& db, const StreamTarget& target, std::int64_t load) {
  const LoadRow row = require_newest(db, target);
  if (row.generation < 0) impossible(target, "nothing was loaded");
  TakenBack back;
  if (row.generation == target.generation && row.token.starts_with("undo")) {  // an attempt whose answer was lost
    back.newest = row.token == "undo newest";
    return back;
  }
  const auto mark = own_mark(db, target);
  if (!mark) impossible(target, final_name(target) + " is not a table of this stream any more");
  const auto state = stored_state(db, target);
  back.newest = state && state->generation == load;
  if (replaces(target)) {
    if (mark->generation != load)
      impossible(target, "its rows are those of job " + std::to_string(mark->generation) + " by now");
    bring_back(db, target, *mark, back);
  } else if (is_deduped(target.sync_mode)) {
    impossible(target, "the rows that a merge replaced are not kept; a refresh reads the stream again");
  } else {
    const auto columns = columns_in(db, final_name(target));
    if (std::none_of(columns.begin(), columns.end(), [](const Column& c) { return c.name == kLoadId; }))
      impossible(target, "its rows have no _load_id (metadataColumns: none)");
    const std::int64_t before = db.changes();
    Statement s =
        db.prepare("DELETE FROM " + quote_name(final_name(target)) + " WHERE " + quote_name(kLoadId) + " = ?");
    s.bind(1, load);
    s.step();
    back.rows = db.changes() - before;
    back.notes.push_back(std::to_string(back.rows) + " rows of load " + std::to_string(load) + " were removed");
  }
  drop_stage(db, target, row.generation);
  put_done(db, target, back.newest ? "undo newest" : "undo");
  if (back.newest) forget_state(db, target);
  return back;
}

TablePreview preview_table(Database& db, const StreamTarget& target) {
  TablePreview out;
  const std::string table = final_name(target);
  if (!relation_exists(db, table)) {
    out.action = "create";
    return out;
  }
  out.action = replaces(target) ? "replace" : "write";
  const bool known = relation_exists(db, "millrace_tables");
  if (!known || !own_mark(db, target)) {
    if (target.adopt)
      out.changes.push_back("the table that is there is kept as " + table + "__before");
    else
      out.problems.push_back(table + " is there and not of this stream");
    return out;
  }
  const auto there = columns_in(db, table);
  for (const Column& c : columns_of(target)) {
    std::string name = c.name;
    for (const auto& [before, after] : target.renamed)
      if (after == c.name) name = before;
    const auto it =
        std::find_if(there.begin(), there.end(), [&](const Column& t) { return t.name == c.name || t.name == name; });
    if (it == there.end())
      out.changes.push_back("column " + c.name + " " + c.declared + " is added");
    else if (it->name != c.name)
      out.changes.push_back("column " + it->name + " becomes " + c.name);
    if (it == there.end() || it->declared == c.declared) continue;
    const std::string change = "column " + c.name + ": " + it->declared + " becomes " + c.declared;
    (replaces(target) ? out.changes : out.problems).push_back(change);
  }
  return out;
}

}  // namespace

asio::awaitable<std::vector<OwnedTable>> SqliteDestination::owned_tables(std::string connection_id) {
  std::vector<OwnedTable> out;
  std::function<void(Database&)> work = [&](Database& db) {
    ensure_meta(db);
    Statement s = db.prepare(
        "SELECT stream_namespace, stream_name, name, generation FROM millrace_tables WHERE connection_id = ? ORDER BY "
        "1, 2, generation");
    s.bind(1, connection_id);
    while (s.step()) {
      OwnedTable table;
      table.stream = StreamName(s.text(0), s.text(1));
      table.name = s.text(2);  // with its namespace in it, so that it has none of its own
      table.generation = s.integer(3);
      out.push_back(std::move(table));
    }
  };
  co_await writing_->transaction(work);
  co_return out;
}

asio::awaitable<std::int64_t> SqliteDestination::clear(StreamTarget target) {
  std::int64_t rows = 0;
  std::function<void(Database&)> work = [&](Database& db) {
    ensure_meta(db);
    rows = clear_stream(db, target);
  };
  co_await writing_->transaction(work);
  co_return rows;
}

asio::awaitable<TakenBack> SqliteDestination::undo(StreamTarget target, std::int64_t load_id) {
  TakenBack back;
  std::function<void(Database&)> work = [&](Database& db) {
    ensure_meta(db);
    back = undo_load(db, target, load_id);
  };
  co_await writing_->transaction(work);
  co_return back;
}

asio::awaitable<TablePreview> SqliteDestination::preview(StreamTarget target) {
  TablePreview out;
  auto look = [&] {
    std::error_code error;
    if (!std::filesystem::exists(config_.path, error)) {
      out.action = "create";
      return;
    }
    Database db(config_.path, Database::Mode::read, config_.busy_timeout);
    out = preview_table(db, target);
  };
  co_await runtime_.blocking(look);
  co_return out;
}

}  // namespace millrace::connectors::sqlite
