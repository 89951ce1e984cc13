#include "connectors/catalog_json.h"

#include <nlohmann/json.hpp>

#include "connectors/read_document.h"

namespace millrace::connectors {

using nlohmann::json;

namespace {

struct JsonType {
  const char* type;
  const char* format = nullptr;
  const char* airbyte_type = nullptr;
};

// Airbyte protocol, "Supported data types".
JsonType json_type(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return {"boolean"};
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
      return {"number", nullptr, "integer"};
    case Kind::float32:
    case Kind::float64:
    case Kind::numeric:
      return {"number"};
    case Kind::date:
      return {"string", "date"};
    case Kind::time:
      return {"string", "time", "time_without_timezone"};
    case Kind::timetz:
      return {"string", "time", "time_with_timezone"};
    case Kind::timestamp:
      return {"string", "date-time", "timestamp_without_timezone"};
    case Kind::timestamptz:
      return {"string", "date-time", "timestamp_with_timezone"};
    default:
      return {"string"};
  }
}

json of_kind(Kind kind, bool nullable) {
  const JsonType t = json_type(kind);
  json out;
  if (nullable)
    out["type"] = json::array({"null", t.type});
  else
    out["type"] = t.type;
  if (t.format) out["format"] = t.format;
  if (t.airbyte_type) out["airbyte_type"] = t.airbyte_type;
  return out;
}

json names_json(const std::vector<std::string>& names) {
  json out = json::array();
  for (const auto& n : names) out.push_back(json::array({n}));
  return out;
}

json stream_json(const Stream& s) {
  json properties = json::object();
  for (const Field& f : s.schema.fields) properties[f.name] = field_json_schema(f);
  json airbyte_modes = json::array({"full_refresh"});
  for (const SyncMode m : s.sync_modes)
    if (m == SyncMode::incremental_append) airbyte_modes.push_back("incremental");
  json modes = json::array();
  for (const SyncMode m : s.sync_modes) modes.push_back(to_string(m));
  json out{{"name", s.name.name},
           {"json_schema", {{"type", "object"}, {"properties", std::move(properties)}}},
           {"supported_sync_modes", std::move(airbyte_modes)},
           {"source_defined_primary_key", names_json(s.primary_key)},
           {"default_cursor_field", json::array()},
           {"millrace",
            {{"fields", schema_to_json(s.schema)},
             {"syncModes", std::move(modes)},
             {"cursorCandidates", s.cursor_candidates},
             {"rowsEstimate", s.rows_estimate},
             {"bytesEstimate", s.bytes_estimate},
             {"isView", s.is_view}}}};
  if (s.source_defined_cursor) out["source_defined_cursor"] = true;
  if (s.follows_log) out["millrace"]["followsLog"] = true;
  if (!s.name.ns.empty()) out["namespace"] = s.name.ns;
  return out;
}

Stream stream_of_json(const json& j) {
  Stream s;
  s.name = StreamName(j.value("namespace", ""), j.at("name").get<std::string>());
  for (const auto& path : j.at("source_defined_primary_key")) s.primary_key.push_back(path.at(0).get<std::string>());
  const json& own = j.at("millrace");
  s.schema = schema_value_from_json(own.at("fields"));
  for (const auto& text : own.at("syncModes")) {
    const auto mode = parse_sync_mode(text.get<std::string>());
    if (!mode) throw Error("connector.bad_document", "catalog: unknown sync mode " + text.dump());
    s.sync_modes.push_back(*mode);
  }
  s.cursor_candidates = own.at("cursorCandidates").get<std::vector<std::string>>();
  s.rows_estimate = own.at("rowsEstimate").get<std::int64_t>();
  s.bytes_estimate = own.at("bytesEstimate").get<std::int64_t>();
  s.is_view = own.at("isView").get<bool>();
  s.follows_log = own.value("followsLog", false);
  s.source_defined_cursor = j.value("source_defined_cursor", false);
  return s;
}

Kind kind_of(const json& j) {
  const auto kind = parse_kind(j.get<std::string>());
  if (!kind) throw Error("connector.bad_document", "schema: unknown kind " + j.dump());
  return *kind;
}

}  // namespace

json field_json_schema(const Field& field) {
  if (field.type.kind != Kind::array) return of_kind(field.type.kind, field.nullable);
  json out;
  if (field.nullable)
    out["type"] = json::array({"null", "array"});
  else
    out["type"] = "array";
  out["items"] = of_kind(field.type.element, true);
  return out;
}

json field_to_json(const Field& f) {
  json out{{"name", f.name}, {"kind", to_string(f.type.kind)}, {"pgType", f.type.pg_type}, {"nullable", f.nullable}};
  if (f.type.kind == Kind::array) out["element"] = to_string(f.type.element);
  if (!f.source_type.empty()) out["sourceType"] = f.source_type;
  if (f.as_text) out["asText"] = true;
  if (f.source_id != 0) out["sourceId"] = f.source_id;
  if (!f.source_name.empty()) out["sourceName"] = f.source_name;
  return out;
}

Field field_from_json(const json& j) {
  Field f;
  f.name = j.at("name").get<std::string>();
  f.type.kind = kind_of(j.at("kind"));
  f.type.pg_type = j.at("pgType").get<std::string>();
  if (j.contains("element")) f.type.element = kind_of(j.at("element"));
  f.nullable = j.at("nullable").get<bool>();
  f.source_type = j.value("sourceType", "");
  f.as_text = j.value("asText", false);
  f.source_id = j.value("sourceId", 0);
  f.source_name = j.value("sourceName", "");
  return f;
}

json schema_to_json(const Schema& schema) {
  json out = json::array();
  for (const Field& f : schema.fields) out.push_back(field_to_json(f));
  return out;
}

Schema schema_value_from_json(const json& j) {
  Schema out;
  for (const auto& f : j) out.fields.push_back(field_from_json(f));
  return out;
}

std::string to_json(const Schema& schema) { return schema_to_json(schema).dump(); }
Schema schema_from_json(const std::string& text) { return read_document(text, "schema", schema_value_from_json); }

std::string to_json(const Catalog& catalog) {
  json streams = json::array();
  for (const Stream& s : catalog.streams) streams.push_back(stream_json(s));
  return json{{"streams", std::move(streams)}}.dump();
}

Catalog catalog_from_json(const std::string& text) {
  return read_document(text, "catalog", [](const json& j) {
    Catalog out;
    for (const auto& s : j.at("streams")) out.streams.push_back(stream_of_json(s));
    return out;
  });
}

}  // namespace millrace::connectors
