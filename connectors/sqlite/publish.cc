// publish(): from a finished stage to the final table, inside one transaction of the caller. Readers see the old or the
// new table, whole.
#include <algorithm>

#include "common/errors.h"
#include "connectors/sqlite/dependants.h"
#include "connectors/sqlite/destination.h"
#include "connectors/sqlite/meta.h"
#include "connectors/sqlite/tables.h"
#include "connectors/sqlite/values.h"

namespace millrace::connectors::sqlite {
namespace {

std::string key_columns(const StreamTarget& target) {
  std::string out;
  for (const auto& key : target.primary_key) out += (out.empty() ? "" : ", ") + quote_name(key);
  return out;
}

std::string key_index(const std::string& table) { return table + "_pkey"; }

// The expression that orders rows of a key by their cursor; empty: by arrival alone.
std::string cursor_order(const StreamTarget& target, const std::string& prefix) {
  if (target.cursor_field.size() != 1) return {};
  const auto at = target.schema->index_of(target.cursor_field.front());
  if (!at) return {};
  return ordered(prefix + quote_name(target.cursor_field.front()), target.schema->fields[*at].type);
}

void rename(Database& db, const std::string& from, const std::string& to) {
  db.execute("ALTER TABLE " + quote_name(from) + " RENAME TO " + quote_name(to));
}

std::int64_t affected(Database& db, const std::string& sql) {
  const std::int64_t before = db.changes();
  db.execute(sql);
  return db.changes() - before;
}

// One row a key: the greatest cursor, then the latest arrival (row numbers grow in the order of arrival within a
// split).
std::int64_t dedupe_stage(Database& db, const StreamTarget& target) {
  const std::string stage = quote_name(stage_name(target)), number = row_number_name(columns_of(target));
  const std::string cursor = cursor_order(target, "");
  std::string present;
  for (const auto& key : target.primary_key)
    present += (present.empty() ? "" : " AND ") + quote_name(key) + " IS NOT NULL";
  return affected(db, "DELETE FROM " + stage + " WHERE " + number + " IN (SELECT millrace_r FROM (SELECT " + number +
                          " AS millrace_r, row_number() OVER (PARTITION BY " + key_columns(target) + " ORDER BY " +
                          (cursor.empty() ? "" : cursor + " DESC NULLS LAST, ") + number +
                          " DESC) AS millrace_n FROM " + stage + " WHERE " + present + ") WHERE millrace_n > 1)");
}

void add_key(Database& db, const StreamTarget& target, const std::string& table) {
  if (!is_deduped(target.sync_mode)) {
    std::string missing;
    for (const auto& key : target.primary_key)
      missing += (missing.empty() ? "" : " OR ") + quote_name(key) + " IS NULL";
    if (db.value("SELECT 1 FROM " + quote_name(table) + " WHERE " + missing + " LIMIT 1"))
      throw Error("destination.key_violated", target.source_name.text() + ": a key is null");
  }
  try {
    db.execute("CREATE UNIQUE INDEX IF NOT EXISTS " + quote_name(key_index(table)) + " ON " + quote_name(table) + " (" +
               key_columns(target) + ")");
  } catch (const Error& e) {
    if (e.detail().find("UNIQUE constraint failed") == std::string::npos) throw;
    throw Error("destination.key_violated", target.source_name.text() + ": " + e.detail());
  }
}

std::string free_before_name(Database& db, const std::string& table) {
  for (int n = 1;; ++n) {
    std::string name = table + "__before" + (n == 1 ? "" : std::to_string(n));
    if (!relation_exists(db, name)) return name;
  }
}

// The table that is in the way and not ours is kept beside.
bool keep_before(Database& db, const StreamTarget& target, const std::string& table, std::vector<std::string>& notes) {
  if (!relation_exists(db, table)) return false;
  if (is_ours(db, target, table)) return true;
  if (!db.value("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = " + literal(table) + " COLLATE NOCASE"))
    throw Error("destination.dependants", table + " is no table");
  const std::string before = free_before_name(db, table);
  rename(db, table, before);
  notes.push_back("the table that was taken over is kept as " + before);
  return false;
}

void move_in(Database& db, const StreamTarget& target, const std::string& table) {
  rename(db, stage_name(target), table);
  if (target.add_keys && !target.primary_key.empty()) add_key(db, target, table);
  set_table_mark(db, target, table, mark_of(target));
}

void overwrite(Database& db, const StreamTarget& target, std::vector<std::string>& notes) {
  const std::string table = final_name(target);
  const bool ours = keep_before(db, target, table, notes);
  std::vector<Dependant> dependants;
  if (ours) {
    dependants = take_dependants(db, table);
    db.execute("DROP TABLE IF EXISTS " + quote_name(former_name(target)));
    const auto mark = table_mark(db, table);
    set_former(db, target, mark ? mark->generation : 0);
    rename(db, table, former_name(target));
    // The key is made anew as the stream says.
    dependants.erase(std::remove_if(dependants.begin(), dependants.end(),
                                    [&](const Dependant& d) { return d.name == key_index(table); }),
                     dependants.end());
  }
  move_in(db, target, table);
  give_dependants(db, dependants, notes);
}

void insert_stage(Database& db, const StreamTarget& target, const std::string& table, std::int64_t rows) {
  const auto columns = columns_of(target);
  const std::string list = column_list(columns);
  const std::int64_t inserted =
      affected(db, "INSERT INTO " + quote_name(table) + " (" + list + ") SELECT " + list + " FROM " +
                       quote_name(stage_name(target)) + " ORDER BY " + row_number_name(columns));
  if (inserted < rows)
    throw Error("destination.count_mismatch",
                table + ": " + std::to_string(inserted) + " rows went in of " + std::to_string(rows));
}

void append(Database& db, const StreamTarget& target, std::int64_t rows, std::vector<std::string>& notes) {
  const std::string table = final_name(target);
  if (!keep_before(db, target, table, notes)) {
    move_in(db, target, table);
    return;
  }
  match_columns(db, table, target);
  insert_stage(db, target, table, rows);
  db.execute("DROP TABLE " + quote_name(stage_name(target)));
}

// A row of the stage takes the place of one with its key, unless that has a greater cursor; null never beats a value.
void merge(Database& db, const StreamTarget& target, std::vector<std::string>& notes) {
  const std::string table = final_name(target), stage = quote_name(stage_name(target));
  if (!keep_before(db, target, table, notes)) {
    move_in(db, target, table);
    return;
  }
  const auto columns = columns_of(target);
  match_columns(db, table, target);
  add_key(db, target, table);
  std::string same, set;
  for (const auto& key : target.primary_key)
    same += (same.empty() ? "" : " AND ") + ("f." + quote_name(key)) + " = s." + quote_name(key);
  for (const Column& c : columns)
    if (std::find(target.primary_key.begin(), target.primary_key.end(), c.name) == target.primary_key.end())
      set += (set.empty() ? "" : ", ") + quote_name(c.name) + " = s." + quote_name(c.name);
  const std::string cursor = cursor_order(target, "s.");
  std::int64_t updated = 0;
  if (!set.empty()) {
    std::string sql = "UPDATE " + quote_name(table) + " AS f SET " + set + " FROM " + stage + " AS s WHERE " + same;
    const std::string former = "f." + (target.cursor_field.empty() ? "" : quote_name(target.cursor_field.front()));
    if (!cursor.empty()) sql += " AND (" + cursor + " >= " + former + " OR " + former + " IS NULL)";
    updated = affected(db, sql);
  }
  const std::string list = column_list(columns);
  const std::int64_t inserted =
      affected(db, "INSERT INTO " + quote_name(table) + " (" + list + ") SELECT " + list + " FROM " + stage +
                       " AS s WHERE NOT EXISTS (SELECT 1 FROM " + quote_name(table) + " AS f WHERE " + same + ")");
  db.execute("DROP TABLE " + stage);
  notes.push_back(std::to_string(inserted) + " rows were inserted, " + std::to_string(updated) + " replaced");
}

[[noreturn]] void not_finished(const StreamTarget& target, const std::string& why) {
  throw Error("destination.incomplete",
              target.source_name.text() + ", generation " + std::to_string(target.generation) + " " + why);
}

}  // namespace

PublishResult publish_generation(Database& db, const StreamTarget& target) {
  auto row = load_row(db, target);
  if (!row || row->generation < target.generation) not_finished(target, "was never opened");
  if (row->generation > target.generation)
    throw Error("destination.fenced", target.source_name.text() + ": generation " + std::to_string(row->generation) +
                                          " was opened after " + std::to_string(target.generation));
  PublishResult result;
  result.rows = row->rows;
  if (row->published) {
    result.already_done = true;
    return result;
  }
  if (!row->finished) not_finished(target, "is not finished");
  std::int64_t rows = row->rows;
  if (is_deduped(target.sync_mode)) {
    const std::int64_t older = dedupe_stage(db, target);
    rows -= older;
    if (older > 0) result.notes.push_back(std::to_string(older) + " rows had a newer row of the same key beside them");
  }
  if (replaces(target))
    overwrite(db, target, result.notes);
  else if (is_append(target.sync_mode))
    append(db, target, rows, result.notes);
  else
    merge(db, target, result.notes);
  row->published = true;
  put_load_row(db, target, *row);
  if (!target.keep_state) put_stored_state(db, target);
  return result;
}

}  // namespace millrace::connectors::sqlite
