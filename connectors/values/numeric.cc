#include <algorithm>
#include <charconv>
#include <cstdio>
#include <vector>

#include "common/byte_order.h"
#include "connectors/values/parts.h"

namespace millrace::connectors::values {
namespace {

constexpr std::uint16_t kNegative = 0x4000, kNan = 0xC000, kInfinity = 0xD000, kMinusInfinity = 0xF000;
constexpr std::size_t kGroup = 4, kMaxWhole = 131'072, kMaxScale = 16'383;

void append_header(std::string& out, std::int16_t digits, std::int16_t weight, std::uint16_t sign, std::int16_t scale) {
  append_big_endian(out, digits);
  append_big_endian(out, weight);
  append_big_endian(out, static_cast<std::int16_t>(sign));
  append_big_endian(out, scale);
}

bool special(std::string_view text, std::string& out) {
  std::uint16_t sign = 0;
  if (equals_ignoring_case(text, "nan")) sign = kNan;
  if (equals_ignoring_case(text, "infinity") || equals_ignoring_case(text, "inf") ||
      equals_ignoring_case(text, "+infinity"))
    sign = kInfinity;
  if (equals_ignoring_case(text, "-infinity") || equals_ignoring_case(text, "-inf")) sign = kMinusInfinity;
  if (sign == 0) return false;
  append_header(out, 0, 0, sign, 0);
  return true;
}

bool all_digits(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "-12.50e3" as sign, digits before and after the point.
struct Decimal {
  bool negative = false;
  std::string whole, fraction;
};

bool parse_decimal(std::string_view text, Decimal& out) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    out.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  std::int64_t exponent = 0;
  if (const auto e = text.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view digits = text.substr(e + 1);
    if (!digits.empty() && digits[0] == '+') digits.remove_prefix(1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), exponent);
    if (error != std::errc() || end != digits.data() + digits.size() || digits.empty()) return false;
    text = text.substr(0, e);
  }
  const auto point = text.find('.');
  out.whole = std::string(text.substr(0, point));
  if (point != std::string_view::npos) out.fraction = std::string(text.substr(point + 1));
  if ((out.whole.empty() && out.fraction.empty()) || !all_digits(out.whole) || !all_digits(out.fraction)) return false;
  if (exponent > static_cast<std::int64_t>(kMaxWhole) || exponent < -static_cast<std::int64_t>(kMaxScale)) return false;
  if (exponent > 0) {
    const auto moved = std::min(out.fraction.size(), static_cast<std::size_t>(exponent));
    out.whole += out.fraction.substr(0, moved);
    out.fraction.erase(0, moved);
    out.whole.append(static_cast<std::size_t>(exponent) - moved, '0');
  } else if (exponent < 0) {
    const auto wanted = static_cast<std::size_t>(-exponent);
    if (out.whole.size() < wanted) out.whole.insert(0, wanted - out.whole.size(), '0');
    out.fraction.insert(0, out.whole.substr(out.whole.size() - wanted));
    out.whole.erase(out.whole.size() - wanted);
  }
  out.whole.erase(0, out.whole.find_first_not_of('0'));
  return out.whole.size() <= kMaxWhole && out.fraction.size() <= kMaxScale;
}

}  // namespace

std::string numeric_to_text(std::string_view bytes) {
  ValueReader in(bytes);
  const int digits = in.int16(), weight = in.int16();
  const auto sign = static_cast<std::uint16_t>(in.int16());
  const int scale = in.int16();
  if (sign == kNan) return "NaN";
  if (sign == kInfinity) return "Infinity";
  if (sign == kMinusInfinity) return "-Infinity";
  if (digits < 0 || scale < 0 || in.left() != static_cast<std::size_t>(digits) * 2) bad_value("numeric");
  std::vector<int> groups(static_cast<std::size_t>(digits));
  for (int& g : groups) g = in.int16();
  const auto group = [&](int at) { return at < 0 || at >= digits ? 0 : groups[static_cast<std::size_t>(at)]; };

  std::string out = sign == kNegative ? "-" : "";
  char four[16];
  if (weight < 0) out += '0';
  for (int i = 0; i <= weight; ++i) {
    std::snprintf(four, sizeof four, i == 0 ? "%d" : "%04d", group(i));
    out += four;
  }
  if (scale == 0) return out;
  out += '.';
  std::string fraction;
  for (int i = weight + 1; fraction.size() < static_cast<std::size_t>(scale); ++i) {
    std::snprintf(four, sizeof four, "%04d", group(i));
    fraction += four;
  }
  return out + fraction.substr(0, static_cast<std::size_t>(scale));
}

bool numeric_from_text(std::string_view text, std::string& out) {
  text = trimmed(text);
  if (special(text, out)) return true;
  Decimal d;
  if (!parse_decimal(text, d)) return false;
  const std::size_t scale = d.fraction.size();
  d.whole.insert(0, (kGroup - d.whole.size() % kGroup) % kGroup, '0');
  d.fraction.append((kGroup - d.fraction.size() % kGroup) % kGroup, '0');
  const std::string all = d.whole + d.fraction;
  std::vector<std::int16_t> groups;
  for (std::size_t i = 0; i < all.size(); i += kGroup) {
    int value = 0;
    for (std::size_t k = 0; k < kGroup; ++k) value = value * 10 + (all[i + k] - '0');
    groups.push_back(static_cast<std::int16_t>(value));
  }
  int weight = static_cast<int>(d.whole.size() / kGroup) - 1;
  std::size_t first = 0, last = groups.size();
  while (first < last && groups[first] == 0) {
    ++first;
    --weight;
  }
  while (last > first && groups[last - 1] == 0) --last;
  const bool zero = first == last;
  append_header(out, static_cast<std::int16_t>(last - first), static_cast<std::int16_t>(zero ? 0 : weight),
                d.negative && !zero ? kNegative : 0, static_cast<std::int16_t>(scale));
  for (std::size_t i = first; i < last; ++i) append_big_endian(out, groups[i]);
  return true;
}

}  // namespace millrace::connectors::values
