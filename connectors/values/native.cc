// Built-in types whose text can be made here: network addresses, bit strings, numbers of the server.
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "common/byte_order.h"
#include "connectors/values/parts.h"

namespace millrace::connectors::values {
namespace {

constexpr std::uint8_t kInet4 = 2, kInet6 = 3;  // PGSQL_AF_INET, PGSQL_AF_INET6

std::string inet_text(std::string_view bytes, bool cidr) {
  if (bytes.size() != 8 && bytes.size() != 20) bad_value("inet");
  const auto family = static_cast<std::uint8_t>(bytes[0]);
  const int bits = static_cast<std::uint8_t>(bytes[1]);
  const bool four = family == kInet4;
  if (bytes.size() != (four ? 8u : 20u)) bad_value("inet");
  char text[INET6_ADDRSTRLEN];
  if (inet_ntop(four ? AF_INET : AF_INET6, bytes.data() + 4, text, sizeof text) == nullptr) bad_value("inet");
  std::string out = text;
  if (cidr || bits != (four ? 32 : 128)) out += "/" + std::to_string(bits);
  return out;
}

bool inet_from(std::string_view text, bool cidr, std::string& out) {
  const auto slash = text.find('/');
  const std::string address(text.substr(0, slash));
  const bool four = address.find(':') == std::string::npos;
  unsigned char raw[16];
  if (inet_pton(four ? AF_INET : AF_INET6, address.c_str(), raw) != 1) return false;
  int bits = four ? 32 : 128;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size() || value < 0 || value > bits) return false;
    bits = value;
  }
  const std::size_t size = four ? 4 : 16;
  out += static_cast<char>(four ? kInet4 : kInet6);
  out += static_cast<char>(bits);
  out += static_cast<char>(cidr ? 1 : 0);
  out += static_cast<char>(size);
  out.append(reinterpret_cast<const char*>(raw), size);
  return true;
}

std::string mac_text(std::string_view bytes, std::size_t size) {
  if (bytes.size() != size) bad_value("macaddr");
  const std::string digits = hex(bytes);
  std::string out;
  for (std::size_t i = 0; i < digits.size(); i += 2) out += (i > 0 ? ":" : "") + digits.substr(i, 2);
  return out;
}

bool mac_from(std::string_view text, std::size_t size, std::string& out) {
  std::string digits;
  for (char c : text)
    if (c != ':' && c != '-' && c != '.') digits += c;
  return digits.size() == size * 2 && unhex(digits, out);
}

std::string bit_text(std::string_view bytes) {
  ValueReader in(bytes);
  const std::int32_t bits = in.int32();
  if (bits < 0 || in.left() != static_cast<std::size_t>(bits + 7) / 8) bad_value("bit");
  const std::string_view data = in.bytes(in.left());
  std::string out;
  for (std::int32_t i = 0; i < bits; ++i)
    out += (static_cast<unsigned char>(data[static_cast<std::size_t>(i / 8)]) >> (7 - i % 8) & 1) != 0 ? '1' : '0';
  return out;
}

bool bit_from(std::string_view text, std::string& out) {
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c == '0' || c == '1'; })) return false;
  append_big_endian(out, static_cast<std::int32_t>(text.size()));
  for (std::size_t i = 0; i < text.size(); i += 8) {
    unsigned byte = 0;
    for (std::size_t k = 0; k < 8; ++k) byte = byte << 1 | (i + k < text.size() && text[i + k] == '1' ? 1u : 0u);
    out += static_cast<char>(byte);
  }
  return true;
}

std::string point_text(std::string_view bytes) {
  const Type number(Kind::float64, "double precision");
  if (bytes.size() != 16) bad_value("point");
  return "(" + to_text(number, bytes.substr(0, 8)) + "," + to_text(number, bytes.substr(8)) + ")";
}

bool point_from(std::string_view text, std::string& out) {
  const Type number(Kind::float64, "double precision");
  const auto comma = text.find(',');
  if (text.size() < 5 || text.front() != '(' || text.back() != ')' || comma == std::string_view::npos) return false;
  std::string both;
  if (!from_text(number, text.substr(1, comma - 1), both) ||
      !from_text(number, text.substr(comma + 1, text.size() - comma - 2), both))
    return false;
  out += both;
  return true;
}

std::string lsn_text(std::uint64_t lsn) {
  char out[40];
  std::snprintf(out, sizeof out, "%X/%X", static_cast<unsigned>(lsn >> 32), static_cast<unsigned>(lsn));
  return out;
}

bool lsn_from(std::string_view text, std::string& out) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return false;
  std::uint32_t high = 0, low = 0;
  const auto* middle = text.data() + slash;
  const auto* end = text.data() + text.size();
  const auto a = std::from_chars(text.data(), middle, high, 16);
  const auto b = std::from_chars(middle + 1, end, low, 16);
  if (a.ec != std::errc() || a.ptr != middle || b.ec != std::errc() || b.ptr != end) return false;
  append_big_endian(out, static_cast<std::int64_t>(static_cast<std::uint64_t>(high) << 32 | low));
  return true;
}

template <class Unsigned, class Signed>
bool unsigned_from(std::string_view text, std::string& out) {
  Unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  append_big_endian(out, static_cast<Signed>(value));
  return true;
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}
bool is_bits(std::string_view name) { return is_one_of(name, {"bit", "bit varying", "varbit"}); }

}  // namespace

bool native_has_text(std::string_view name) {
  return is_bits(name) ||
         is_one_of(name, {"inet", "cidr", "macaddr", "macaddr8", "point", "oid", "xid", "cid", "xid8", "pg_lsn"});
}

std::string native_to_text(std::string_view name, std::string_view bytes) {
  if (is_bits(name)) return bit_text(bytes);
  if (name == "inet" || name == "cidr") return inet_text(bytes, name == "cidr");
  if (name == "macaddr") return mac_text(bytes, 6);
  if (name == "macaddr8") return mac_text(bytes, 8);
  if (name == "point") return point_text(bytes);
  ValueReader in(bytes);
  if (name == "pg_lsn") return lsn_text(static_cast<std::uint64_t>(in.int64()));
  if (name == "xid8") return std::to_string(static_cast<std::uint64_t>(in.int64()));
  if (is_one_of(name, {"oid", "xid", "cid"})) return std::to_string(static_cast<std::uint32_t>(in.int32()));
  return "\\x" + hex(bytes);
}

bool native_from_text(std::string_view name, std::string_view text, std::string& out) {
  if (is_bits(name)) return bit_from(text, out);
  if (name == "inet" || name == "cidr") return inet_from(text, name == "cidr", out);
  if (name == "macaddr") return mac_from(text, 6, out);
  if (name == "macaddr8") return mac_from(text, 8, out);
  if (name == "point") return point_from(text, out);
  if (name == "pg_lsn") return lsn_from(text, out);
  if (name == "xid8") return unsigned_from<std::uint64_t, std::int64_t>(text, out);
  if (is_one_of(name, {"oid", "xid", "cid"})) return unsigned_from<std::uint32_t, std::int32_t>(text, out);
  return text.starts_with("\\x") && unhex(text.substr(2), out);
}

}  // namespace millrace::connectors::values
