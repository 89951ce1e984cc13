// The text side of net/postgres.h: quoting and connection URLs.
#include <algorithm>
#include <charconv>

#include "net/postgres.h"

namespace millrace::net {
namespace {

std::string percent_decoded(std::string_view text, const std::string& what) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    unsigned value = 0;
    const char* first = text.data() + i + 1;
    if (i + 2 >= text.size() || std::from_chars(first, first + 2, value, 16).ptr != first + 2 || value == 0)
      throw Error("postgres.bad_url", "a % in the " + what + " is not followed by two hexadecimal digits");
    out += static_cast<char>(value);
    i += 2;
  }
  return out;
}

int port_number(std::string_view text) {
  int port = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (ec != std::errc() || end != text.data() + text.size() || port < 1 || port > 65535)
    throw Error("postgres.bad_url", "the port is not a number from 1 to 65535");  // no echo: may be part of a password
  return port;
}

void set_option(PostgresParameters& p, const std::string& key, std::string value) {
  if (key == "host")
    p.host = std::move(value);
  else if (key == "port")
    p.port = port_number(value);
  else if (key == "dbname")
    p.database = std::move(value);
  else if (key == "user")
    p.user = std::move(value);
  else if (key == "password")
    p.password = std::move(value);
  else if (key == "sslmode")
    p.sslmode = std::move(value);
  else if (key == "sslrootcert")
    p.ssl_root_cert_file = std::move(value);
  else if (key == "sslcert")
    p.ssl_cert_file = std::move(value);
  else if (key == "sslkey")
    p.ssl_key_file = std::move(value);
  else
    p.options[key] = std::move(value);
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out += '"';
}

// The E'' form where there is a backslash: right whatever standard_conforming_strings says.
std::string quote_literal(std::string_view text) {
  const bool escape = text.find('\\') != std::string_view::npos;
  std::string out = escape ? " E'" : "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += c;
    out += c;
  }
  return out += '\'';
}

const std::string& PostgresResult::at(std::size_t row, std::size_t column) const {
  static const std::string kEmpty;
  const auto& value = rows.at(row).at(column);
  return value ? *value : kEmpty;
}

PostgresParameters parse_postgres_url(const std::string& url) {
  std::string_view rest = url;
  if (rest.starts_with("postgres://"))
    rest.remove_prefix(11);
  else if (rest.starts_with("postgresql://"))
    rest.remove_prefix(13);
  else
    throw Error("postgres.bad_url", "it does not begin with postgres:// or postgresql://");

  PostgresParameters p;
  std::string_view query;
  if (const auto at = rest.find('?'); at != std::string_view::npos) {
    query = rest.substr(at + 1);
    rest = rest.substr(0, at);
  }
  std::string_view authority = rest.substr(0, rest.find('/'));
  if (authority.size() < rest.size()) p.database = percent_decoded(rest.substr(authority.size() + 1), "database");
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = authority.substr(0, at);
    authority.remove_prefix(at + 1);
    const auto colon = login.find(':');
    p.user = percent_decoded(login.substr(0, colon), "user");
    if (colon != std::string_view::npos) p.password = percent_decoded(login.substr(colon + 1), "password");
  }
  if (authority.find(',') != std::string_view::npos) throw Error("postgres.bad_url", "lists of hosts are not taken");
  if (authority.starts_with("[")) {  // IPv6
    const auto close = authority.find(']');
    if (close == std::string_view::npos) throw Error("postgres.bad_url", "the [ of an IPv6 address is not closed");
    p.host = std::string(authority.substr(1, close - 1));
    authority.remove_prefix(close + 1);
    if (authority.starts_with(":")) p.port = port_number(authority.substr(1));
  } else {
    const auto colon = authority.find(':');
    p.host = percent_decoded(authority.substr(0, colon), "host");
    if (colon != std::string_view::npos && colon + 1 < authority.size())
      p.port = port_number(authority.substr(colon + 1));
  }
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) throw Error("postgres.bad_url", "a parameter after ? has no value");
    const std::string key = percent_decoded(pair.substr(0, equals), "query");
    set_option(p, key, percent_decoded(pair.substr(equals + 1), "query"));
  }
  return p;
}

}  // namespace millrace::net
