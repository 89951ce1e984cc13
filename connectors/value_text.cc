#include "connectors/value_text.h"

#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

#include "common/byte_order.h"
#include "connectors/civil_time.h"

namespace millrace::connectors {
namespace {

constexpr std::int64_t kDayUs = 86'400'000'000;

std::string padded(std::int64_t value, int width) {
  std::string digits = std::to_string(value);
  if (static_cast<int>(digits.size()) < width) digits.insert(0, static_cast<std::size_t>(width) - digits.size(), '0');
  return digits;
}

std::string date_text(std::int64_t days) {
  const CivilDate date = civil_from_days(days);
  const bool bc = date.year <= 0;
  return padded(bc ? 1 - date.year : date.year, 4) + "-" + padded(date.month, 2) + "-" + padded(date.day, 2) +
         (bc ? " BC" : "");
}

// hh:mm:ss[.ffffff], trailing zeros of the fraction cut. May exceed a day's hours (an interval).
std::string clock_text(std::int64_t us) {
  const std::int64_t seconds = us / 1'000'000;
  std::string out = padded(seconds / 3600, 2) + ":" + padded(seconds / 60 % 60, 2) + ":" + padded(seconds % 60, 2);
  std::int64_t fraction = us % 1'000'000;
  if (fraction == 0) return out;
  std::string digits = padded(fraction, 6);
  while (digits.back() == '0') digits.pop_back();
  return out + "." + digits;
}

std::string timestamp_text(std::int64_t us, bool zoned) {
  if (us == std::numeric_limits<std::int64_t>::max()) return "infinity";
  if (us == std::numeric_limits<std::int64_t>::min()) return "-infinity";
  std::int64_t days = us / kDayUs, rest = us % kDayUs;
  if (rest < 0) {
    rest += kDayUs;
    --days;
  }
  std::string date = date_text(days);
  const bool bc = date.ends_with(" BC");
  if (bc) date.resize(date.size() - 3);
  return date + " " + clock_text(rest) + (zoned ? "+00" : "") + (bc ? " BC" : "");
}

std::string zone_text(std::int32_t seconds_west) {
  const std::int32_t east = -seconds_west;
  const std::int32_t size = east < 0 ? -east : east;
  std::string out = (east < 0 ? "-" : "+") + padded(size / 3600, 2);
  if (size % 3600 != 0) out += ":" + padded(size / 60 % 60, 2);
  if (size % 60 != 0) out += ":" + padded(size % 60, 2);
  return out;
}

// The shortest digits that read back as the same number, laid out as float4out and float8out do.
template <class Float>
std::string float_text(Float value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value < 0 ? "-Infinity" : "Infinity";
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  std::string text(buffer, end);
  const std::size_t e = text.find('e');
  const int exponent = std::atoi(text.c_str() + e + 1);
  std::string digits;
  const bool negative = text[0] == '-';
  for (const char c : text.substr(0, e))
    if (c >= '0' && c <= '9') digits += c;
  while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
  std::string out = negative ? "-" : "";
  constexpr int kFixed = sizeof(Float) == 4 ? 6 : 15;
  if (exponent < -4 || exponent >= kFixed) {
    out += digits[0];
    if (digits.size() > 1) out += "." + digits.substr(1);
    return out + "e" + (exponent < 0 ? "-" : "+") + padded(exponent < 0 ? -exponent : exponent, 2);
  }
  if (exponent < 0) return out + "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + digits;
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  if (digits.size() <= whole) return out + digits + std::string(whole - digits.size(), '0');
  return out + digits.substr(0, whole) + "." + digits.substr(whole);
}

std::optional<std::string> numeric_text(std::string_view b) {
  if (b.size() < 8) return std::nullopt;
  const auto digits = from_big_endian<std::int16_t>(b.data());
  const auto weight = from_big_endian<std::int16_t>(b.data() + 2);
  const auto sign = from_big_endian<std::uint16_t>(b.data() + 4);
  const auto scale = from_big_endian<std::int16_t>(b.data() + 6);
  if (sign == 0xC000) return "NaN";
  if (sign == 0xD000) return "Infinity";
  if (sign == 0xF000) return "-Infinity";
  if (digits < 0 || scale < 0 || b.size() != 8 + 2 * static_cast<std::size_t>(digits)) return std::nullopt;
  const auto group = [&](int i) {
    if (i < 0 || i >= digits) return std::int16_t{0};
    return from_big_endian<std::int16_t>(b.data() + 8 + 2 * i);
  };
  std::string out = sign == 0x4000 ? "-" : "";
  if (weight < 0) {
    out += "0";
  } else {
    for (int i = 0; i <= weight; ++i) out += i == 0 ? std::to_string(group(0)) : padded(group(i), 4);
  }
  if (scale == 0) return out;
  std::string fraction;
  for (int i = weight + 1; static_cast<int>(fraction.size()) < scale; ++i) fraction += padded(group(i), 4);
  fraction.resize(static_cast<std::size_t>(scale));
  return out + "." + fraction;
}

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string uuid_text(std::string_view bytes) {
  std::string out = hex(bytes);
  for (const std::size_t at : {8, 13, 18, 23}) out.insert(at, "-");
  return out;
}

std::string interval_text(std::string_view b) {
  auto us = from_big_endian<std::int64_t>(b.data());
  const auto days = from_big_endian<std::int32_t>(b.data() + 8);
  const auto all_months = from_big_endian<std::int32_t>(b.data() + 12);
  std::string out;
  bool before = false;  // the former part was negative: a positive one then says so
  const auto part = [&](std::int64_t n, const char* unit) {
    if (n == 0) return;
    out += (out.empty() ? "" : " ") + std::string(before && n > 0 ? "+" : "") + std::to_string(n) + " " + unit +
           (n == 1 ? "" : "s");
    before = n < 0;
  };
  part(all_months / 12, "year");
  part(all_months % 12, "mon");
  part(days, "day");
  if (us == 0 && !out.empty()) return out;
  const bool negative = us < 0;
  if (!out.empty()) out += " ";
  if (negative)
    out += "-";
  else if (before)
    out += "+";
  return out + clock_text(negative ? -us : us);
}

std::size_t fixed_size(Kind kind) {
  switch (kind) {
    case Kind::boolean:
      return 1;
    case Kind::int16:
      return 2;
    case Kind::int32:
    case Kind::float32:
    case Kind::date:
      return 4;
    case Kind::int64:
    case Kind::float64:
    case Kind::time:
    case Kind::timestamp:
    case Kind::timestamptz:
      return 8;
    case Kind::timetz:
      return 12;
    case Kind::uuid:
    case Kind::interval:
      return 16;
    default:
      return 0;
  }
}

}  // namespace

bool has_text(const Type& type) { return type.kind != Kind::array && type.kind != Kind::native; }

std::optional<std::string> text_of(const Type& type, std::string_view b) {
  if (const auto size = fixed_size(type.kind); size != 0 && b.size() != size) return std::nullopt;
  switch (type.kind) {
    case Kind::boolean:
      return b[0] != 0 ? "true" : "false";
    case Kind::int16:
      return std::to_string(from_big_endian<std::int16_t>(b.data()));
    case Kind::int32:
      return std::to_string(from_big_endian<std::int32_t>(b.data()));
    case Kind::int64:
      return std::to_string(from_big_endian<std::int64_t>(b.data()));
    case Kind::float32:
      return float_text(std::bit_cast<float>(from_big_endian<std::int32_t>(b.data())));
    case Kind::float64:
      return float_text(std::bit_cast<double>(from_big_endian<std::int64_t>(b.data())));
    case Kind::numeric:
      return numeric_text(b);
    case Kind::string:
    case Kind::json:
    case Kind::xml:
      return std::string(b);
    case Kind::jsonb:
      if (b.empty()) return std::nullopt;
      return std::string(b.substr(1));
    case Kind::bytes:
      return "\\x" + hex(b);
    case Kind::uuid:
      return uuid_text(b);
    case Kind::date: {
      const auto days = from_big_endian<std::int32_t>(b.data());
      if (days == std::numeric_limits<std::int32_t>::max()) return "infinity";
      if (days == std::numeric_limits<std::int32_t>::min()) return "-infinity";
      return date_text(days);
    }
    case Kind::time:
      return clock_text(from_big_endian<std::int64_t>(b.data()));
    case Kind::timetz:
      return clock_text(from_big_endian<std::int64_t>(b.data())) +
             zone_text(from_big_endian<std::int32_t>(b.data() + 8));
    case Kind::timestamp:
      return timestamp_text(from_big_endian<std::int64_t>(b.data()), false);
    case Kind::timestamptz:
      return timestamp_text(from_big_endian<std::int64_t>(b.data()), true);
    case Kind::interval:
      return interval_text(b);
    case Kind::array:
    case Kind::native:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace millrace::connectors
