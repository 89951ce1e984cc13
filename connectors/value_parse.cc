#include <bit>
#include <cctype>
#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "common/byte_order.h"
#include "connectors/civil_time.h"
#include "connectors/value_text.h"

namespace millrace::connectors {
namespace {

constexpr std::int64_t kDayUs = 86'400'000'000;
constexpr std::int64_t kLeastYear = -4712, kMostYear = 294'276;

using Value = std::optional<std::string>;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
  return text;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

template <class T>
std::string binary(T value) {
  std::string out;
  append_big_endian(out, value);
  return out;
}

Value not_a(std::string& why, const char* what) {
  why = std::string("not ") + what;
  return std::nullopt;
}

Value boolean(std::string_view text, std::string& why) {
  const std::string word = lower(trimmed(text));
  for (const char* yes : {"true", "t", "yes", "y", "on", "1"})
    if (word == yes) return std::string(1, '\1');
  for (const char* no : {"false", "f", "no", "n", "off", "0"})
    if (word == no) return std::string(1, '\0');
  return not_a(why, "a boolean");
}

// A decimal number, taken apart: digits without leading zeros, and where the point is behind them.
struct Decimal {
  bool negative = false;
  std::string digits;  // of the value, the point after the first `whole` of them (may lie beyond either end)
  std::int64_t whole = 0;
  std::int64_t scale = 0;  // digits after the point as they were written
};

std::optional<Decimal> decimal_of(std::string_view text) {
  Decimal out;
  std::size_t at = 0;
  if (at < text.size() && (text[at] == '+' || text[at] == '-')) out.negative = text[at++] == '-';
  bool any = false, point = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '.' && !point) {
      point = true;
    } else if (c >= '0' && c <= '9') {
      any = true;
      out.digits += c;
      if (point)
        ++out.scale;
      else
        ++out.whole;
    } else {
      break;
    }
  }
  if (!any) return std::nullopt;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    int exponent = 0;
    std::string_view rest = text.substr(at + 1);
    if (!rest.empty() && rest.front() == '+') rest.remove_prefix(1);
    const auto read = std::from_chars(rest.data(), rest.data() + rest.size(), exponent);
    if (rest.empty() || read.ec != std::errc() || read.ptr != rest.data() + rest.size() || std::abs(exponent) > 20'000)
      return std::nullopt;
    out.whole += exponent;
    out.scale = std::max<std::int64_t>(0, out.scale - exponent);
    at = text.size();
  }
  if (at != text.size()) return std::nullopt;
  const std::size_t zeros = std::min(out.digits.find_first_not_of('0'), out.digits.size());
  out.digits.erase(0, zeros);
  out.whole -= static_cast<std::int64_t>(zeros);
  if (out.digits.empty()) {
    out.whole = 0;
    out.negative = false;
  }
  return out;
}

template <class T>
Value integer(std::string_view text, std::string& why) {
  const auto decimal = decimal_of(trimmed(text));
  if (!decimal) return not_a(why, "an integer");
  std::string digits = decimal->digits;
  if (decimal->whole <= 0 && !digits.empty()) return not_a(why, "an integer: it has a fraction");
  const auto whole = static_cast<std::size_t>(std::max<std::int64_t>(decimal->whole, 0));
  if (digits.size() > whole) {
    if (digits.find_first_not_of('0', whole) != std::string::npos) return not_a(why, "an integer: it has a fraction");
    digits.resize(whole);
  }
  if (whole > 19) {
    why = "out of range";
    return std::nullopt;
  }
  digits.append(whole - digits.size(), '0');
  if (digits.empty()) digits = "0";
  if (decimal->negative) digits.insert(0, "-");
  T value{};
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (read.ec != std::errc()) {
    why = "out of range";
    return std::nullopt;
  }
  return binary(value);
}

