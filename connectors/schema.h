// What a stream is: names, fields, types. A schema travels beside row batches, never inside them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::connectors {

// A stream's name. `ns` is the source's namespace (a Postgres schema); empty where a source has none.
struct StreamName {
  StreamName() = default;
  StreamName(std::string n, std::string s) : ns(std::move(n)), name(std::move(s)) {}
  std::string ns;
  std::string name;
  auto operator<=>(const StreamName&) const = default;
  std::string text() const { return ns.empty() ? name : ns + "." + name; }
};

// Canonical types. A field's bytes in a row batch are PostgreSQL's binary send format of the type named here
// (PostgreSQL 15 documentation, 55.2 "COPY binary", and each type's send function).
enum class Kind : std::uint8_t {
  boolean,
  int16,
  int32,
  int64,
  float32,
  float64,
  numeric,
  string,  // text, varchar, char, enum labels, and every value that goes as text
  bytes,
  uuid,
  json,
  jsonb,
  xml,
  date,
  time,
  timetz,
  timestamp,
  timestamptz,
  interval,
  array,   // binary array of `element`; only element types with fixed built-in OIDs
  native,  // another built-in PostgreSQL type with a portable binary form (inet, point, tsvector, int4range, ...)
};
std::string_view to_string(Kind kind);
std::optional<Kind> parse_kind(std::string_view text);

struct Type {
  Type() = default;
  Type(Kind k, std::string pg) : kind(k), pg_type(std::move(pg)) {}
  Kind kind = Kind::string;
  std::string pg_type = "text";  // how PostgreSQL writes it, with modifiers: "numeric(10,2)", "text[]"
  Kind element = Kind::string;   // of an array
  bool operator==(const Type&) const = default;
};

struct Field {
  std::string name;
  Type type;
  bool nullable = true;
  std::string source_type;       // the source's own word, for people: "public.order_status"
  bool as_text = false;          // the source's type has no portable binary form and goes as its text
  std::int32_t source_id = 0;    // identity that survives a rename (attnum); 0: none
  std::string source_name = {};  // the source's own name, where a mapper gave the field another; else empty
  bool operator==(const Field&) const = default;
};

struct Schema {
  std::vector<Field> fields;
  bool operator==(const Schema&) const = default;
  std::optional<std::size_t> index_of(std::string_view name) const;
};
using SchemaPtr = std::shared_ptr<const Schema>;

enum class SyncMode {
  full_refresh_overwrite,
  full_refresh_append,
  full_refresh_overwrite_deduped,
  incremental_append,
  incremental_deduped_history,
};
std::string_view to_string(SyncMode mode);
// Read from where the last load ended.
inline bool is_incremental(SyncMode mode) {
  return mode == SyncMode::incremental_append || mode == SyncMode::incremental_deduped_history;
}
// One row a key at the destination.
inline bool is_deduped(SyncMode mode) {
  return mode == SyncMode::full_refresh_overwrite_deduped || mode == SyncMode::incremental_deduped_history;
}
std::optional<SyncMode> parse_sync_mode(std::string_view text);

// A stream as discover finds it.
struct Stream {
  StreamName name;
  Schema schema;
  std::vector<std::string> primary_key;  // the source's own, in key order; empty: none
  std::vector<SyncMode> sync_modes;      // what the source can do
  std::vector<std::string> cursor_candidates;
  bool source_defined_cursor = false;  // the source knows by itself what is new (CDC, xmin): none has to be named
  std::int64_t rows_estimate = -1;     // -1: unknown
  std::int64_t bytes_estimate = -1;
  bool is_view = false;
  bool follows_log = false;  // incremental modes follow the source's log after one load
};

struct Catalog {
  std::vector<Stream> streams;  // ordered by name
};
// JSON as the API shows it (Airbyte's catalog shape, JSON Schema per stream with our types beside), and back.
// Reading throws Error connector.bad_document.
std::string to_json(const Catalog& catalog);
Catalog catalog_from_json(const std::string& json);
std::string to_json(const Schema& schema);
Schema schema_from_json(const std::string& json);

}  // namespace millrace::connectors
