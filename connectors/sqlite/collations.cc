// Orders of values that stand in a table as text: decimals by their size, times by their moment.
#include <compare>

#include "common/byte_order.h"
#include "connectors/sqlite/values.h"
#include "connectors/values/values.h"

namespace millrace::connectors::sqlite {
namespace {

// Canonical decimals ("-12.50"): sign, then length of the whole part, then digits. -1, 0, 1.
int compare_decimals(std::string_view a, std::string_view b) {
  // PostgreSQL's order: -Infinity < numbers < Infinity < NaN.
  const auto rank = [](std::string_view t) {
    if (t == "NaN") return 3;
    if (t == "Infinity") return 2;
    return t == "-Infinity" ? 0 : 1;
  };
  if (rank(a) != 1 || rank(b) != 1) return rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0;
  const auto size = [](std::string_view t) {
    if (t.starts_with('-')) t.remove_prefix(1);
    return t;
  };
  const auto is_zero = [](std::string_view t) { return t.find_first_of("123456789") == std::string_view::npos; };
  const bool minus_a = a.starts_with('-') && !is_zero(a), minus_b = b.starts_with('-') && !is_zero(b);
  if (minus_a != minus_b) return minus_a ? -1 : 1;
  const auto magnitude = [&]() -> int {
    const std::string_view x = size(a), y = size(b);
    std::string_view whole_x = x.substr(0, x.find('.')), whole_y = y.substr(0, y.find('.'));
    while (whole_x.starts_with('0')) whole_x.remove_prefix(1);
    while (whole_y.starts_with('0')) whole_y.remove_prefix(1);
    if (whole_x.size() != whole_y.size()) return whole_x.size() < whole_y.size() ? -1 : 1;
    if (const int c = whole_x.compare(whole_y); c != 0) return c < 0 ? -1 : 1;
    const auto fraction = [](std::string_view t) {
      const auto point = t.find('.');
      if (point == std::string_view::npos) return std::string_view();
      t = t.substr(point + 1);
      while (t.ends_with('0')) t.remove_suffix(1);
      return t;
    };
    const int c = fraction(x).compare(fraction(y));
    return c < 0 ? -1 : c > 0 ? 1 : 0;
  };
  const int c = magnitude();
  return minus_a ? -c : c;
}

template <class Integer>
int compare_binary(const Type& type, std::string_view a, std::string_view b) {
  std::string x, y;
  if (!values::from_text(type, a, x) || !values::from_text(type, b, y)) return a.compare(b);
  const auto i = from_big_endian<Integer>(x.data()), k = from_big_endian<Integer>(y.data());
  return i < k ? -1 : i > k ? 1 : 0;
}

std::string_view view(int size, const void* text) {
  return {static_cast<const char*>(text), static_cast<std::size_t>(size)};
}
int decimal_order(void*, int n, const void* a, int m, const void* b) {
  return compare_decimals(view(n, a), view(m, b));
}
int date_order(void*, int n, const void* a, int m, const void* b) {
  return compare_binary<std::int32_t>(Type(Kind::date, "date"), view(n, a), view(m, b));
}
int timestamp_order(void*, int n, const void* a, int m, const void* b) {
  return compare_binary<std::int64_t>(Type(Kind::timestamptz, "timestamptz"), view(n, a), view(m, b));
}

}  // namespace

std::string ordered(const std::string& column, const Type& type) {
  switch (type.kind) {
    case Kind::numeric:
      return column + " COLLATE millrace_decimal";
    case Kind::date:
      return column + " COLLATE millrace_date";
    case Kind::timestamp:
    case Kind::timestamptz:
      return column + " COLLATE millrace_timestamp";
    default:
      return column;
  }
}

void add_collations(sqlite3* db) {
  sqlite3_create_collation(db, "millrace_decimal", SQLITE_UTF8, nullptr, decimal_order);
  sqlite3_create_collation(db, "millrace_date", SQLITE_UTF8, nullptr, date_order);
  sqlite3_create_collation(db, "millrace_timestamp", SQLITE_UTF8, nullptr, timestamp_order);
}

}  // namespace millrace::connectors::sqlite
