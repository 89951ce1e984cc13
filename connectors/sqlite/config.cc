#include "connectors/sqlite/config.h"

#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "connectors/local_path.h"
#include "connectors/sqlite/destination.h"
#include "connectors/sqlite/source.h"

namespace millrace::connectors::sqlite {

using nlohmann::json;

namespace {

constexpr std::int64_t kMaxTimeout = 600;

std::string spec(bool as_source) {
  json p;
  p["path"] = {{"type", "string"},
               {"title", "Path"},
               {"description",
                as_source ? "The database file, as an absolute path on the server's machine."
                          : "The database file, as an absolute path on the server's machine. It is made if it is not "
                            "there; its directory must be."},
               {"examples", json::array({"/srv/data/shop.db"})},
               {"order", 0}};
  p["busy_timeout_seconds"] = {{"type", "integer"},
                               {"title", "Wait for locks"},
                               {"description", "For how many seconds a lock of another program is waited for."},
                               {"minimum", 0},
                               {"maximum", kMaxTimeout},
                               {"default", 10},
                               {"order", 1}};
  if (as_source)
    p["unfit_values"] = {{"type", "string"},
                         {"title", "Values that do not fit"},
                         {"description",
                          "SQLite lets a column hold values of any type. fail stops the stream at a value that is none "
                          "of its column's declared type; null reads it as null."},
                         {"enum", json::array({"fail", "null"})},
                         {"default", "fail"},
                         {"order", 2}};
  p[as_source ? "sourceType" : "destinationType"] = {{"type", "string"}, {"airbyte_hidden", true}};
  return json{{"$schema", "http://json-schema.org/draft-07/schema#"},
              {"title", as_source ? "SQLite source" : "SQLite destination"},
              {"type", "object"},
              {"required", json::array({"path"})},
              {"additionalProperties", false},
              {"properties", p}}
      .dump();
}

}  // namespace

SqliteConfig sqlite_config(const std::string& text) {
  const json j = json::parse(text, nullptr, false);
  if (!j.is_object()) throw Error("connector.config_invalid", "it is not an object");
  SqliteConfig c;
  if (!j.contains("path") || !j["path"].is_string()) throw Error("connector.config_invalid", "path is missing");
  c.path = j["path"].get<std::string>();
  if (j.contains("busy_timeout_seconds") && !j["busy_timeout_seconds"].is_null()) {
    const json& seconds = j["busy_timeout_seconds"];
    if (!seconds.is_number_integer() || seconds.get<std::int64_t>() < 0 || seconds.get<std::int64_t>() > kMaxTimeout)
      throw Error("connector.config_invalid", "busy_timeout_seconds is not a whole number from 0 to 600");
    c.busy_timeout = std::chrono::seconds(seconds.get<std::int64_t>());
  }
  if (const auto it = j.find("unfit_values"); it != j.end() && !it->is_null()) {
    if (*it != "fail" && *it != "null")
      throw Error("connector.config_invalid", "unfit_values is neither fail nor null");
    c.unfit_as_null = *it == "null";
  }
  return c;
}

Connector connector() {
  Connector c;
  c.name = "sqlite";
  c.definition_id = "5a5f8cc1-7a0e-4c57-9f0c-0d2f6f7a3f11";
  c.destination_definition_id = "b76be0a6-27dc-4560-95f6-2623da0bd7b6";
  c.title = "SQLite";
  c.source_spec = spec(true);
  c.destination_spec = spec(false);
  c.make_source = [](Runtime runtime, const std::string& configuration) -> std::unique_ptr<Source> {
    return std::make_unique<SqliteSource>(std::move(runtime), sqlite_config(configuration));
  };
  c.make_destination = [](Runtime runtime, const std::string& configuration) -> std::unique_ptr<Destination> {
    return std::make_unique<SqliteDestination>(std::move(runtime), sqlite_config(configuration));
  };
  c.source_modes = SqliteSource::modes();
  c.destination_modes = SqliteDestination::modes();
  c.url_schemes = {"sqlite", "sqlite3"};
  c.configuration_from_url = [](const std::string& url, bool) { return json{{"path", path_of_url(url)}}.dump(); };
  return c;
}

}  // namespace millrace::connectors::sqlite
