#include "net/postgres_errors.h"

#include <array>
#include <cctype>

namespace millrace::net {
namespace {

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

std::string trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  return std::string(text);
}

// Takes "28P01: " and the LOCATION line, which only verbose messages have, out of the text; returns the SQLSTATE.
std::string take_sqlstate(std::string& message) {
  if (const auto at = message.find("\nLOCATION:"); at != std::string::npos) message.resize(at);
  for (const std::string_view severity : {"FATAL:  ", "ERROR:  ", "PANIC:  "}) {
    const auto at = message.find(severity);
    if (at == std::string::npos) continue;
    const auto start = at + severity.size();
    if (message.size() < start + 7 || message.compare(start + 5, 2, ": ") != 0) continue;
    std::string state = message.substr(start, 5);
    message.erase(start, 7);
    return state;
  }
  return {};
}

std::string_view connect_code(std::string_view state, std::string_view text, std::string_view sslmode) {
  if (state == "28000") {
    if (contains(text, "no encryption") && sslmode != "require" && sslmode != "verify-ca" && sslmode != "verify-full")
      return "postgres.tls_required";
    if (contains(text, "pg_hba.conf")) return "postgres.host_not_allowed";
    return "postgres.auth_failed";
  }
  if (state == "28P01") return "postgres.auth_failed";
  if (state == "3D000") return "postgres.database_missing";
  if (!state.empty()) {
    const std::string_view code = code_of_sqlstate(state);
    return code == "postgres.query_failed" ? "postgres.unreachable" : code;
  }
  if (contains(text, "no password supplied") || contains(text, "password retrieved from file"))
    return "postgres.auth_failed";
  if (contains(text, "does not support SSL")) return "postgres.tls_refused";
  if (contains(text, "SSL") || contains(text, "certificate") || contains(text, "private key"))
    return "postgres.tls_failed";
  return "postgres.unreachable";
}

}  // namespace

std::string_view code_of_sqlstate(std::string_view state) {
  if (state.empty()) return "postgres.connection_lost";
  struct Row {
    std::string_view state, code;
  };
  static constexpr std::array<Row, 20> kExact{{
      {"57P01", "postgres.connection_lost"},  // admin_shutdown, pg_terminate_backend
      {"57P02", "postgres.connection_lost"},  // crash_shutdown
      {"57P05", "postgres.connection_lost"},  // idle_session_timeout
      {"25P03", "postgres.connection_lost"},  // idle_in_transaction_session_timeout
      {"57P03", "postgres.starting_up"},       {"57014", "postgres.query_cancelled"},
      {"55P03", "postgres.query_cancelled"},  // lock_not_available
      {"40P01", "postgres.conflict"},          {"40001", "postgres.conflict"},
      {"53100", "postgres.disk_full"},         {"53300", "postgres.too_many_connections"},
      {"42501", "postgres.permission_denied"}, {"42P01", "postgres.object_missing"},
      {"42703", "postgres.object_missing"},    {"42704", "postgres.object_missing"},
      {"3F000", "postgres.object_missing"},    {"3D000", "postgres.database_missing"},
      {"28P01", "postgres.auth_failed"},       {"28000", "postgres.auth_failed"},
      {"58030", "postgres.server_busy"},  // io_error
  }};
  for (const Row& row : kExact)
    if (row.state == state) return row.code;
  if (state.starts_with("08")) return "postgres.connection_lost";
  if (state.starts_with("53")) return "postgres.server_busy";
  if (state.starts_with("40")) return "postgres.conflict";
  return "postgres.query_failed";
}

PostgresError connect_error(std::string message, std::string_view sslmode) {
  std::string state = take_sqlstate(message);
  const std::string_view code = connect_code(state, message, sslmode);
  return PostgresError(code, trimmed(message), std::move(state));
}

PostgresError statement_error(std::string_view sqlstate, std::string_view message, std::string_view detail,
                              std::string_view hint) {
  std::string text = trimmed(message);
  if (!detail.empty()) text.append("; ").append(trimmed(detail));
  if (!hint.empty()) text.append(" (").append(trimmed(hint)).append(")");
  return PostgresError(code_of_sqlstate(sqlstate), std::move(text), std::string(sqlstate));
}

PostgresError connection_lost(std::string detail) {
  return PostgresError("postgres.connection_lost", trimmed(detail), {});
}

}  // namespace millrace::net
