#include "connectors/values/values.h"

#include <bit>
#include <charconv>
#include <cmath>

#include "common/byte_order.h"
#include "common/errors.h"
#include "connectors/values/parts.h"

namespace millrace::connectors::values {

std::int16_t ValueReader::int16() { return from_big_endian<std::int16_t>(bytes(2).data()); }
std::int32_t ValueReader::int32() { return from_big_endian<std::int32_t>(bytes(4).data()); }
std::int64_t ValueReader::int64() { return from_big_endian<std::int64_t>(bytes(8).data()); }
std::string_view ValueReader::bytes(std::size_t n) {
  if (rest_.size() < n) bad_value("value");
  const std::string_view out = rest_.substr(0, n);
  rest_.remove_prefix(n);
  return out;
}

void bad_value(const char* what) { throw Error("connector.bad_row", std::string("the bytes are no ") + what); }

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\n\r";
  const auto first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] - 'A' + 'a') : text[i];
    if (c != lower[i]) return false;
  }
  return true;
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    out += kDigits[b >> 4];
    out += kDigits[b & 15];
  }
  return out;
}

bool unhex(std::string_view digits, std::string& out) {
  const auto value = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  };
  if (digits.size() % 2 != 0) return false;
  std::string made;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = value(digits[i]), low = value(digits[i + 1]);
    if (high < 0 || low < 0) return false;
    made += static_cast<char>(high * 16 + low);
  }
  out += made;
  return true;
}

bool is_valid_text(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const auto b = static_cast<unsigned char>(text[i]);
    if (b == 0) return false;
    if (b < 0x80) {
      ++i;
      continue;
    }
    const std::size_t more = b >= 0xc2 && b < 0xe0 ? 1 : b >= 0xe0 && b < 0xf0 ? 2 : b >= 0xf0 && b < 0xf5 ? 3 : 0;
    if (more == 0 || text.size() - i <= more) return false;
    std::uint32_t point = b & (0x3fu >> more);
    for (std::size_t k = 1; k <= more; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      point = point << 6 | (next & 0x3f);
    }
    // Overlong forms, surrogates, beyond Unicode.
    if ((more == 2 && point < 0x800) || (more == 3 && (point < 0x10000 || point > 0x10ffff)) ||
        (point >= 0xd800 && point < 0xe000))
      return false;
    i += more + 1;
  }
  return true;
}

namespace {

template <class Float>
std::string float_text(Float value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  char out[64];
  const auto [end, error] = std::to_chars(out, out + sizeof out, value);
  return error == std::errc() ? std::string(out, end) : std::string();
}

template <class Float, class Bits>
bool float_from(std::string_view text, std::string& out) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  Float value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return false;
  append_big_endian(out, std::bit_cast<Bits>(value));
  return true;
}

// Whole numbers, also where they are written with a fraction of zeros.
template <class Integer>
bool integer_from(std::string_view text, std::string& out) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  if (const auto point = text.find('.'); point != std::string_view::npos && point > 0) {
    if (text.find_first_not_of('0', point + 1) != std::string_view::npos) return false;
    text = text.substr(0, point);
  }
  Integer value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return false;
  append_big_endian(out, value);
  return true;
}

bool boolean_from(std::string_view text, std::string& out) {
  text = trimmed(text);
  for (const std::string_view word : {"true", "t", "yes", "y", "on", "1"})
    if (equals_ignoring_case(text, word)) {
      out += '\1';
      return true;
    }
  for (const std::string_view word : {"false", "f", "no", "n", "off", "0"})
    if (equals_ignoring_case(text, word)) {
      out += '\0';
      return true;
    }
  return false;
}

std::string uuid_text(std::string_view bytes) {
  if (bytes.size() != 16) bad_value("uuid");
  const std::string h = hex(bytes);
  return h.substr(0, 8) + "-" + h.substr(8, 4) + "-" + h.substr(12, 4) + "-" + h.substr(16, 4) + "-" + h.substr(20);
}

bool uuid_from(std::string_view text, std::string& out) {
  text = trimmed(text);
  if (text.size() > 2 && text.front() == '{' && text.back() == '}') text = text.substr(1, text.size() - 2);
  std::string digits;
  for (char c : text)
    if (c != '-') digits += c;
  return digits.size() == 32 && unhex(digits, out);
}

}  // namespace

bool has_text(const Type& type) { return type.kind != Kind::native || native_has_text(base_name(type.pg_type)); }

std::string to_text(const Type& type, std::string_view bytes, TimeStyle style) {
  ValueReader in(bytes);
  switch (type.kind) {
    case Kind::boolean:
      if (bytes.size() != 1) bad_value("boolean");
      return bytes[0] != 0 ? "true" : "false";
    case Kind::int16:
      return std::to_string(in.int16());
    case Kind::int32:
      return std::to_string(in.int32());
    case Kind::int64:
      return std::to_string(in.int64());
    case Kind::float32:
      return float_text(std::bit_cast<float>(in.int32()));
    case Kind::float64:
      return float_text(std::bit_cast<double>(in.int64()));
    case Kind::numeric:
      return numeric_to_text(bytes);
    case Kind::bytes:
      return "\\x" + hex(bytes);
    case Kind::uuid:
      return uuid_text(bytes);
    case Kind::jsonb:
      if (bytes.empty() || bytes[0] != '\1') bad_value("jsonb");
      return std::string(bytes.substr(1));
    case Kind::date:
    case Kind::time:
    case Kind::timetz:
    case Kind::timestamp:
    case Kind::timestamptz:
    case Kind::interval:
      return temporal_to_text(type.kind, bytes, style);
    case Kind::array:
      return array_to_text(type, bytes, style);
    case Kind::native:
      return native_to_text(base_name(type.pg_type), bytes);
    case Kind::string:
    case Kind::json:
    case Kind::xml:
      break;
  }
  return std::string(bytes);
}

bool from_text(const Type& type, std::string_view text, std::string& out) {
  switch (type.kind) {
    case Kind::boolean:
      return boolean_from(text, out);
    case Kind::int16:
      return integer_from<std::int16_t>(text, out);
    case Kind::int32:
      return integer_from<std::int32_t>(text, out);
    case Kind::int64:
      return integer_from<std::int64_t>(text, out);
    case Kind::float32:
      return float_from<float, std::int32_t>(text, out);
    case Kind::float64:
      return float_from<double, std::int64_t>(text, out);
    case Kind::numeric:
      return numeric_from_text(text, out);
    case Kind::bytes:
      return text.starts_with("\\x") && unhex(text.substr(2), out);
    case Kind::uuid:
      return uuid_from(text, out);
    case Kind::json:
    case Kind::jsonb:
      if (!is_json(text, type.kind == Kind::json)) return false;
      if (type.kind == Kind::jsonb) out += '\1';
      out += text;
      return true;
    case Kind::date:
    case Kind::time:
    case Kind::timetz:
    case Kind::timestamp:
    case Kind::timestamptz:
    case Kind::interval:
      return temporal_from_text(type.kind, text, out);
    case Kind::array:
      return array_from_text(type, text, out);
    case Kind::native:
      return native_from_text(base_name(type.pg_type), trimmed(text), out);
    case Kind::string:
    case Kind::xml:
      break;
  }
  if (!is_valid_text(text)) return false;
  out += text;
  return true;
}

}  // namespace millrace::connectors::values
