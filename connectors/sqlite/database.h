// One connection to an SQLite file, and its statements. All calls block: they belong on the blocking lane. A Database
// and its Statements may move between threads, but are used by one at a time.
//
// Trap: a process that opens and closes the file by other means (a stream, open(2)) loses SQLite's locks on it, since
// POSIX drops all locks of a process when any descriptor of the file is closed. So nobody here touches the file itself.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/time_point.h"

namespace millrace::connectors::sqlite {

class Statement {
 public:
  Statement() = default;
  Statement(Statement&&) = default;
  Statement& operator=(Statement&&) = default;

  // Parameters count from 1, columns from 0.
  Statement& bind(int at, std::int64_t value);
  Statement& bind(int at, std::string_view text);
  Statement& bind_null(int at);
  // True: there is a row. Throws.
  bool step();
  void reset();
  bool is_null(int at) const;
  std::int64_t integer(int at) const;
  std::string text(int at) const;
  sqlite3_stmt* raw() const { return statement_.get(); }

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
 public:
  enum class Mode { read, write, create };
  // Throws path.missing, path.not_writable, sqlite.not_a_database, sqlite.locked, ...
  Database(const std::string& path, Mode mode, Duration busy_timeout);

  Statement prepare(const std::string& sql);
  // Any number of statements, whose rows nobody wants.
  void execute(const std::string& sql);
  // Rows that INSERT, UPDATE and DELETE of this connection have changed so far.
  std::int64_t changes() const;
  // The first column of the first row; empty if there is no row or it is null.
  std::optional<std::string> value(const std::string& sql);
  sqlite3* raw() const { return handle_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  std::string path_;
  std::unique_ptr<sqlite3, Close> handle_;
};

// "a ""quoted"" name" and 'a ''quoted'' text'.
std::string quote_name(std::string_view name);
std::string literal(std::string_view text);

// Throws the Error of what SQLite says of its last call.
[[noreturn]] void throw_sqlite(sqlite3* db, int code, const std::string& what);

}  // namespace millrace::connectors::sqlite
