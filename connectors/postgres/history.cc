#include "connectors/postgres/history.h"

#include "common/errors.h"
#include "connectors/postgres/meta.h"
#include "connectors/postgres/names.h"
#include "connectors/postgres/table_ddl.h"

namespace millrace::connectors::postgres {
namespace {

std::string column(const std::string& name) { return net::quote_identifier(identifier_that_fits(name)); }

const Field* cursor_of(const StreamTarget& target) {
  if (target.cursor_field.size() != 1) return nullptr;
  const auto at = target.schema->index_of(target.cursor_field.front());
  return at ? &target.schema->fields[*at] : nullptr;
}

std::string keys_of(const StreamTarget& target, const std::string& of = "") {
  std::string out;
  for (const auto& key : target.primary_key) out += (out.empty() ? "" : ", ") + of + column(key);
  return out;
}

std::string same_key(const StreamTarget& target) {
  std::string out;
  for (const auto& key : target.primary_key)
    out += (out.empty() ? "" : " AND ") + ("f." + column(key)) + " = s." + column(key);
  return out;
}

std::vector<ColumnDef> history_columns(const StreamTarget& target) {
  const Field* cursor = cursor_of(target);
  const std::string type = cursor != nullptr ? cursor->type.pg_type : "timestamp with time zone";
  std::vector<ColumnDef> out;
  out.push_back({"_valid_from", type});
  out.push_back({"_valid_to", type});
  out.push_back({"_active", "boolean"});
  return out;
}

// When a row of the stage begins to hold.
std::string valid_from(const StreamTarget& target) {
  if (const Field* cursor = cursor_of(target)) return column(cursor->name);
  return "to_timestamp(" + std::to_string(target.extracted_at_us) + " / 1000000.0)";
}

// One version of a key and cursor stays: the one that arrived last.
asio::awaitable<void> one_of_each(net::PostgresSession& session, StreamTarget target) {
  const std::string stage = helper_table(stage_name(target));
  const Field* cursor = cursor_of(target);
  const std::string sql = "DELETE FROM " + stage + " s USING (SELECT ctid, row_number() OVER (PARTITION BY " +
                          keys_of(target) + (cursor != nullptr ? ", " + column(cursor->name) : "") +
                          " ORDER BY ctid DESC) AS millrace_n FROM " + stage +
                          ") d WHERE s.ctid = d.ctid AND d.millrace_n > 1";
  co_await session.execute(sql);
}

// Ends and marks of the versions in `table`, of all keys or of those in the stage only.
asio::awaitable<void> mark_versions(net::PostgresSession& session, StreamTarget target, std::string table,
                                    bool of_stage) {
  const std::string keys = keys_of(target);
  std::string of;
  if (of_stage) of = " WHERE (" + keys + ") IN (SELECT " + keys + " FROM " + helper_table(stage_name(target)) + ")";
  const std::string sql =
      "UPDATE " + table +
      " f SET _valid_to = n.next_from, _active = n.last FROM (SELECT ctid AS millrace_row, lead(_valid_from) OVER w AS "
      "next_from, lead(ctid) OVER w IS NULL AS last FROM " +
      table + of + " WINDOW w AS (PARTITION BY " + keys +
      " ORDER BY _valid_from NULLS FIRST)) n WHERE f.ctid = n.millrace_row AND (f._valid_to IS DISTINCT FROM "
      "n.next_from OR f._active IS DISTINCT FROM n.last)";
  co_await session.execute(sql);
}

asio::awaitable<void> index_keys(net::PostgresSession& session, StreamTarget target, std::string table,
                                 std::string name) {
  const std::string sql = "CREATE INDEX IF NOT EXISTS " + net::quote_identifier(name) + " ON " + table + " (" +
                          keys_of(target) + ", _valid_from)";
  co_await session.execute(sql);
}

// A row equal to the newest version of its key, where no cursor tells versions apart.
std::string is_known(const StreamTarget& target, const std::string& table) {
  std::string ours, theirs;
  for (const auto& c : columns_of(target)) {
    const std::string name = net::quote_identifier(c.name);
    ours += (ours.empty() ? "" : ", ") + ("s." + name) + "::text";
    theirs += (theirs.empty() ? "" : ", ") + ("f." + name) + "::text";
  }
  return "EXISTS (SELECT 1 FROM " + table + " f WHERE f._active AND " + same_key(target) + " AND ROW(" + ours +
         ") IS NOT DISTINCT FROM ROW(" + theirs + "))";
}

}  // namespace

asio::awaitable<void> stage_to_history(net::PostgresSession& session, StreamTarget target) {
  const std::string stage = helper_table(stage_name(target));
  co_await one_of_each(session, target);
  std::string add;
  for (const auto& c : history_columns(target))
    add += (add.empty() ? "" : ", ") + ("ADD COLUMN " + net::quote_identifier(c.name)) + " " + c.pg_type;
  co_await session.execute("ALTER TABLE " + stage + " " + add);
  co_await session.execute("UPDATE " + stage + " SET _valid_from = " + valid_from(target));
  co_await mark_versions(session, target, stage, false);
  co_await index_keys(session, target, stage, stage_name(target) + "_versions");
}

asio::awaitable<void> merge_history(net::PostgresSession& session, StreamTarget target,
                                    std::vector<std::string>& notes) {
  const std::string table = final_table(target), stage = helper_table(stage_name(target));
  const auto columns = columns_of(target);
  auto all = columns;
  for (auto& c : history_columns(target)) all.push_back(std::move(c));
  co_await match_columns(session, table, all, target.renamed);
  co_await one_of_each(session, target);
  const Field* cursor = cursor_of(target);
  std::string wanted;
  if (cursor != nullptr) {
    const std::string sql = "DELETE FROM " + table + " f USING " + stage + " s WHERE " + same_key(target) +
                            " AND f._valid_from IS NOT DISTINCT FROM s." + column(cursor->name);
    co_await session.execute(sql);
  } else {
    wanted = " WHERE NOT " + is_known(target, table);
  }
  const std::string list = column_list(columns);
  const std::string sql = "INSERT INTO " + table + " (" + list + ", _valid_from, _active) SELECT " + list + ", " +
                          valid_from(target) + ", false FROM " + stage + " s" + wanted;
  const auto inserted = co_await session.query(sql, {});
  co_await mark_versions(session, target, table, true);
  co_await session.execute("DROP TABLE " + stage);
  notes.push_back(std::to_string(inserted.affected) + " versions were inserted");
}

}  // namespace millrace::connectors::postgres
