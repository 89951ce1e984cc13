#include <algorithm>
#include <array>

#include "connectors/values/parts.h"

namespace millrace::connectors::values {
namespace {

struct Name {
  std::string_view written;
  std::string_view pg_type;
  Kind kind;
};

constexpr std::array<Name, 41> kNames{{
    {"bool", "boolean", Kind::boolean},
    {"boolean", "boolean", Kind::boolean},
    {"int2", "smallint", Kind::int16},
    {"smallint", "smallint", Kind::int16},
    {"int4", "integer", Kind::int32},
    {"int", "integer", Kind::int32},
    {"integer", "integer", Kind::int32},
    {"int8", "bigint", Kind::int64},
    {"bigint", "bigint", Kind::int64},
    {"float4", "real", Kind::float32},
    {"real", "real", Kind::float32},
    {"float8", "double precision", Kind::float64},
    {"double precision", "double precision", Kind::float64},
    {"numeric", "numeric", Kind::numeric},
    {"decimal", "numeric", Kind::numeric},
    {"text", "text", Kind::string},
    {"varchar", "character varying", Kind::string},
    {"character varying", "character varying", Kind::string},
    {"char", "character", Kind::string},
    {"bpchar", "character", Kind::string},
    {"character", "character", Kind::string},
    {"name", "name", Kind::string},
    {"bytea", "bytea", Kind::bytes},
    {"uuid", "uuid", Kind::uuid},
    {"json", "json", Kind::json},
    {"jsonb", "jsonb", Kind::jsonb},
    {"xml", "xml", Kind::xml},
    {"date", "date", Kind::date},
    {"time", "time without time zone", Kind::time},
    {"time without time zone", "time without time zone", Kind::time},
    {"timetz", "time with time zone", Kind::timetz},
    {"time with time zone", "time with time zone", Kind::timetz},
    {"timestamp", "timestamp without time zone", Kind::timestamp},
    {"timestamp without time zone", "timestamp without time zone", Kind::timestamp},
    {"timestamptz", "timestamp with time zone", Kind::timestamptz},
    {"timestamp with time zone", "timestamp with time zone", Kind::timestamptz},
    {"interval", "interval", Kind::interval},
    {"varbit", "bit varying", Kind::native},
    {"bit varying", "bit varying", Kind::native},
    {"bit", "bit", Kind::native},
    {"string", "text", Kind::string},
}};

constexpr std::array<std::string_view, 30> kNative{"inet",
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
                                                   "datemultirange"};

// Lower case, single spaces, none around.
std::string normalised(std::string_view name) {
  std::string out;
  for (char c : trimmed(name)) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else {
      out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    }
  }
  return out;
}

}  // namespace

std::string modifiers(std::string_view pg_type) {
  const auto open = pg_type.find('('), close = pg_type.find(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return {};
  std::string out;
  for (char c : pg_type.substr(open, close - open + 1))
    if (c != ' ') out += c;
  return out;
}

std::string base_name(std::string_view pg_type) {
  std::string out = normalised(pg_type);
  while (out.ends_with("[]")) out.resize(out.size() - 2);
  if (const auto open = out.find('('); open != std::string::npos) {
    const auto close = out.find(')', open);
    out.erase(open, close == std::string::npos ? std::string::npos : close - open + 1);
  }
  return normalised(out);
}

Type element_type(const Type& array) {
  Type out(array.element, array.pg_type);
  while (out.pg_type.ends_with("[]")) out.pg_type.resize(out.pg_type.size() - 2);
  return out;
}

std::optional<Type> type_of_name(std::string_view name) {
  const std::string whole = normalised(name), base = base_name(whole), more = modifiers(whole);
  if (!std::all_of(more.begin(), more.end(),
                   [](char c) { return (c >= '0' && c <= '9') || c == '(' || c == ')' || c == ',' || c == '-'; }))
    return std::nullopt;
  std::optional<Type> found;
  for (const Name& n : kNames)
    if (n.written == base) {
      std::string written(n.pg_type);
      // "timestamp(3) with time zone": the modifier stands after the first word.
      const auto at =
          n.kind == Kind::time || n.kind == Kind::timetz || n.kind == Kind::timestamp || n.kind == Kind::timestamptz
              ? written.find(' ')
              : written.size();
      written.insert(at, more);
      found = Type(n.kind, written);
      break;
    }
  if (!found && more.empty() && std::find(kNative.begin(), kNative.end(), base) != kNative.end())
    found = Type(Kind::native, base);
  if (!found || !whole.ends_with("[]")) return found;
  Type array(Kind::array, found->pg_type + "[]");
  array.element = found->kind;
  return array;
}

}  // namespace millrace::connectors::values
