// The bounds of a split of a PostgreSQL read, as JSON: made by plan(), journaled, read by read(). Version 1, documented
// here because histories hold it:
//   {"v":1, "relation":"r"}                                            the whole relation (kind as in pg_class.relkind)
//   {"v":1, "relation":"r", "key":["id"], "types":["bigint"],
//    "from":["100"] or null, "to":["200"] or null}                     from <= key < to; null: no bound on that side
//   {"v":1, "relation":"r", "snapshot":"00000003-00000002-1",
//    "from_block":0, "to_block":1000 or null}                          blocks of the heap, inside that snapshot
// Beside any of them, of an incremental read:
//   "cursor":{"column":"u", "type":"timestamp with time zone", "from":"..." or null, "to":"...", "kind":"time",
//             "unusable":true}
//                                    from <= u <= to; with "unusable" also the rows whose u gives no place in the order
//                                    (null, infinite, NaN). kind: "time", "number" (with 14: and infinity), "" (plain)
//   "xmin":"741"                     rows written by that transaction or a later one
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace::connectors::postgres {

struct CursorBounds {
  CursorBounds() = default;
  std::string column, type;
  std::string kind;  // which values are no place in the order, beside null: "" none, "time", "number", "number14"
  std::optional<std::string> from;  // text literals
  std::string to;
  bool unusable = false;
};

struct Bounds {
  Bounds() = default;
  char relation = 'r';
  std::vector<std::string> key, key_types;
  std::optional<std::vector<std::string>> from, to;  // text literals, one a key column
  std::string snapshot;
  std::int64_t from_block = 0;
  std::optional<std::int64_t> to_block;
  std::optional<CursorBounds> cursor;
  std::string xmin;  // a transaction id; empty: all
};

std::string to_json(const Bounds& bounds);
Bounds bounds_from_json(const std::string& text);  // throws connector.bad_document

// SQL that is true for rows whose cursor has a place in the order; and the text of a cursor as a literal of its type.
std::string usable_cursor(const CursorBounds& cursor);
std::string cursor_literal(const CursorBounds& cursor, const std::string& value);

// " WHERE ..." for the rows inside, or "" for all. Every row with a key not null is inside exactly one of a plan's
// splits: the literals are compared by the key types' own operators, whose order is total, rows by PostgreSQL's row
// comparison.
std::string where_clause(const Bounds& bounds);

}  // namespace millrace::connectors::postgres
