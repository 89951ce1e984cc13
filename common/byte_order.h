// Big-endian integers in byte strings: the byte order of the store's keys and of PostgreSQL's wire formats.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>

namespace millrace {

template <std::integral T>
T from_big_endian(const void* bytes) {
  std::make_unsigned_t<T> v{};
  std::memcpy(&v, bytes, sizeof v);
  if constexpr (sizeof(T) == 2) v = __builtin_bswap16(v);
  if constexpr (sizeof(T) == 4) v = __builtin_bswap32(v);
  if constexpr (sizeof(T) == 8) v = __builtin_bswap64(v);
  return static_cast<T>(v);
}

template <std::integral T>
void to_big_endian(T value, void* bytes) {
  auto v = static_cast<std::make_unsigned_t<T>>(value);
  if constexpr (sizeof(T) == 2) v = __builtin_bswap16(v);
  if constexpr (sizeof(T) == 4) v = __builtin_bswap32(v);
  if constexpr (sizeof(T) == 8) v = __builtin_bswap64(v);
  std::memcpy(bytes, &v, sizeof v);
}

template <std::integral T>
void append_big_endian(std::string& out, T value) {
  char b[sizeof(T)];
  to_big_endian(value, b);
  out.append(b, sizeof b);
}

}  // namespace millrace
