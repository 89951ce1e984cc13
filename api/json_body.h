// Reading JSON bodies: all faults at once, unknown fields refused by name.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "api/problem.h"
#include "common/errors.h"

namespace millrace::api {

// Thrown with all faults of a body (request.invalid), or with the one that ended parsing (request.malformed_json).
class BodyError : public Error {
 public:
  BodyError(std::string_view code, std::string detail, std::vector<BodyFault> faults)
      : Error(code, std::move(detail)), faults_(std::move(faults)) {}
  const std::vector<BodyFault>& faults() const { return faults_; }

 private:
  std::vector<BodyFault> faults_;
};

inline constexpr std::size_t kMaxJsonDepth = 128;  // nesting of a body; deeper is refused before it is parsed

// Throws BodyError. An empty text is an empty object.
nlohmann::json parse_json_body(const std::string& text);

// Takes an object's fields one by one; finish() throws BodyError if anything was wrong or left over.
class FieldReader {
 public:
  FieldReader(const nlohmann::json& body, std::string pointer, bool refuse_unknown);
  ~FieldReader();
  FieldReader(const FieldReader&) = delete;
  FieldReader& operator=(const FieldReader&) = delete;

  std::string text(const char* name, bool required = false);
  // One of `choices`; the first is the default.
  std::string choice(const char* name, std::initializer_list<const char*> choices);
  bool boolean(const char* name, bool otherwise = false);
  std::optional<std::int64_t> integer(const char* name, std::int64_t least, std::int64_t most);
  // Any value; null if it is not there.
  const nlohmann::json* value(const char* name);
  // Counts the field as known.
  void ignore(const char* name);
  void fault(const std::string& name, std::string detail);
  // For what lies deeper: `pointer` is of the whole body, escaped already.
  void fault_at(std::string pointer, std::string detail) { faults_.push_back({std::move(pointer), std::move(detail)}); }
  void finish();

 private:
  const nlohmann::json& body_;
  std::string pointer_;
  bool refuse_unknown_;
  std::vector<std::string> known_;
  std::vector<BodyFault> faults_;
};

}  // namespace millrace::api
