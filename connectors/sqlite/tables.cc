#include "connectors/sqlite/tables.h"

#include <algorithm>

#include "common/errors.h"
#include "connectors/sqlite/values.h"
#include "connectors/stream_hash.h"

namespace millrace::connectors::sqlite {
namespace {

bool same_name(const std::string& a, const std::string& b) { return sqlite3_stricmp(a.c_str(), b.c_str()) == 0; }

}  // namespace

bool is_append(SyncMode mode) { return mode == SyncMode::full_refresh_append || mode == SyncMode::incremental_append; }

std::string final_name(const StreamTarget& target) {
  if (target.ns.empty() || target.ns == "main" || target.ns == "public") return target.name;
  return target.ns + "_" + target.name;
}
std::string stage_name(const StreamTarget& target) { return "millrace_stage_" + hash_of_generation(target); }
std::string former_name(const StreamTarget& target) { return "millrace_former_" + hash_of_stream(target); }
std::string mark_of(const StreamTarget& target) { return "/* millrace " + hash_of_generation(target) + " */"; }

std::vector<Column> columns_of(const StreamTarget& target) {
  std::vector<Column> out;
  for (const Field& f : target.schema->fields) out.push_back({f.name, declared_type(f.type)});
  if (is_append(target.sync_mode) && target.metadata_columns) {
    out.push_back({kExtractedAt, "TIMESTAMPTZ"});
    out.push_back({kLoadId, "INT8"});
  }
  for (std::size_t i = 0; i < out.size(); ++i)
    for (std::size_t k = 0; k < i; ++k)
      if (same_name(out[i].name, out[k].name))
        throw Error("sqlite.name_collision",
                    "stream " + target.source_name.text() + ": \"" + out[k].name + "\" and \"" + out[i].name + "\"");
  if (out.empty()) throw Error("destination.bad_type", "stream " + target.source_name.text() + " has no columns");
  return out;
}

std::string column_list(const std::vector<Column>& columns) {
  std::string out;
  for (const Column& c : columns) out += (out.empty() ? "" : ", ") + quote_name(c.name);
  return out;
}

std::string row_number_name(const std::vector<Column>& columns) {
  for (const std::string name : {"_rowid_", "rowid", "oid"})
    if (std::none_of(columns.begin(), columns.end(), [&](const Column& c) { return same_name(c.name, name); }))
      return name;
  throw Error("sqlite.name_collision", "columns _rowid_, rowid and oid hide the table's own row number");
}

std::string create_table(const std::string& name, const std::vector<Column>& columns, const std::string& mark) {
  std::string out = "CREATE TABLE " + quote_name(name) + " (" + mark + " ";
  for (std::size_t i = 0; i < columns.size(); ++i)
    out += (i > 0 ? ", " : "") + quote_name(columns[i].name) + " " + columns[i].declared;
  return out + ")";
}

std::vector<Column> columns_in(Database& db, const std::string& table) {
  std::vector<Column> out;
  Statement s = db.prepare("SELECT name, type FROM pragma_table_info(?)");
  s.bind(1, table);
  while (s.step()) out.push_back({s.text(0), s.text(1)});
  return out;
}

void match_columns(Database& db, const std::string& table, const StreamTarget& target) {
  std::vector<Column> there = columns_in(db, table);
  const auto find = [&](const std::string& name) {
    return std::find_if(there.begin(), there.end(), [&](const Column& t) { return same_name(t.name, name); });
  };
  for (const auto& [before, after] : target.renamed) {
    const auto it = find(before);
    if (it == there.end() || find(after) != there.end()) continue;
    db.execute("ALTER TABLE " + quote_name(table) + " RENAME COLUMN " + quote_name(it->name) + " TO " +
               quote_name(after));
    it->name = after;
  }
  for (const Column& c : columns_of(target)) {
    const auto it = find(c.name);
    if (it == there.end())
      db.execute("ALTER TABLE " + quote_name(table) + " ADD COLUMN " + quote_name(c.name) + " " + c.declared);
    else if (!same_name(it->declared, c.declared))
      throw Error("destination.column_type",
                  table + "." + c.name + " is " + it->declared + ", the stream has " + c.declared);
  }
}

bool replaces(const StreamTarget& target) {
  return target.replace || target.sync_mode == SyncMode::full_refresh_overwrite ||
         target.sync_mode == SyncMode::full_refresh_overwrite_deduped;
}

}  // namespace millrace::connectors::sqlite
