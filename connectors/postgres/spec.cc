#include "connectors/postgres/spec.h"

#include <nlohmann/json.hpp>

namespace millrace::connectors::postgres {

using nlohmann::json;

namespace {

json text(const char* title, const char* description, int order) {
  return {{"type", "string"}, {"title", title}, {"description", description}, {"order", order}};
}

json secret(json field) {
  field["airbyte_secret"] = true;
  return field;
}

// One variant of a choice: an object whose `key` is a constant.
json variant(const char* key, const char* value, const char* title, json properties = json::object(),
             json needed = json::array()) {
  properties[key] = {{"type", "string"}, {"const", value}, {"order", 0}};
  json all = json::array({key});
  for (const auto& n : needed) all.push_back(n);
  return {{"type", "object"}, {"title", title}, {"required", all}, {"properties", properties}};
}

json ssl_mode(int order) {
  const auto pem = [](const char* title, int at) {
    json field = secret(text(title, "In PEM format.", at));
    field["multiline"] = true;
    return field;
  };
  const json certificates{
      {"ca_certificate", pem("CA certificate", 1)},
      {"client_certificate", pem("Client certificate", 2)},
      {"client_key", pem("Client key", 3)},
      {"client_key_password", secret(text("Password of the client key", "If the key is encrypted.", 4))}};
  json modes = json::array();
  for (const char* mode : {"disable", "allow", "prefer", "require"}) modes.push_back(variant("mode", mode, mode));
  for (const char* mode : {"verify-ca", "verify-full"})
    modes.push_back(variant("mode", mode, mode, certificates, json::array({"ca_certificate"})));
  return {{"type", "object"},
          {"title", "SSL mode"},
          {"description", "As libpq's sslmode. Without it: require; prefer for a loopback address or a Unix socket."},
          {"order", order},
          {"oneOf", modes}};
}

json tunnel_method(int order) {
  const json endpoint{{"tunnel_host", text("Host", "Of the SSH server.", 1)},
                      {"tunnel_port", {{"type", "integer"}, {"title", "Port"}, {"default", 22}, {"order", 2}}},
                      {"tunnel_user", text("User", "At the SSH server.", 3)}};
  json with_key = endpoint, with_password = endpoint;
  with_key["ssh_key"] = secret(text("Private key", "In PEM format.", 4));
  with_password["tunnel_user_password"] = secret(text("Password", "Of the SSH user.", 4));
  return {{"type", "object"},
          {"title", "SSH tunnel"},
          {"description", "Only NO_TUNNEL is available; use a tunnel of your own where one is needed."},
          {"order", order},
          {"oneOf", json::array({variant("tunnel_method", "NO_TUNNEL", "No tunnel"),
                                 variant("tunnel_method", "SSH_KEY_AUTH", "SSH key", with_key),
                                 variant("tunnel_method", "SSH_PASSWORD_AUTH", "Password", with_password)})}};
}

json common_properties() {
  json port{{"type", "integer"}, {"title", "Port"}, {"minimum", 0},
            {"maximum", 65536},  {"default", 5432}, {"examples", json::array({"5432"})},
            {"order", 2}};
  json password = secret(text("Password", "Of the user.", 5));
  password["always_show"] = true;
  return {
      {"host", text("Host", "Name or address of the server, or the directory of its Unix socket.", 1)},
      {"port", port},
      {"database", text("Database name", "The database.", 3)},
      {"username", text("Username", "The user to log in as.", 4)},
      {"password", password},
      {"ssl_mode", ssl_mode(8)},
      {"tunnel_method", tunnel_method(11)},
      {"jdbc_url_params",
       text("JDBC URL parameters",
            "key=value pairs separated by &. Those that have a meaning here are mapped, others refused by name.", 10)}};
}

json replication_method() {
  const json cdc{{"replication_slot", text("Replication slot", "Name of the logical replication slot.", 1)},
                 {"publication", text("Publication", "Name of the publication.", 2)},
                 {"plugin", {{"type", "string"}, {"order", 3}}},
                 {"initial_waiting_seconds", {{"type", "integer"}, {"default", 1200}, {"order", 4}}},
                 {"queue_size", {{"type", "integer"}, {"order", 5}}},
                 {"lsn_commit_behaviour", {{"type", "string"}, {"order", 6}}},
                 {"heartbeat_action_query", {{"type", "string"}, {"default", ""}, {"order", 7}}},
                 {"invalid_cdc_cursor_position_behavior", {{"type", "string"}, {"order", 8}}},
                 {"initial_load_timeout_hours", {{"type", "integer"}, {"default", 8}, {"order", 9}}},
                 {"debezium_shutdown_timeout_seconds", {{"type", "integer"}, {"order", 10}}}};
  return {{"type", "object"},
          {"title", "Update method"},
          {"description",
           "Standard reads tables by query; Xmin reads what was written since the last job, without a cursor, from "
           "tables. CDC follows the server's write-ahead log: every change, in order, without a cursor."},
          {"order", 12},
          {"oneOf", json::array({variant("method", "Standard", "Standard"), variant("method", "Xmin", "Xmin"),
                                 variant("method", "CDC", "Change data capture", cdc)})}};
}

json root(const char* title, json properties, json required) {
  return {{"$schema", "http://json-schema.org/draft-07/schema#"},
          {"title", title},
          {"type", "object"},
          {"required", required},
          {"additionalProperties", false},
          {"properties", properties}};
}

json hidden(const char* type, const char* why) {
  return {{"type", type}, {"airbyte_hidden", true}, {"description", why}};
}

constexpr const char* kTaken = "Taken from Airbyte's configurations; has no meaning here.";

}  // namespace

std::string source_spec() {
  json p = common_properties();
  p["schemas"] = {{"type", "array"},
                  {"items", {{"type", "string"}}},
                  {"uniqueItems", true},
                  {"title", "Schemas"},
                  {"description", "The schemas to read from. Empty: all that are not the system's."},
                  {"order", 9}};
  p["replication_method"] = replication_method();
  p["read_method"] = {
      {"type", "string"},
      {"enum", json::array({"auto", "key_ranges", "snapshot"})},
      {"default", "auto"},
      {"title", "Read method"},
      {"description",
       "How a full refresh reads a table. auto and key_ranges: in ranges of the primary key, which go on after a "
       "crash. "
       "snapshot: all ranges in one snapshot, so every row is of one moment, which starts again after a crash. "
       "A table without key is always read under one snapshot."},
      {"order", 14}};
  p["check_privileges"] = hidden("boolean", kTaken);
  p["checkpoint_target_interval_seconds"] = hidden("integer", kTaken);
  p["max_db_connections"] = hidden("integer", kTaken);
  p["entra_service_principal_auth"] = hidden("boolean", "Microsoft Entra logins are refused.");
  p["entra_tenant_id"] = hidden("string", kTaken);
  p["entra_client_id"] = hidden("string", kTaken);
  p["sourceType"] = hidden("string", kTaken);
  return root("Postgres source", p, json::array({"host", "port", "database", "username"})).dump();
}

std::string destination_spec() {
  json p = common_properties();
  p["schema"] = text("Default schema", "Where tables are written, unless the connection says otherwise.", 6);
  p["schema"]["default"] = "public";
  p["ssl"] = hidden("boolean", "Older form of ssl_mode: true is require, false is disable.");
  p["cdc_deletion_mode"] = hidden("string", kTaken);
  p["raw_data_schema"] = hidden("string", kTaken);
  p["disable_type_dedupe"] = hidden("boolean", "Raw tables are refused.");
  p["drop_cascade"] = hidden("boolean", kTaken);
  p["unconstrained_number"] = hidden("boolean", kTaken);
  p["entra_service_principal_auth"] = hidden("boolean", "Microsoft Entra logins are refused.");
  p["destinationType"] = hidden("string", kTaken);
  return root("Postgres destination", p, json::array({"host", "port", "database", "username"})).dump();
}

}  // namespace millrace::connectors::postgres
