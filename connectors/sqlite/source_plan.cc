// Ranges are over a key whose parts can't be null, since those survive a crash: row numbers of a table without an
// INTEGER PRIMARY KEY are given anew by VACUUM, so that a range of them read later may hold other rows. A table without
// such a key is one split.
//
// The cursor: the greatest value M is looked up first, and rows from the last load's end C up to M are read, both
// included (the house rule, see postgres/source_cursor.cc).
#include "connectors/sqlite/source_plan.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "connectors/read_document.h"
#include "connectors/sqlite/bounds.h"
#include "connectors/sqlite/table_info.h"
#include "connectors/sqlite/values.h"

namespace millrace::connectors::sqlite {

using nlohmann::json;

namespace {

constexpr std::int64_t kRowsPerSplit = 250'000, kMaxSplits = 1'000;

std::int64_t count(Database& db, const TableInfo& table, const std::string& condition) {
  const auto n =
      db.value("SELECT count(*) FROM " + quote_name(table.name) + (condition.empty() ? "" : " WHERE " + condition));
  return std::strtoll(n.value_or("0").c_str(), nullptr, 10);
}

// Where the last load ended, in the form of the other sources by cursor (postgres/cursor_state.h), with the value's
// storage class beside it: 5 and '5' are two values to SQLite.
struct State {
  std::optional<std::string> cursor;  // an SQL literal
  std::int64_t count = 0;
};

std::string literal_of(const json& cursor, const std::string& storage) {
  const std::string text = cursor.is_string() ? cursor.get<std::string>() : cursor.dump();
  if (storage == "text") return literal(text);
  const bool number = !text.empty() && text.find_first_not_of("0123456789+-.eE") == std::string::npos;
  return number ? text : literal(text);
}

std::string state_json(const StreamName& stream, const Field& field, const std::optional<std::string>& text,
                       const std::string& storage, std::int64_t rows) {
  return json{{"version", 2},
              {"state_type", "cursor_based"},
              {"stream_name", stream.name},
              {"stream_namespace", stream.ns},
              {"cursor_field", json::array({field.name})},
              {"cursor", text ? json(*text) : json()},
              {"cursor_storage", storage},
              {"cursor_record_count", rows}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

// The literal's own text again: what a person sees of it.
std::string text_of(Database& db, const std::string& sql_literal) {
  return db.value("SELECT CAST(" + sql_literal + " AS TEXT)").value_or("");
}

struct CursorRead {
  std::optional<CursorBounds> bounds;
  bool first = false, nothing_new = false;
  std::string state;
  std::vector<std::string> notes;
};

const Field& cursor_field(const ConfiguredStream& stream, const TableInfo& table) {
  const auto at = stream.cursor_field.size() == 1 ? table.schema.index_of(stream.cursor_field.front()) : std::nullopt;
  if (!at) throw Error("connector.schema_changed", stream.name.text() + " lacks the cursor column");
  return table.schema.fields[*at];
}

CursorRead look_at_cursor(Database& db, const ConfiguredStream& stream, const TableInfo& table) {
  CursorRead read;
  CursorBounds bounds;
  bounds.field = cursor_field(stream, table);
  State last;
  std::string last_storage;
  read.first = true;
  if (!stream.state.empty()) {
    read_document(stream.state, "stream state", [&](const json& j) {
      const json& named = j.at("cursor_field");
      const std::string field = (named.is_array() ? named.at(0) : named).get<std::string>();
      if (field != bounds.field.name) {
        read.notes.push_back("the cursor was " + field + " and is now " + bounds.field.name +
                             ": all rows are read again");
        return 0;
      }
      read.first = false;
      last_storage = j.value("cursor_storage", "");
      if (j.contains("cursor") && !j.at("cursor").is_null()) last.cursor = literal_of(j.at("cursor"), last_storage);
      last.count = j.value("cursor_record_count", std::int64_t{0});
      return 0;
    });
  }

  const std::string name = quote_name(bounds.field.name), order = ordered(name, bounds.field.type);
  const std::string usable = usable_cursor(bounds.field);
  std::string sql =
      "SELECT quote(" + name + "), typeof(" + name + ") FROM " + quote_name(table.name) + " WHERE " + usable;
  if (last.cursor) sql += " AND " + order + " >= " + *last.cursor;
  Statement greatest = db.prepare(sql + " ORDER BY " + order + " DESC LIMIT 1");
  std::optional<std::string> next = last.cursor;
  std::string storage = last_storage;
  std::int64_t ties = 0;
  if (greatest.step()) {
    next = greatest.text(0);
    storage = greatest.text(1);
    ties = count(db, table, order + " = " + *next);
    bounds.from = last.cursor;
    bounds.to = *next;
  }
  const std::optional<std::string> shown = next ? std::optional(text_of(db, *next)) : std::nullopt;
  read.state = state_json(stream.name, bounds.field, shown, storage, ties);

  const bool resends = is_deduped(stream.sync_mode);
  if (read.first) {
    bounds.unusable = true;
    if (next) read.bounds = bounds;  // none has a usable cursor: all rows are read
    return read;
  }
  const std::int64_t unusable = count(db, table, "(" + usable + ") IS NOT TRUE");
  if (unusable > 0 && !resends)
    read.notes.push_back(std::to_string(unusable) + " rows have no usable " + bounds.field.name +
                         " (null or infinite): an incremental read in a mode that appends leaves them out");
  bounds.unusable = resends && unusable > 0;
  const bool newer = !bounds.to.empty() && (next != last.cursor || ties != last.count);
  read.nothing_new = !newer && !bounds.unusable;
  if (bounds.to.empty() && next) bounds.to = *next;
  if (!bounds.from) bounds.from = last.cursor;
  if (next) read.bounds = bounds;
  return read;
}

// n - 1 boundaries that part the rows into n ranges.
std::vector<std::vector<std::string>> boundaries(Database& db, const TableInfo& table, std::int64_t rows,
                                                 std::int64_t n) {
  std::vector<std::vector<std::string>> out;
  std::string columns, quotes;
  for (const auto& key : table.key) {
    columns += (columns.empty() ? "" : ", ") + quote_name(key);
    quotes += (quotes.empty() ? "quote(" : ", quote(") + quote_name(key) + ")";
  }
  const std::string number = quote_name("millrace r");
  Statement s =
      db.prepare("SELECT " + quotes + " FROM (SELECT " + columns + ", row_number() OVER (ORDER BY " + columns +
                 ") AS " + number + " FROM " + quote_name(table.name) + ") WHERE " + number + " > 1 AND (" + number +
                 " - 1) * ?1 / ?2 > (" + number + " - 2) * ?1 / ?2 ORDER BY " + number);
  s.bind(1, n).bind(2, rows);
  while (s.step()) {
    std::vector<std::string> one;
    for (std::size_t i = 0; i < table.key.size(); ++i) one.push_back(s.text(static_cast<int>(i)));
    out.push_back(std::move(one));
  }
  return out;
}

Split split_of(std::size_t n, const Bounds& bounds, std::int64_t rows) {
  Split split;
  char id[32];
  std::snprintf(id, sizeof id, "%04zu", n);
  split.id = id;
  split.bounds = to_json(bounds);
  split.rows_estimate = rows;
  return split;
}

void plan_ranges(Database& db, const TableInfo& table, std::int64_t rows, std::int64_t splits,
                 const std::optional<CursorBounds>& cursor, SplitPlan& plan) {
  Bounds bounds;
  bounds.key = table.key;
  bounds.cursor = cursor;
  const auto between = boundaries(db, table, rows, splits);
  const auto each = rows / static_cast<std::int64_t>(between.size() + 1);
  for (std::size_t i = 0; i <= between.size(); ++i) {
    bounds.from = std::move(bounds.to);
    bounds.to.reset();
    if (i < between.size()) bounds.to = between[i];
    plan.splits.push_back(split_of(i, bounds, each));
  }
  plan.consistency = Consistency::key_ranges;
}

}  // namespace

SplitPlan plan_read(Database& db, const ConfiguredStream& stream, const PlanOptions& options) {
  const TableInfo table = read_table(db, stream.name);
  SplitPlan plan;
  plan.resumable = true;  // a split is read in one transaction, and again from its start
  CursorRead cursor;
  if (is_incremental(stream.sync_mode)) {
    cursor = look_at_cursor(db, stream, table);
    plan.state = cursor.state;
    plan.notes = cursor.notes;
    if (cursor.nothing_new) return plan;
  }
  const bool all = !is_incremental(stream.sync_mode) || cursor.first;
  std::int64_t rows = -1, splits = 1;
  if (all && table.is_table) {
    rows = count(db, table, "");
    const std::int64_t per_split = options.rows_per_split > 0 ? options.rows_per_split : kRowsPerSplit;
    if (table.splits_by_key) splits = std::clamp<std::int64_t>((rows + per_split - 1) / per_split, 1, kMaxSplits);
  }
  if (splits > 1) {
    plan_ranges(db, table, rows, splits, cursor.bounds, plan);
  } else {
    Bounds bounds;
    bounds.cursor = cursor.bounds;
    plan.splits.push_back(split_of(0, bounds, rows));
  }
  return plan;
}

}  // namespace millrace::connectors::sqlite