template <class Float, class Bits>
Value floating(std::string_view text, std::string& why) {
  const std::string word = lower(trimmed(text));
  Float value{};
  if (word == "nan") {
    value = std::numeric_limits<Float>::quiet_NaN();
  } else if (word == "infinity" || word == "inf" || word == "+infinity") {
    value = std::numeric_limits<Float>::infinity();
  } else if (word == "-infinity" || word == "-inf") {
    value = -std::numeric_limits<Float>::infinity();
  } else {
    std::string_view number = word;
    if (!number.empty() && number.front() == '+') number.remove_prefix(1);
    if (!decimal_of(number)) return not_a(why, "a number");
    const auto read = std::from_chars(number.data(), number.data() + number.size(), value);
    if (read.ec == std::errc::result_out_of_range) {
      why = "out of range";
      return std::nullopt;
    }
    if (read.ec != std::errc()) return not_a(why, "a number");
  }
  return binary(std::bit_cast<Bits>(value));
}

// "numeric(p,s)": the digits that may stand before the point and the scale; empty: no bound.
struct NumericBound {
  int whole = 0, scale = 0;
};
std::optional<NumericBound> bound_of(const std::string& pg_type) {
  const auto open = pg_type.find('(');
  if (open == std::string::npos) return std::nullopt;
  int precision = 0, scale = 0;
  const char* at = pg_type.data() + open + 1;
  const char* end = pg_type.data() + pg_type.size();
  const auto first = std::from_chars(at, end, precision);
  if (first.ptr != end && *first.ptr == ',') std::from_chars(first.ptr + 1, end, scale);
  return NumericBound{precision - scale, scale};
}

Value numeric(const Type& type, std::string_view text, std::string& why) {
  const std::string word = lower(trimmed(text));
  if (word == "nan") return std::string("\0\0\0\0\xC0\0\0\0", 8);
  auto decimal = decimal_of(word);
  if (!decimal) return not_a(why, "a number");
  if (const auto bound = bound_of(type.pg_type)) {
    if (!decimal->digits.empty() && decimal->whole > bound->whole) {
      why = "more than " + std::to_string(bound->whole) + " digits before the point";
      return std::nullopt;
    }
    if (decimal->scale > bound->scale &&
        static_cast<std::int64_t>(decimal->digits.size()) > decimal->whole + bound->scale) {
      why = "more than " + std::to_string(bound->scale) + " digits after the point";
      return std::nullopt;
    }
    decimal->scale = bound->scale;
  }
  if (decimal->whole > 131'072 || decimal->scale > 16'383) {
    why = "out of range";
    return std::nullopt;
  }
  // Groups of four digits around the point.
  std::string digits = decimal->digits;
  std::int64_t whole = decimal->whole;
  if (digits.empty()) whole = 0;
  while (((whole % 4) + 4) % 4 != 0) {
    digits.insert(digits.begin(), '0');
    ++whole;
  }
  while (digits.size() % 4 != 0) digits += '0';
  std::int64_t weight = whole / 4 - 1;
  while (digits.size() >= 4 && digits.ends_with("0000")) digits.resize(digits.size() - 4);
  while (digits.starts_with("0000")) {
    digits.erase(0, 4);
    --weight;
  }
  if (digits.empty()) weight = 0;
  std::string out = binary(static_cast<std::int16_t>(digits.size() / 4));
  out += binary(static_cast<std::int16_t>(weight));
  out += binary(static_cast<std::uint16_t>(decimal->negative && !digits.empty() ? 0x4000 : 0));
  out += binary(static_cast<std::int16_t>(decimal->scale));
  for (std::size_t i = 0; i < digits.size(); i += 4)
    out += binary(static_cast<std::int16_t>((digits[i] - '0') * 1000 + (digits[i + 1] - '0') * 100 +
                                            (digits[i + 2] - '0') * 10 + (digits[i + 3] - '0')));
  return out;
}

// Reads from the front of a text.
struct Cursor {
  explicit Cursor(std::string_view t) : rest(t) {}
  std::string_view rest;
  bool accept(char c) {
    if (rest.empty() || rest.front() != c) return false;
    rest.remove_prefix(1);
    return true;
  }
  // A number of at least `least` and at most `most` digits.
  std::optional<std::int64_t> number(std::size_t least, std::size_t most) {
    std::size_t n = 0;
    std::int64_t value = 0;
    while (n < most && n < rest.size() && rest[n] >= '0' && rest[n] <= '9') value = value * 10 + (rest[n++] - '0');
    if (n < least) return std::nullopt;
    rest.remove_prefix(n);
    return value;
  }
};

