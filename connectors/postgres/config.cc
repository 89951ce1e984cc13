#include "connectors/postgres/config.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "common/errors.h"

namespace millrace::connectors::postgres {

using nlohmann::json;

namespace {

[[noreturn]] void invalid(const std::string& detail) { throw Error("connector.config_invalid", detail); }

std::string text_field(const json& j, const char* key, std::string fallback = {}) {
  const auto it = j.find(key);
  if (it == j.end() || it->is_null()) return fallback;
  if (!it->is_string()) invalid(std::string(key) + " is not a string");
  return it->get<std::string>();
}

std::string required(const json& j, const char* key) {
  std::string value = text_field(j, key);
  if (value.empty()) invalid(std::string(key) + " is missing");
  return value;
}

int port_field(const json& j) {
  const auto it = j.find("port");
  if (it == j.end() || it->is_null()) return 5432;
  long value = 0;
  if (it->is_number_integer())
    value = it->get<long>();
  else if (it->is_string())
    value = std::strtol(it->get<std::string>().c_str(), nullptr, 10);
  if (value < 1 || value > 65535) invalid("port is not a number from 1 to 65535");
  return static_cast<int>(value);
}

bool is_local(const std::string& host) {
  return host.starts_with('/') || host.starts_with('@') || host == "localhost" || host == "::1" ||
         host.starts_with("127.");
}

// A choice such as ssl_mode or tunnel_method: an object with its kind in `key`, or the kind alone as a string.
std::string choice(const json& j, const char* field, const char* key) {
  const auto it = j.find(field);
  if (it == j.end() || it->is_null()) return {};
  if (it->is_string()) return it->get<std::string>();
  if (!it->is_object()) invalid(std::string(field) + " is neither an object nor a string");
  return text_field(*it, key);
}

void set_file(PostgresConfig& c, const json& options, const char* key, std::string& path) {
  const std::string content = text_field(options, key);
  if (content.empty()) return;
  c.files.push_back(std::make_shared<SecretFile>(content));
  path = c.files.back()->path();
}

void set_tls(const json& j, PostgresConfig& c) {
  auto& p = c.parameters;
  std::string mode = choice(j, "ssl_mode", "mode");
  if (mode.empty()) {
    const auto ssl = j.find("ssl");
    if (ssl != j.end() && ssl->is_boolean()) mode = ssl->get<bool>() ? "require" : "disable";
  }
  if (mode.empty()) mode = is_local(p.host) ? "prefer" : "require";
  static constexpr std::array<std::string_view, 6> kModes{"disable", "allow",     "prefer",
                                                          "require", "verify-ca", "verify-full"};
  if (std::find(kModes.begin(), kModes.end(), mode) == kModes.end()) invalid("ssl_mode \"" + mode + "\" is not known");
  p.sslmode = mode;
  const auto options = j.find("ssl_mode");
  if (options == j.end() || !options->is_object()) return;
  set_file(c, *options, "ca_certificate", p.ssl_root_cert_file);
  set_file(c, *options, "client_certificate", p.ssl_cert_file);
  set_file(c, *options, "client_key", p.ssl_key_file);
  if (const std::string password = text_field(*options, "client_key_password"); !password.empty())
    p.options["sslpassword"] = password;
}

// The parameters of the JDBC driver that have a meaning here, and those that only tune that driver.
void set_jdbc(const std::string& text, PostgresConfig& c) {
  static constexpr std::array<std::string_view, 14> kIgnored{"prepareThreshold",
                                                             "preparedStatementCacheQueries",
                                                             "defaultRowFetchSize",
                                                             "reWriteBatchedInserts",
                                                             "socketTimeout",
                                                             "tcpKeepAlive",
                                                             "stringtype",
                                                             "assumeMinServerVersion",
                                                             "binaryTransfer",
                                                             "loggerLevel",
                                                             "preferQueryMode",
                                                             "cancelSignalTimeout",
                                                             "readOnly",
                                                             "autosave"};
  auto& p = c.parameters;
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const std::string key(pair.substr(0, pair.find('=')));
    const std::string value(pair.size() > key.size() ? pair.substr(key.size() + 1) : std::string_view());
    if (key == "ApplicationName")
      p.options["application_name"] = value;
    else if (key == "connectTimeout" || key == "loginTimeout")
      p.connect_timeout = std::chrono::seconds(std::max(1L, std::strtol(value.c_str(), nullptr, 10)));
    else if (key == "sslmode")
      p.sslmode = value;
    else if (key == "options")
      p.options["options"] = value;
    else if (key == "targetServerType")
      p.options["target_session_attrs"] = value == "primary" || value == "master" ? "read-write" : "any";
    else if (key == "currentSchema")
      p.options["options"] = "-c search_path=" + value;
    else if (std::find(kIgnored.begin(), kIgnored.end(), key) != kIgnored.end())
      c.warnings.push_back("jdbc_url_params: " + key + " tunes the JDBC driver and has no meaning here");
    else
      throw Error("postgres.jdbc_parameter_unknown", "\"" + key + "\"");
  }
}

void warn_of(const json& j, std::initializer_list<const char*> fields, PostgresConfig& c) {
  for (const char* field : fields)
    if (j.contains(field)) c.warnings.push_back(std::string(field) + " has no meaning here and is ignored");
}

PostgresConfig common(const json& j) {
  if (!j.is_object()) invalid("it is not an object");
  PostgresConfig c;
  auto& p = c.parameters;
  p.host = required(j, "host");
  p.port = port_field(j);
  p.database = required(j, "database");
  p.user = required(j, "username");
  p.password = text_field(j, "password");
  if (j.value("entra_service_principal_auth", false))
    invalid("entra_service_principal_auth: only user name and password are supported");
  const std::string tunnel = choice(j, "tunnel_method", "tunnel_method");
  if (!tunnel.empty() && tunnel != "NO_TUNNEL")
    throw Error("postgres.tunnel_unavailable", "tunnel_method is " + tunnel);
  set_tls(j, c);
  set_jdbc(text_field(j, "jdbc_url_params"), c);
  warn_of(j, {"max_db_connections", "checkpoint_target_interval_seconds"}, c);
  return c;
}

ReplicationConfig replication(const json& j, PostgresConfig& c) {
  ReplicationConfig out;
  if (!j.is_object()) invalid("replication_method CDC needs replication_slot and publication");
  out.slot = required(j, "replication_slot");
  out.publication = required(j, "publication");
  // As PostgreSQL has it (documentation, "Replication Slots"): otherwise the server would refuse it later.
  const auto fits = [](char x) { return (x >= 'a' && x <= 'z') || (x >= '0' && x <= '9') || x == '_'; };
  if (out.slot.size() > 63 || !std::all_of(out.slot.begin(), out.slot.end(), fits))
    invalid("replication_slot \"" + out.slot + "\" may have lower-case letters, digits and _ only");
  if (const std::string plugin = text_field(j, "plugin"); !plugin.empty() && plugin != "pgoutput")
    invalid("plugin \"" + plugin + "\": only pgoutput is read");
  warn_of(j,
          {"initial_waiting_seconds", "queue_size", "lsn_commit_behaviour", "heartbeat_action_query",
           "invalid_cdc_cursor_position_behavior", "initial_load_timeout_hours", "debezium_shutdown_timeout_seconds"},
          c);
  return out;
}

template <class F>
PostgresConfig parsed(const std::string& text, F read) {
  try {
    return read(json::parse(text));
  } catch (const json::exception& e) {
    invalid(e.what());
  }
}

}  // namespace

