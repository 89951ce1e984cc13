#include "api/airbyte_shape.h"

#include <algorithm>
#include <initializer_list>

#include <nlohmann/json.hpp>

#include "api/json_body.h"
#include "common/log.h"

namespace millrace::api {

using Json = nlohmann::json;
using resources::Kind;

namespace {

void copy(const Json& from, Json& to, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (const auto it = from.find(name); it != from.end() && !it->is_null()) to[name] = *it;
  }
}

Json schedule_of(const Json& ours) {
  const Json schedule = ours.value("schedule", Json::object());
  const std::string type = schedule.value("scheduleType", "manual");
  Json out = Json::object();
  if (type == "continuous") {
    out["scheduleType"] = "basic";
    out["basicTiming"] = "Continuous";
  } else {
    out["scheduleType"] = type;
    copy(schedule, out, {"cronExpression", "basicTiming"});
  }
  return out;
}

// Mappers that Airbyte does not have would break its clients, whose enums are closed.
void drop_foreign_mappers(Json& stream) {
  const auto it = stream.find("mappers");
  if (it == stream.end() || !it->is_array()) return;
  Json kept = Json::array();
  for (const Json& mapper : *it) {
    const std::string type = mapper.value("type", "");
    if (type == "field-renaming" || type == "hashing" || type == "encryption") kept.push_back(mapper);
  }
  if (kept.empty())
    stream.erase("mappers");
  else
    stream["mappers"] = std::move(kept);
}

Json configurations_of(const Json& ours) {
  Json streams = Json::array();
  const auto configurations = ours.find("configurations");
  if (configurations != ours.end() && configurations->is_object() && configurations->contains("streams")) {
    for (const Json& stream : configurations->at("streams")) {
      Json one = Json::object();
      copy(stream, one,
           {"name", "namespace", "syncMode", "cursorField", "primaryKey", "selectedFields", "mappers", "includeFiles",
            "destinationObjectName"});
      drop_foreign_mappers(one);
      streams.push_back(std::move(one));
    }
  }
  Json out = Json::object();
  out["streams"] = std::move(streams);
  return out;
}

}  // namespace

Json airbyte_resource(Kind kind, const Json& ours) {
  Json out = Json::object();
  copy(ours, out, {"name", "workspaceId", "createdAt"});
  switch (kind) {
    case Kind::source:
      copy(ours, out, {"sourceId", "sourceType", "definitionId", "configuration"});
      break;
    case Kind::destination:
      copy(ours, out, {"destinationId", "destinationType", "definitionId", "configuration"});
      break;
    case Kind::connection:
      copy(ours, out,
           {"connectionId", "sourceId", "destinationId", "status", "namespaceDefinition", "namespaceFormat", "prefix",
            "nonBreakingSchemaUpdatesBehavior", "statusReason"});
      out["schedule"] = schedule_of(ours);
      out["configurations"] = configurations_of(ours);
      out["tags"] = Json::array();
      break;
  }
  return out;
}

std::optional<Json> airbyte_job(const Json& ours) {
  const std::string type = ours.value("jobType", "");
  if (type != "sync" && type != "refresh" && type != "clear" && type != "reset") return std::nullopt;
  Json out = Json::object();
  copy(ours, out,
       {"jobId", "connectionId", "jobType", "status", "startTime", "lastUpdatedAt", "duration", "bytesSynced",
        "rowsSynced"});
  return out;
}

std::string airbyte_body_to_ours(Kind kind, const std::string& body) {
  const Json sent = parse_json_body(body);
  if (!sent.is_object())
    throw BodyError("request.invalid", "the body must be a JSON object", {{"", "must be an object"}});
  Json out = Json::object();
  if (kind == Kind::connection) {
    copy(sent, out,
         {"name", "sourceId", "destinationId", "workspaceId", "status", "schedule", "namespaceDefinition",
          "namespaceFormat", "prefix", "nonBreakingSchemaUpdatesBehavior", "configurations"});
  } else {
    copy(sent, out, {"name", "workspaceId", "definitionId", "configuration"});
  }
  for (const auto& [name, value] : sent.items()) {
    if (!out.contains(name) && !value.is_null()) log_info("unknown field ignored", {{"field", name.substr(0, 100)}});
  }
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace millrace::api
