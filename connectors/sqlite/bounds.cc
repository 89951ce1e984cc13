#include "connectors/sqlite/bounds.h"

#include <nlohmann/json.hpp>

#include "connectors/catalog_json.h"
#include "connectors/read_document.h"
#include "connectors/sqlite/database.h"
#include "connectors/sqlite/values.h"

namespace millrace::connectors::sqlite {

using nlohmann::json;

namespace {

json literals(const std::optional<std::vector<std::string>>& values) { return values ? json(*values) : json(); }

std::optional<std::vector<std::string>> literals_of(const json& j) {
  if (j.is_null()) return std::nullopt;
  return j.get<std::vector<std::string>>();
}

std::string tuple(const std::vector<std::string>& parts, bool names) {
  std::string out;
  for (const auto& p : parts) out += (out.empty() ? "" : ", ") + (names ? quote_name(p) : p);
  return parts.size() == 1 ? out : "(" + out + ")";
}

}  // namespace

std::string to_json(const Bounds& b) {
  json out{{"v", 1}};
  if (!b.key.empty()) {
    out["key"] = b.key;
    out["from"] = literals(b.from);
    out["to"] = literals(b.to);
  }
  if (b.cursor) {
    out["cursor"] = {{"field", field_to_json(b.cursor->field)},
                     {"from", b.cursor->from ? json(*b.cursor->from) : json()},
                     {"to", b.cursor->to},
                     {"unusable", b.cursor->unusable}};
  }
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

Bounds bounds_from_json(const std::string& text) {
  return read_document(text, "split bounds", [](const json& j) {
    Bounds b;
    b.key = j.value("key", std::vector<std::string>());
    if (!b.key.empty()) {
      b.from = literals_of(j.at("from"));
      b.to = literals_of(j.at("to"));
    }
    if (j.contains("cursor")) {
      const json& c = j.at("cursor");
      CursorBounds cursor;
      cursor.field = field_from_json(c.at("field"));
      if (!c.at("from").is_null()) cursor.from = c.at("from").get<std::string>();
      cursor.to = c.at("to").get<std::string>();
      cursor.unusable = c.at("unusable").get<bool>();
      b.cursor = std::move(cursor);
    }
    return b;
  });
}

std::string usable_cursor(const Field& cursor) {
  const std::string c = quote_name(cursor.name);
  std::string out = c + " IS NOT NULL AND (typeof(" + c + ") <> 'real' OR abs(" + c + ") < 9e999)";
  // infinity, -infinity and NaN stand there as text.
  if (cursor.type.kind != Kind::string && cursor.type.kind != Kind::uuid)
    out += " AND (typeof(" + c + ") <> 'text' OR " + c + " GLOB '*[0-9]*')";
  return out;
}

std::string where_clause(const Bounds& b) {
  std::string out;
  const auto add = [&](const std::string& condition) { out += (out.empty() ? " WHERE " : " AND ") + condition; };
  if (b.from) add(tuple(b.key, true) + " >= " + tuple(*b.from, false));
  if (b.to) add(tuple(b.key, true) + " < " + tuple(*b.to, false));
  if (b.cursor) {
    const std::string c = ordered(quote_name(b.cursor->field.name), b.cursor->field.type),
                      usable = usable_cursor(b.cursor->field);
    std::string inside = usable;
    if (!b.cursor->to.empty()) inside += " AND " + c + " <= " + b.cursor->to;
    if (b.cursor->from) inside += " AND " + c + " >= " + *b.cursor->from;
    add(b.cursor->unusable ? "((" + inside + ") OR (" + usable + ") IS NOT TRUE)" : "(" + inside + ")");
  }
  return out;
}

}  // namespace millrace::connectors::sqlite