PostgresConfig source_config(const std::string& text) {
  return parsed(text, [](const json& j) {
    PostgresConfig c = common(j);
    if (const auto it = j.find("schemas"); it != j.end() && !it->is_null())
      c.schemas = it->get<std::vector<std::string>>();
    const std::string method = choice(j, "replication_method", "method");
    c.xmin = method == "Xmin";
    if (method == "CDC")
      c.replication = replication(j.at("replication_method"), c);
    else if (!method.empty() && method != "Standard" && method != "Xmin")
      throw Error("postgres.method_unavailable", "replication_method is " + method);
    const std::string read = text_field(j, "read_method", "auto");
    if (read == "auto")
      c.read_method = ReadMethod::automatic;
    else if (read == "key_ranges")
      c.read_method = ReadMethod::key_ranges;
    else if (read == "snapshot")
      c.read_method = ReadMethod::snapshot;
    else
      invalid("read_method \"" + read + "\" is not one of auto, key_ranges, snapshot");
    return c;
  });
}

PostgresConfig destination_config(const std::string& text) {
  return parsed(text, [](const json& j) {
    PostgresConfig c = common(j);
    c.schema = text_field(j, "schema", "public");
    if (c.schema.empty()) c.schema = "public";
    if (j.value("disable_type_dedupe", false)) invalid("disable_type_dedupe: raw tables are not written");
    warn_of(j, {"raw_data_schema", "cdc_deletion_mode", "unconstrained_number", "drop_cascade"}, c);
    return c;
  });
}

std::string configuration_from_url(const std::string& url, bool as_source) {
  const net::PostgresParameters p = net::parse_postgres_url(url);
  json out{
      {"host", p.host.empty() ? "/var/run/postgresql" : p.host}, {"port", p.port}, {"ssl_mode", {{"mode", p.sslmode}}}};
  const char* os_user = std::getenv("USER");
  out["username"] = !p.user.empty() ? p.user : os_user ? os_user : "postgres";
  out["database"] = p.database.empty() ? out["username"].get<std::string>() : p.database;
  if (!p.password.empty()) out["password"] = p.password;
  std::string jdbc;
  for (const auto& [key, value] : p.options) {
    if (key == "schema" || key == "currentSchema") {
      if (as_source)
        out["schemas"] = json::array({value});
      else
        out["schema"] = value;
    } else if (key == "read_method" && as_source) {
      out["read_method"] = value;
    } else {
      const std::string name = key == "application_name"  ? "ApplicationName"
                               : key == "connect_timeout" ? "connectTimeout"
                                                          : key;
      jdbc += (jdbc.empty() ? "" : "&") + name + "=" + value;
    }
  }
  if (!jdbc.empty()) out["jdbc_url_params"] = jdbc;
  return out.dump();
}

}  // namespace millrace::connectors::postgres
