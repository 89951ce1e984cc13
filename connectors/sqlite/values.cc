#include "connectors/sqlite/values.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>

#include "common/errors.h"
#include "connectors/values/values.h"

namespace millrace::connectors::sqlite {
namespace {

constexpr std::int64_t kPostgresEpochSeconds = 946'684'800;  // 2000-01-01 since 1970-01-01
constexpr double kJulianOfPostgresEpoch = 2'451'544.5;

void bind_text(sqlite3_stmt* s, int at, std::string_view text) {
  sqlite3_bind_text64(s, at, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}
void bind_blob(sqlite3_stmt* s, int at, std::string_view bytes) {
  sqlite3_bind_blob64(s, at, bytes.data() == nullptr ? "" : bytes.data(), bytes.size(), SQLITE_TRANSIENT);
}
// SQLite has no NaN: it would bind null.
void bind_double(sqlite3_stmt* s, int at, double value) {
  if (std::isnan(value))
    bind_text(s, at, "NaN");
  else
    sqlite3_bind_double(s, at, value);
}

void require_size(std::string_view bytes, std::size_t size) {
  if (bytes.size() != size) throw Error("connector.bad_row", "a value has another size than its type");
}

bool integer_column(std::int64_t value, const Type& type, RowWriter& row, std::string& scratch) {
  switch (type.kind) {
    case Kind::boolean:
      if (value != 0 && value != 1) return false;
      row.boolean(value == 1);
      return true;
    case Kind::int16:
      if (value < std::numeric_limits<std::int16_t>::min() || value > std::numeric_limits<std::int16_t>::max())
        return false;
      row.integer(static_cast<std::int16_t>(value));
      return true;
    case Kind::int32:
      if (value < std::numeric_limits<std::int32_t>::min() || value > std::numeric_limits<std::int32_t>::max())
        return false;
      row.integer(static_cast<std::int32_t>(value));
      return true;
    case Kind::int64:
      row.integer(value);
      return true;
    case Kind::float32: {
      const auto f = static_cast<float>(value);
      if (std::fabs(f) > 16'777'216.0F) return false;
      row.integer(std::bit_cast<std::int32_t>(f));
      return true;
    }
    case Kind::float64:
      if (value > 9'007'199'254'740'992 || value < -9'007'199'254'740'992) return false;
      row.float64(static_cast<double>(value));
      return true;
    case Kind::timestamp:
    case Kind::timestamptz:  // Unix time, as SQLite's own date functions take it
      if (value > 9'000'000'000'000 || value < -200'000'000'000) return false;
      row.integer((value - kPostgresEpochSeconds) * 1'000'000);
      return true;
    default:
      break;
  }
  scratch.clear();
  if (type.kind == Kind::date || !values::from_text(type, std::to_string(value), scratch)) return false;
  row.bytes(scratch);
  return true;
}

bool double_column(double value, const Type& type, RowWriter& row, std::string& scratch) {
  switch (type.kind) {
    case Kind::boolean:
    case Kind::date:
    case Kind::time:
    case Kind::timetz:
      return false;
    case Kind::float64:
      row.float64(value);
      return true;
    case Kind::float32: {
      const auto f = static_cast<float>(value);
      if (static_cast<double>(f) != value) return false;
      row.integer(std::bit_cast<std::int32_t>(f));
      return true;
    }
    case Kind::int16:
    case Kind::int32:
    case Kind::int64:
      if (value != std::floor(value) || std::fabs(value) > 9'007'199'254'740'992.0) return false;
      return integer_column(static_cast<std::int64_t>(value), type, row, scratch);
    case Kind::timestamp:
    case Kind::timestamptz: {  // a Julian day, to the millisecond, as SQLite's own date functions take it
      if (!(value >= 0.0 && value < 5'373'484.5)) return false;
      row.integer(static_cast<std::int64_t>(std::llround((value - kJulianOfPostgresEpoch) * 86'400'000.0)) * 1'000);
      return true;
    }
    default:
      break;
  }
  char text[64];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  std::string_view digits(text, static_cast<std::size_t>(end - text));
  if (std::isinf(value)) digits = value > 0 ? "Infinity" : "-Infinity";
  scratch.clear();
  if (error != std::errc() || !values::from_text(type, digits, scratch)) return false;
  row.bytes(scratch);
  return true;
}

bool text_column(std::string_view text, const Type& type, RowWriter& row, std::string& scratch) {
  if (type.kind == Kind::bytes) {
    row.bytes(text);
    return true;
  }
  if (type.kind == Kind::string) {
    if (!values::is_valid_text(text)) return false;
    row.text(text);
    return true;
  }
  scratch.clear();
  if (!values::from_text(type, text, scratch)) return false;
  row.bytes(scratch);
  return true;
}

bool blob_column(std::string_view bytes, const Type& type, RowWriter& row, std::string& scratch) {
  if (type.kind == Kind::bytes || (type.kind == Kind::native && !values::has_text(type)) ||
      (type.kind == Kind::uuid && bytes.size() == 16)) {
    row.bytes(bytes);
    return true;
  }
  if (type.kind == Kind::string || type.kind == Kind::json || type.kind == Kind::jsonb || type.kind == Kind::xml)
    return text_column(bytes, type, row, scratch);
  return false;
}

}  // namespace

void bind_field(sqlite3_stmt* s, int at, const Type& type, const RowReader::FieldView& field) {
  if (field.length == kUnchangedField) throw Error("connector.bad_row", "a value that was not sent");
  if (field.length == kNullField) {
    sqlite3_bind_null(s, at);
    return;
  }
  const std::string_view b = field.bytes;
  switch (type.kind) {
    case Kind::boolean:
      require_size(b, 1);
      sqlite3_bind_int(s, at, b[0] != 0 ? 1 : 0);
      return;
    case Kind::int16:
      require_size(b, 2);
      sqlite3_bind_int(s, at, from_big_endian<std::int16_t>(b.data()));
      return;
    case Kind::int32:
      require_size(b, 4);
      sqlite3_bind_int(s, at, from_big_endian<std::int32_t>(b.data()));
      return;
    case Kind::int64:
      require_size(b, 8);
      sqlite3_bind_int64(s, at, from_big_endian<std::int64_t>(b.data()));
      return;
    case Kind::float32:
      require_size(b, 4);
      bind_double(s, at, std::bit_cast<float>(from_big_endian<std::int32_t>(b.data())));
      return;
    case Kind::float64:
      require_size(b, 8);
      bind_double(s, at, std::bit_cast<double>(from_big_endian<std::int64_t>(b.data())));
      return;
    case Kind::bytes:
      bind_blob(s, at, b);
      return;
    case Kind::string:
    case Kind::json:
    case Kind::xml:
      bind_text(s, at, b);
      return;
    case Kind::native:
      if (!values::has_text(type)) {
        bind_blob(s, at, b);
        return;
      }
      break;
    default:
      break;
  }
  const std::string text = values::to_text(type, b);
  bind_text(s, at, text);
}

bool put_column(sqlite3_stmt* s, int at, const Type& type, RowWriter& row, std::string& scratch) {
  switch (sqlite3_column_type(s, at)) {
    case SQLITE_NULL:
      row.null();
      return true;
    case SQLITE_INTEGER:
      return integer_column(sqlite3_column_int64(s, at), type, row, scratch);
    case SQLITE_FLOAT:
      return double_column(sqlite3_column_double(s, at), type, row, scratch);
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(s, at));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(s, at));
      return text_column({text, size}, type, row, scratch);
    }
    default: {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(s, at));
      const auto size = static_cast<std::size_t>(sqlite3_column_bytes(s, at));
      return blob_column(size == 0 ? std::string_view() : std::string_view(bytes, size), type, row, scratch);
    }
  }
}

}  // namespace millrace::connectors::sqlite
