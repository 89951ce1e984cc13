#include "connectors/sqlite/database.h"

#include <chrono>

#include "common/errors.h"

namespace millrace::connectors::sqlite {

void throw_sqlite(sqlite3* db, int code, const std::string& what) {
  const std::string detail = what + ": " + (db ? sqlite3_errmsg(db) : sqlite3_errstr(code));
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      throw Error("sqlite.locked", detail);
    case SQLITE_NOTADB:
      throw Error("sqlite.not_a_database", detail);
    case SQLITE_CORRUPT:
      throw Error("sqlite.corrupt", detail);
    case SQLITE_FULL:
      throw Error("path.disk_full", detail);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      throw Error("path.not_writable", detail);
    case SQLITE_CANTOPEN:
      throw Error("path.not_readable", detail);
    default:
      throw Error("sqlite.failed", detail);
  }
}

std::string quote_name(std::string_view name) {
  std::string out = "\"";
  for (char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string literal(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + '\'';
}

Statement& Statement::bind(int at, std::int64_t value) {
  sqlite3_bind_int64(raw(), at, value);
  return *this;
}
Statement& Statement::bind(int at, std::string_view text) {
  sqlite3_bind_text64(raw(), at, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  return *this;
}
Statement& Statement::bind_null(int at) {
  sqlite3_bind_null(raw(), at);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(raw());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  throw_sqlite(sqlite3_db_handle(raw()), code, "SQLite");
}

void Statement::reset() {
  sqlite3_reset(raw());
  sqlite3_clear_bindings(raw());
}

bool Statement::is_null(int at) const { return sqlite3_column_type(raw(), at) == SQLITE_NULL; }
std::int64_t Statement::integer(int at) const { return sqlite3_column_int64(raw(), at); }
std::string Statement::text(int at) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(raw(), at));
  return bytes == nullptr ? std::string()
                          : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(raw(), at)));
}

Database::Database(const std::string& path, Mode mode, Duration busy_timeout) : path_(path) {
  int flags = SQLITE_OPEN_NOMUTEX;
  if (mode == Mode::read) flags |= SQLITE_OPEN_READONLY;
  if (mode != Mode::read) flags |= SQLITE_OPEN_READWRITE;
  if (mode == Mode::create) flags |= SQLITE_OPEN_CREATE;
  sqlite3* db = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &db, flags, nullptr);
  handle_.reset(db);
  if (code != SQLITE_OK) throw_sqlite(db, code, path_);
  sqlite3_extended_result_codes(db, 1);
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(busy_timeout).count();
  sqlite3_busy_timeout(db, static_cast<int>(ms));
  // The file is looked at only now.
  value("PRAGMA schema_version");
}

Statement Database::prepare(const std::string& sql) {
  Statement out;
  sqlite3_stmt* made = nullptr;
  const int code = sqlite3_prepare_v2(raw(), sql.data(), static_cast<int>(sql.size()), &made, nullptr);
  out.statement_.reset(made);
  if (code != SQLITE_OK) throw_sqlite(raw(), code, path_);
  return out;
}

void Database::execute(const std::string& sql) {
  const int code = sqlite3_exec(raw(), sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) throw_sqlite(raw(), code, path_);
}

std::int64_t Database::changes() const { return sqlite3_total_changes64(raw()); }

std::optional<std::string> Database::value(const std::string& sql) {
  Statement s = prepare(sql);
  if (!s.step() || s.is_null(0)) return std::nullopt;
  return s.text(0);
}

}  // namespace millrace::connectors::sqlite
