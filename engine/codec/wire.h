// Primitive fields of the engine's stored bytes: what events and records are made of.
//
//   u8        one byte
//   varint    unsigned, 7 bits a byte, least first, high bit = more follows; at most 10 bytes
//   zigzag    signed as varint: 0, -1, 1, -2, ...
//   str       varint length, then that many bytes
//   u32 be    big-endian, where a fixed place is needed (checksums)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::engine {

class Writer {
 public:
  void u8(std::uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void varint(std::uint64_t v) {
    while (v >= 0x80) {
      out_.push_back(static_cast<char>(v | 0x80));
      v >>= 7;
    }
    out_.push_back(static_cast<char>(v));
  }
  void zigzag(std::int64_t v) { varint((static_cast<std::uint64_t>(v) << 1) ^ static_cast<std::uint64_t>(v >> 63)); }
  void str(std::string_view s) {
    varint(s.size());
    out_.append(s);
  }
  void raw(std::string_view s) { out_.append(s); }

  std::string& bytes() { return out_; }
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

// Throws store.corrupt when the bytes end early or hold what no writer writes. Views into the bytes, which must outlive
// it. `what` names the thing that is read, for the error.
class Reader {
 public:
  Reader(std::string_view bytes, const char* what) : rest_(bytes), what_(what) {}
  bool empty() const { return rest_.empty(); }
  std::size_t left() const { return rest_.size(); }

  std::uint8_t u8();
  std::uint64_t varint();
  std::int64_t zigzag() {
    const std::uint64_t v = varint();
    return static_cast<std::int64_t>(v >> 1) ^ -static_cast<std::int64_t>(v & 1);
  }
  std::string_view str() { return raw(varint()); }
  std::string_view raw(std::uint64_t n);
  const char* what() const { return what_; }
  [[noreturn]] void fail(std::string_view why) const;

 private:
  std::string_view rest_;
  const char* what_;
};

// CRC-32C (Castagnoli), as of RFC 3720 appendix B.4.
std::uint32_t crc32c(std::string_view bytes);

}  // namespace millrace::engine
