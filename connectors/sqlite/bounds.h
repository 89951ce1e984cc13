// The bounds of a split of an SQLite read, as JSON. Version 1, documented here because histories hold it:
//   {"v":1}                                                         all rows
//   {"v":1, "key":["a","b"], "from":["1","'x'"] or null, "to":[...] or null}
//                                                  from <= key < to; SQL literals; null: no bound on that side
// Beside either, of an incremental read:
//   "cursor":{"field":{"name":"u", ...}, "from":"5" or null, "to":"9", "unusable":true}
//                                                  from <= u <= to; with "unusable" also rows whose u has no place in
//                                                  the order (null, infinite)
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "connectors/schema.h"

namespace millrace::connectors::sqlite {

struct CursorBounds {
  CursorBounds() = default;
  Field field;
  std::optional<std::string> from;  // SQL literals
  std::string to;
  bool unusable = false;
};

struct Bounds {
  Bounds() = default;
  std::vector<std::string> key;
  std::optional<std::vector<std::string>> from, to;
  std::optional<CursorBounds> cursor;
};

std::string to_json(const Bounds& bounds);
Bounds bounds_from_json(const std::string& text);  // throws connector.bad_document

// SQL that is true for rows whose cursor has a place in the order.
std::string usable_cursor(const Field& cursor);
// " WHERE ...", or "" for all rows.
std::string where_clause(const Bounds& bounds);

}  // namespace millrace::connectors::sqlite
