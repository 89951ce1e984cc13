// Declared types, in both directions.
#include <algorithm>
#include <array>

#include "connectors/sqlite/values.h"
#include "connectors/values/values.h"

namespace millrace::connectors::sqlite {
namespace {

std::string upper(std::string text) {
  for (char& c : text)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return text;
}

// A type's name in SQLite is bare words and at most two numbers in parentheses.
bool is_plain(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == ' ';
  });
}

struct Fixed {
  Kind kind;
  const char* declared;
};
constexpr std::array<Fixed, 17> kFixed{{{Kind::boolean, "BOOLEAN"},
                                        {Kind::int16, "INT2"},
                                        {Kind::int32, "INT4"},
                                        {Kind::int64, "INT8"},
                                        {Kind::float32, "FLOAT4"},
                                        {Kind::float64, "DOUBLE PRECISION"},
                                        {Kind::bytes, "BLOB"},
                                        {Kind::uuid, "UUID"},
                                        {Kind::json, "JSON_TEXT"},
                                        {Kind::jsonb, "JSONB_TEXT"},
                                        {Kind::xml, "XML_TEXT"},
                                        {Kind::date, "DATE"},
                                        {Kind::time, "TIME"},
                                        {Kind::timetz, "TIMETZ"},
                                        {Kind::timestamp, "TIMESTAMP"},
                                        {Kind::timestamptz, "TIMESTAMPTZ"},
                                        {Kind::interval, "INTERVAL_TEXT"}}};

Type text_type() { return Type(Kind::string, "text"); }

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

// What SQLite itself makes of a declared type, in its order of rules (SQLite documentation, "Determination Of Column
// Affinity").
Type by_affinity(const std::string& name) {
  if (contains(name, "int")) return Type(Kind::int64, "bigint");
  if (contains(name, "char") || contains(name, "clob") || contains(name, "text") || name.empty()) return text_type();
  if (contains(name, "blob")) return Type(Kind::bytes, "bytea");
  if (contains(name, "real") || contains(name, "floa") || contains(name, "doub"))
    return Type(Kind::float64, "double precision");
  return Type(Kind::numeric, "numeric");
}

// Names whose meaning is PostgreSQL's, without their modifiers: SQLite keeps none of these limits, and a value beyond
// one would stop a load.
std::optional<Type> known(const std::string& base) {
  constexpr std::array<std::string_view, 17> kSame{"bool",
                                                   "boolean",
                                                   "int2",
                                                   "int4",
                                                   "float4",
                                                   "numeric",
                                                   "uuid",
                                                   "json",
                                                   "jsonb",
                                                   "xml",
                                                   "date",
                                                   "time",
                                                   "timetz",
                                                   "timestamptz",
                                                   "timestamp",
                                                   "timestamp with time zone",
                                                   "time with time zone"};
  if (base == "datetime") return Type(Kind::timestamp, "timestamp without time zone");
  if (base == "decimal" || base == "number") return Type(Kind::numeric, "numeric");
  if (std::find(kSame.begin(), kSame.end(), base) == kSame.end()) return std::nullopt;
  return values::type_of_name(base);
}

}  // namespace

std::string declared_type(const Type& type) {
  const std::string base = values::base_name(type.pg_type), more = values::modifiers(type.pg_type);
  for (const Fixed& f : kFixed)
    if (f.kind == type.kind) return f.declared;
  switch (type.kind) {
    case Kind::numeric:
      return "DECIMAL_TEXT" + more;
    case Kind::array:
      return (is_plain(base) ? upper(base) : std::string("TEXT")) + " ARRAY";
    case Kind::native:
      if (!is_plain(base)) return "BLOB";
      // A bit without its length would be read as one bit.
      return upper(base) + (values::has_text(type) ? "_TEXT" : "_BLOB") + (base == "bit" ? more : "");
    default:
      break;
  }
  if (base == "character varying") return "VARCHAR" + more;
  return base == "character" ? "CHAR" + more : "TEXT";
}

Type type_of_declared(std::string_view declared) {
  const std::string base = values::base_name(declared), more = values::modifiers(declared);
  const auto before = [&](std::string_view end) { return base.substr(0, base.size() - end.size()); };
  if (base.ends_with(" array")) {
    const auto element = values::type_of_name(before(" array") + "[]");
    if (element) return *element;
  }
  if (base.ends_with("_text")) {
    const std::string inner = before("_text");
    const auto type = values::type_of_name(inner == "decimal" ? "numeric" + more
                                           : inner == "bit"   ? inner + more
                                                              : inner);
    if (type) return *type;
  }
  if (base.ends_with("_blob")) {
    const auto type = values::type_of_name(before("_blob"));
    if (type) return *type;
  }
  if (const auto type = known(base)) return *type;
  return by_affinity(base);
}

}  // namespace millrace::connectors::sqlite
