#include "connectors/postgres/bounds.h"

#include <nlohmann/json.hpp>

#include "connectors/read_document.h"
#include "net/postgres.h"

namespace millrace::connectors::postgres {

using nlohmann::json;

namespace {

std::string key_row(const Bounds& b) {
  std::string out = "(";
  for (const auto& column : b.key) out += (out.size() > 1 ? ", " : "") + net::quote_identifier(column);
  return out += ")";
}

std::string literal_row(const Bounds& b, const std::vector<std::string>& values) {
  std::string out = "(";
  for (std::size_t i = 0; i < values.size(); ++i)
    out += (i > 0 ? ", " : "") + net::quote_literal(values[i]) + "::" + b.key_types.at(i);
  return out += ")";
}

std::string cursor_condition(const CursorBounds& c) {
  const std::string column = net::quote_identifier(c.column);
  std::string range = column + " <= " + cursor_literal(c, c.to);
  if (c.from) range += " AND " + column + " >= " + cursor_literal(c, *c.from);
  if (!c.unusable) return range;
  return "((" + range + ") OR (" + usable_cursor(c) + ") IS NOT TRUE)";
}

std::string tid(std::int64_t block) { return "'(" + std::to_string(block) + ",0)'::tid"; }

}  // namespace

std::string usable_cursor(const CursorBounds& c) {
  const std::string column = net::quote_identifier(c.column);
  if (c.kind == "time") return "pg_catalog.isfinite(" + column + ")";
  if (c.kind == "number") return column + " <> 'NaN'";
  if (c.kind == "number14") return column + " NOT IN ('NaN', 'Infinity', '-Infinity')";
  return column + " IS NOT NULL";
}

std::string cursor_literal(const CursorBounds& c, const std::string& value) {
  return net::quote_literal(value) + "::" + c.type;
}

std::string to_json(const Bounds& b) {
  json out{{"v", 1}, {"relation", std::string(1, b.relation)}};
  if (!b.key.empty()) {
    out["key"] = b.key;
    out["types"] = b.key_types;
    out["from"] = b.from ? json(*b.from) : json();
    out["to"] = b.to ? json(*b.to) : json();
  }
  if (!b.snapshot.empty()) {
    out["snapshot"] = b.snapshot;
    out["from_block"] = b.from_block;
    out["to_block"] = b.to_block ? json(*b.to_block) : json();
  }
  if (b.cursor) {
    const CursorBounds& c = *b.cursor;
    out["cursor"] = {{"column", c.column}, {"type", c.type},
                     {"kind", c.kind},     {"from", c.from ? json(*c.from) : json()},
                     {"to", c.to},         {"unusable", c.unusable}};
  }
  if (!b.xmin.empty()) out["xmin"] = b.xmin;
  return out.dump();
}

Bounds bounds_from_json(const std::string& text) {
  return read_document(text, "split bounds", [](const json& j) {
    if (j.at("v").get<int>() != 1) throw Error("connector.bad_document", "split bounds: version " + j.at("v").dump());
    Bounds b;
    b.relation = j.at("relation").get<std::string>().at(0);
    if (j.contains("key")) {
      b.key = j.at("key").get<std::vector<std::string>>();
      b.key_types = j.at("types").get<std::vector<std::string>>();
      if (!j.at("from").is_null()) b.from = j.at("from").get<std::vector<std::string>>();
      if (!j.at("to").is_null()) b.to = j.at("to").get<std::vector<std::string>>();
      const auto wrong = [&](const auto& bound) { return bound && bound->size() != b.key.size(); };
      if (b.key.empty() || b.key_types.size() != b.key.size() || wrong(b.from) || wrong(b.to))
        throw Error("connector.bad_document", "split bounds: key, types and bounds differ in number");
    }
    if (j.contains("snapshot")) {
      b.snapshot = j.at("snapshot").get<std::string>();
      b.from_block = j.at("from_block").get<std::int64_t>();
      if (!j.at("to_block").is_null()) b.to_block = j.at("to_block").get<std::int64_t>();
    }
    b.xmin = j.value("xmin", "");
    if (j.contains("cursor")) {
      const json& c = j.at("cursor");
      b.cursor.emplace();
      b.cursor->column = c.at("column").get<std::string>();
      b.cursor->type = c.at("type").get<std::string>();
      b.cursor->kind = c.at("kind").get<std::string>();
      if (!c.at("from").is_null()) b.cursor->from = c.at("from").get<std::string>();
      b.cursor->to = c.at("to").get<std::string>();
      b.cursor->unusable = c.at("unusable").get<bool>();
    }
    return b;
  });
}

std::string where_clause(const Bounds& b) {
  std::string out;
  const auto add = [&out](const std::string& condition) { out += (out.empty() ? " WHERE " : " AND ") + condition; };
  if (b.from) add(key_row(b) + " >= " + literal_row(b, *b.from));
  if (b.to) add(key_row(b) + " < " + literal_row(b, *b.to));
  if (!b.snapshot.empty() && b.from_block > 0) add("ctid >= " + tid(b.from_block));
  if (!b.snapshot.empty() && b.to_block) add("ctid < " + tid(*b.to_block));
  if (b.cursor) add(cursor_condition(*b.cursor));
  if (!b.xmin.empty())
    add("pg_catalog.age(xmin) <= pg_catalog.age(" + net::quote_literal(b.xmin) + "::pg_catalog.xid)");
  return out;
}

}  // namespace millrace::connectors::postgres
