#include "engine/codec/wire.h"

#include <array>

#include "common/errors.h"

namespace millrace::engine {

std::uint8_t Reader::u8() { return static_cast<std::uint8_t>(raw(1)[0]); }

std::uint64_t Reader::varint() {
  std::uint64_t v = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const std::uint8_t b = u8();
    if (shift == 63 && b > 1) break;
    v |= static_cast<std::uint64_t>(b & 0x7f) << shift;
    if ((b & 0x80) == 0) return v;
  }
  fail("a number is longer than 64 bits");
}

std::string_view Reader::raw(std::uint64_t n) {
  if (n > rest_.size()) fail("it ends early");
  const auto b = rest_.substr(0, n);
  rest_.remove_prefix(n);
  return b;
}

void Reader::fail(std::string_view why) const {
  throw Error("store.corrupt", std::string(what_) + ": " + std::string(why));
}

namespace {

// Slicing by 8: table[k][b] is the checksum of byte b followed by k zero bytes.
using Tables = std::array<std::array<std::uint32_t, 256>, 8>;
constexpr Tables make_tables() {
  Tables t{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    std::uint32_t c = b;
    for (int i = 0; i < 8; ++i) c = (c >> 1) ^ ((c & 1) != 0 ? 0x82f63b78U : 0U);
    t[0][b] = c;
  }
  for (std::size_t k = 1; k < 8; ++k)
    for (std::uint32_t b = 0; b < 256; ++b) t[k][b] = (t[k - 1][b] >> 8) ^ t[0][t[k - 1][b] & 0xff];
  return t;
}
constexpr Tables kTables = make_tables();

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
  std::uint32_t c = 0xffffffffU;
  std::size_t i = 0;
  for (; i + 8 <= bytes.size(); i += 8) {
    const std::uint32_t low =
        c ^ (at(i) | at(i + 1) << 8 | at(i + 2) << 16 | static_cast<std::uint32_t>(at(i + 3)) << 24);
    c = kTables[7][low & 0xff] ^ kTables[6][(low >> 8) & 0xff] ^ kTables[5][(low >> 16) & 0xff] ^
        kTables[4][low >> 24] ^ kTables[3][at(i + 4)] ^ kTables[2][at(i + 5)] ^ kTables[1][at(i + 6)] ^
        kTables[0][at(i + 7)];
  }
  for (; i < bytes.size(); ++i) c = (c >> 8) ^ kTables[0][(c ^ at(i)) & 0xff];
  return ~c;
}

}  // namespace millrace::engine
