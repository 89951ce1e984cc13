// The families of types behind values.h, for its own files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "connectors/values/values.h"

namespace millrace::connectors::values {

// numeric.cc. Binary form: numeric_send, digits in base 10,000.
std::string numeric_to_text(std::string_view bytes);
bool numeric_from_text(std::string_view text, std::string& out);

// temporal.cc
std::string temporal_to_text(Kind kind, std::string_view bytes, TimeStyle style);
bool temporal_from_text(Kind kind, std::string_view text, std::string& out);

// native.cc: inet, macaddr, bit, oid, ...
bool native_has_text(std::string_view name);
std::string native_to_text(std::string_view name, std::string_view bytes);
bool native_from_text(std::string_view name, std::string_view text, std::string& out);

// array.cc
std::string array_to_text(const Type& type, std::string_view bytes, TimeStyle style);
bool array_from_text(const Type& type, std::string_view text, std::string& out);

// Reads big-endian numbers off the front of a value. Throws connector.bad_row where it ends too soon.
class ValueReader {
 public:
  explicit ValueReader(std::string_view bytes) : rest_(bytes) {}
  std::int16_t int16();
  std::int32_t int32();
  std::int64_t int64();
  std::string_view bytes(std::size_t n);
  bool empty() const { return rest_.empty(); }
  std::size_t left() const { return rest_.size(); }

 private:
  std::string_view rest_;
};

[[noreturn]] void bad_value(const char* what);

// Without spaces around it.
std::string_view trimmed(std::string_view text);
bool equals_ignoring_case(std::string_view text, std::string_view lower);

}  // namespace millrace::connectors::values