std::optional<std::int64_t> days_of(Cursor& at, bool bc) {
  const auto year = at.number(4, 6);
  if (!year || !at.accept('-')) return std::nullopt;
  const auto month = at.number(1, 2);
  if (!month || *month < 1 || *month > 12 || !at.accept('-')) return std::nullopt;
  const auto day = at.number(1, 2);
  const std::int64_t y = bc ? 1 - *year : *year;
  if (!day || *day < 1 || (!bc && *year == 0) || y < kLeastYear || y > kMostYear) return std::nullopt;
  if (*day > days_in_month(y, static_cast<unsigned>(*month))) return std::nullopt;
  return days_from_civil({y, static_cast<unsigned>(*month), static_cast<unsigned>(*day)});
}

std::optional<std::int64_t> clock_of(Cursor& at) {
  const auto hours = at.number(1, 2);
  if (!hours || *hours > 24 || !at.accept(':')) return std::nullopt;
  const auto minutes = at.number(2, 2);
  if (!minutes || *minutes > 59) return std::nullopt;
  std::int64_t us = (*hours * 60 + *minutes) * 60'000'000;
  if (at.accept(':')) {
    const auto seconds = at.number(2, 2);
    if (!seconds || *seconds > 60) return std::nullopt;
    us += *seconds * 1'000'000;
    if (at.accept('.')) {
      std::int64_t unit = 100'000, digits = 0;
      while (!at.rest.empty() && at.rest.front() >= '0' && at.rest.front() <= '9') {
        const int digit = at.rest.front() - '0';
        if (++digits == 7 && digit >= 5) us += 1;  // rounded as PostgreSQL does, to microseconds
        us += digit * unit;
        unit /= 10;
        at.rest.remove_prefix(1);
      }
      if (digits == 0) return std::nullopt;
    }
  }
  if (us > kDayUs) return std::nullopt;
  return us;
}

// Seconds east of Greenwich; 0 where nothing is said.
std::optional<std::int64_t> zone_of(Cursor& at) {
  while (at.accept(' ')) {
  }
  if (at.rest.empty()) return 0;
  if (at.rest == "Z" || at.rest == "z" || at.rest == "UTC") {
    at.rest = {};
    return 0;
  }
  const bool west = at.rest.front() == '-';
  if (!at.accept('+') && !at.accept('-')) return std::nullopt;
  const auto hours = at.number(1, 2);
  if (!hours || *hours > 15) return std::nullopt;
  std::int64_t seconds = *hours * 3600;
  if (!at.rest.empty()) {
    at.accept(':');
    const auto minutes = at.number(2, 2);
    if (!minutes || *minutes > 59) return std::nullopt;
    seconds += *minutes * 60;
    if (at.accept(':')) {
      const auto more = at.number(2, 2);
      if (!more || *more > 59) return std::nullopt;
      seconds += *more;
    }
  }
  return west ? -seconds : seconds;
}

// A time of a day with or without a zone, which counts only where `zoned`.
Value moment(std::string_view text, bool zoned, std::string& why) {
  std::string_view rest = trimmed(text);
  const std::string word = lower(rest);
  if (word == "infinity") return binary(std::numeric_limits<std::int64_t>::max());
  if (word == "-infinity") return binary(std::numeric_limits<std::int64_t>::min());
  const bool bc = word.ends_with(" bc");
  if (bc) rest = trimmed(rest.substr(0, rest.size() - 3));
  Cursor at(rest);
  const auto days = days_of(at, bc);
  std::optional<std::int64_t> us = 0, zone = 0;
  if (days && !at.rest.empty()) {
    if (!at.accept('T') && !at.accept('t') && !at.accept(' ')) return not_a(why, "a timestamp");
    us = clock_of(at);
    if (us) zone = zone_of(at);
  }
  if (!days || !us || !zone || !at.rest.empty()) return not_a(why, "a timestamp");
  return binary(*days * kDayUs + *us - (zoned ? *zone * 1'000'000 : 0));
}

Value date(std::string_view text, std::string& why) {
  std::string_view rest = trimmed(text);
  const std::string word = lower(rest);
  if (word == "infinity") return binary(std::numeric_limits<std::int32_t>::max());
  if (word == "-infinity") return binary(std::numeric_limits<std::int32_t>::min());
  const bool bc = word.ends_with(" bc");
  if (bc) rest = trimmed(rest.substr(0, rest.size() - 3));
  Cursor at(rest);
  const auto days = days_of(at, bc);
  if (!days || !at.rest.empty()) return not_a(why, "a date");
  return binary(static_cast<std::int32_t>(*days));
}

