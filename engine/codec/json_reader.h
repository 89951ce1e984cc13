// The way back from a stored struct's JSON form (json_fields.h): what an exported history is read by. Fields that are
// absent keep what they are made with; unknown ones are passed over. A value of another kind than the field's throws
// Error history.invalid naming the field.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "engine/codec/json_fields.h"

namespace millrace::engine {

// "1.5s". Throws history.invalid.
Duration duration_from_json(const Json& j);
RetryPolicy retry_policy_from_json(const Json& j);

class FieldFromJson {
 public:
  explicit FieldFromJson(const Json& object) : in_(object) {}

  template <class T>
  void operator()(const char* name, T& v) {
    const auto it = in_.find(name);
    if (it == in_.end() || it->is_null()) return;
    if (!read(*it, v)) wrong(name);
  }
  // Lies flat in its event.
  void operator()(const char*, StepTimeouts& v);
  template <class T>
  void operator()(const char* name, std::optional<T>& v) {
    T value{};
    const auto it = in_.find(name);
    if (it == in_.end() || it->is_null()) return;
    if (!read(*it, value)) wrong(name);
    v = std::move(value);
  }

 private:
  static bool read(const Json& j, bool& v);
  static bool read(const Json& j, std::uint32_t& v);
  static bool read(const Json& j, std::uint64_t& v);
  static bool read(const Json& j, double& v);
  static bool read(const Json& j, std::string& v);
  static bool read(const Json& j, WallTime& v);
  static bool read(const Json& j, Duration& v);
  static bool read(const Json& j, StoredPayload& v);
  static bool read(const Json& j, Failure& v);
  static bool read(const Json& j, RetryPolicy& v);
  static bool read(const Json& j, std::vector<std::string>& v);
  static bool read(const Json& j, std::map<std::string, std::string>& v);
  template <class E>
    requires std::is_enum_v<E>
  static bool read(const Json& j, E& v) {
    if (!j.is_string()) return false;
    const std::string word = j.template get<std::string>();
    // Stored numbers are small and few: the word's is looked for.
    for (unsigned n = 0; n < 256; ++n) {
      if (to_string(static_cast<E>(n)) != word) continue;
      v = static_cast<E>(n);
      return true;
    }
    return false;
  }
  [[noreturn]] static void wrong(const char* name);

  const Json& in_;
};

}  // namespace millrace::engine
