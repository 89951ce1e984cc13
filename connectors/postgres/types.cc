#include "connectors/postgres/types.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "net/postgres.h"

namespace millrace::connectors::postgres {
namespace {

struct Known {
  std::string_view name;
  Kind kind;
};
constexpr std::array<Known, 25> kKnown{{
    {"bool", Kind::boolean},
    {"int2", Kind::int16},
    {"int4", Kind::int32},
    {"int8", Kind::int64},
    {"float4", Kind::float32},
    {"float8", Kind::float64},
    {"numeric", Kind::numeric},
    {"text", Kind::string},
    {"varchar", Kind::string},
    {"bpchar", Kind::string},
    {"name", Kind::string},
    {"char", Kind::string},
    {"bytea", Kind::bytes},
    {"uuid", Kind::uuid},
    {"json", Kind::json},
    {"jsonb", Kind::jsonb},
    {"xml", Kind::xml},
    {"date", Kind::date},
    {"time", Kind::time},
    {"timetz", Kind::timetz},
    {"timestamp", Kind::timestamp},
    {"timestamptz", Kind::timestamptz},
    {"interval", Kind::interval},
    {"citext", Kind::string},
    {"refcursor", Kind::string},
}};

// Built-in types with a binary form that means the same on every server.
constexpr std::array<std::string_view, 35> kNative{"inet",
                                                   "cidr",
                                                   "macaddr",
                                                   "macaddr8",
                                                   "point",
                                                   "lseg",
                                                   "path",
                                                   "box",
                                                   "polygon",
                                                   "line",
                                                   "circle",
                                                   "bit",
                                                   "varbit",
                                                   "money",
                                                   "tsvector",
                                                   "tsquery",
                                                   "pg_lsn",
                                                   "oid",
                                                   "xid",
                                                   "xid8",
                                                   "cid",
                                                   "tid",
                                                   "int4range",
                                                   "int8range",
                                                   "numrange",
                                                   "tsrange",
                                                   "tstzrange",
                                                   "daterange",
                                                   "int4multirange",
                                                   "int8multirange",
                                                   "nummultirange",
                                                   "tsmultirange",
                                                   "tstzmultirange",
                                                   "datemultirange",
                                                   "jsonpath"};

std::optional<Kind> portable_kind(const PgType& type) {
  if (!type.builtin) return std::nullopt;
  for (const Known& k : kKnown)
    if (k.name == type.name) return k.kind;
  if (std::find(kNative.begin(), kNative.end(), type.name) != kNative.end()) return Kind::native;
  return std::nullopt;
}

std::uint32_t to_oid(const std::optional<std::string>& text) {
  return text ? static_cast<std::uint32_t>(std::strtoul(text->c_str(), nullptr, 10)) : 0;
}

}  // namespace

// Composites and arrays of them are left out: one of each belongs to every table. What is not found is taken for one.
const char* PgTypes::query() {
  return "SELECT t.oid, t.typname, n.nspname = 'pg_catalog' AND t.oid < 16384, t.typtype, "
         "t.typbasetype, CASE WHEN t.typtype = 'd' THEN pg_catalog.format_type(t.typbasetype, t.typtypmod) END, "
         "CASE WHEN t.typlen = -1 AND t.typelem <> 0 AND t.typname LIKE '\\_%' THEN t.typelem ELSE 0 END "
         "FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace "
         "LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem "
         "WHERE t.typtype <> 'c' AND (e.oid IS NULL OR e.typtype <> 'c')";
}

void PgTypes::add_row(const std::vector<std::optional<std::string>>& row) {
  PgType t;
  t.oid = to_oid(row.at(0));
  t.name = row.at(1).value_or("");
  t.builtin = row.at(2).value_or("") == "t";
  t.typtype = row.at(3).value_or("b").at(0);
  t.base = to_oid(row.at(4));
  t.base_text = row.at(5).value_or("");
  t.element = to_oid(row.at(6));
  add(std::move(t));
}

const PgType* PgTypes::find(std::uint32_t oid) const {
  const auto it = types_.find(oid);
  return it == types_.end() ? nullptr : &it->second;
}

void PgTypes::describe(std::uint32_t oid, const std::string& text, Field& field) const {
  field.source_type = text;
  field.as_text = true;
  field.type = Type(Kind::string, "text");

  std::string written = text;
  const PgType* type = find(oid);
  while (type && type->typtype == 'd') {  // a domain over a domain over ...
    written = type->base_text;
    type = find(type->base);
  }
  if (!type) return;
  if (type->typtype == 'e') {
    field.as_text = false;
    return;
  }
  if (type->element != 0) {
    const PgType* element = find(type->element);
    std::string element_text;
    while (element && element->typtype == 'd') {
      element_text = element->base_text;
      element = find(element->base);
    }
    if (!element) return;
    if (element->typtype == 'e') {
      field.type = Type(Kind::array, "text[]");
      field.as_text = false;
      return;
    }
    const auto kind = portable_kind(*element);
    if (!kind) return;
    field.type = Type(Kind::array, element_text.empty() ? written : element_text + "[]");
    field.type.element = *kind;
    field.as_text = false;
    return;
  }
  if (const auto kind = portable_kind(*type)) {
    field.type = Type(*kind, written);
    field.as_text = false;
  }
}

std::string select_expression(const Field& field) {
  std::string column = net::quote_identifier(field.name);
  if (field.as_text) return column + "::text";
  if (field.type.kind == Kind::array && !field.source_type.empty() && field.source_type != field.type.pg_type)
    return column + "::" + field.type.pg_type;
  return column;
}

bool is_plain_type_name(const std::string& text) {
  if (text.empty() || text.size() > 100) return false;
  if (text.find("--") != std::string::npos) return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == ' ' || c == '(' || c == ')' ||
           c == ',' || c == '[' || c == ']' || c == '"' || c == '-';
  });
}

}  // namespace millrace::connectors::postgres