Value time_of_day(std::string_view text, bool zoned, std::string& why) {
  Cursor at(trimmed(text));
  const auto us = clock_of(at);
  const auto zone = us ? zone_of(at) : std::nullopt;
  if (!us || !zone || !at.rest.empty()) return not_a(why, "a time of day");
  std::string out = binary(*us);
  if (zoned) out += binary(static_cast<std::int32_t>(-*zone));
  return out;
}

Value from_hex(std::string_view digits, const char* what, std::string& why) {
  std::string out;
  int high = -1;
  for (const char c : digits) {
    const int v = c >= '0' && c <= '9'   ? c - '0'
                  : c >= 'a' && c <= 'f' ? c - 'a' + 10
                  : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                         : -1;
    if (v < 0) return not_a(why, what);
    if (high < 0) {
      high = v;
    } else {
      out += static_cast<char>(high * 16 + v);
      high = -1;
    }
  }
  if (high >= 0) return not_a(why, what);
  return out;
}

Value uuid(std::string_view text, std::string& why) {
  std::string digits;
  for (const char c : trimmed(text))
    if (c != '-' && c != '{' && c != '}') digits += c;
  if (digits.size() != 32) return not_a(why, "a UUID");
  return from_hex(digits, "a UUID", why);
}

Value json_text(const Type& type, std::string_view text, std::string& why) {
  if (!nlohmann::json::accept(text)) return not_a(why, "JSON");
  if (type.kind == Kind::json) return std::string(text);
  if (text.find("\\u0000") != std::string_view::npos) {
    why = "jsonb can't hold the character \\u0000";
    return std::nullopt;
  }
  return "\1" + std::string(text);
}

// Characters that a varchar(n) or char(n) may hold; 0: no bound.
std::size_t length_bound(const std::string& pg_type) {
  if (!pg_type.starts_with("character")) return 0;
  const auto open = pg_type.find('(');
  if (open == std::string::npos) return 0;
  return static_cast<std::size_t>(std::atoll(pg_type.c_str() + open + 1));
}

}  // namespace

bool can_parse(const Type& type) { return has_text(type) && type.kind != Kind::interval && type.kind != Kind::xml; }

std::optional<std::string> value_of(const Type& type, std::string_view text, std::string& why) {
  switch (type.kind) {
    case Kind::boolean:
      return boolean(text, why);
    case Kind::int16:
      return integer<std::int16_t>(text, why);
    case Kind::int32:
      return integer<std::int32_t>(text, why);
    case Kind::int64:
      return integer<std::int64_t>(text, why);
    case Kind::float32:
      return floating<float, std::int32_t>(text, why);
    case Kind::float64:
      return floating<double, std::int64_t>(text, why);
    case Kind::numeric:
      return numeric(type, text, why);
    case Kind::string: {
      if (text.find('\0') != std::string_view::npos) {
        why = "a null character";
        return std::nullopt;
      }
      const std::size_t most = length_bound(type.pg_type);
      std::size_t characters = 0;
      for (const char c : text) characters += (c & 0xC0) != 0x80 ? 1 : 0;
      if (most > 0 && characters > most) {
        why = "longer than " + std::to_string(most) + " characters";
        return std::nullopt;
      }
      return std::string(text);
    }
    case Kind::json:
    case Kind::jsonb:
      return json_text(type, text, why);
    case Kind::bytes:
      if (!text.starts_with("\\x")) return not_a(why, "bytes in hexadecimal form");
      return from_hex(text.substr(2), "bytes in hexadecimal form", why);
    case Kind::uuid:
      return uuid(text, why);
    case Kind::date:
      return date(text, why);
    case Kind::time:
      return time_of_day(text, false, why);
    case Kind::timetz:
      return time_of_day(text, true, why);
    case Kind::timestamp:
      return moment(text, false, why);
    case Kind::timestamptz:
      return moment(text, true, why);
    case Kind::xml:
    case Kind::interval:
    case Kind::array:
    case Kind::native:
      break;
  }
  why = "no text can be made a value of " + type.pg_type;
  return std::nullopt;
}

}  // namespace millrace::connectors
