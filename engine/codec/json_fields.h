// How a stored struct is shown: a JSON object in camelCase, in the order of its fields. Empty fields are left out.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/codec/payload.h"
#include "engine/options.h"

namespace millrace::engine {

using Json = nlohmann::ordered_json;

// JSON text becomes the value it means; other text a string; empty null.
Json json_of_payload(std::string_view text);
Json json_of(const Failure& failure);
Json json_of(const RetryPolicy& policy);
// "1.5s": protobuf's JSON form of a duration.
std::string json_of(Duration d);

class FieldJson {
 public:
  explicit FieldJson(Json& out) : out_(out) {}

  void operator()(const char* name, bool v) {
    if (v) out_[name] = v;
  }
  void operator()(const char* name, std::uint32_t v) {
    if (v != 0) out_[name] = v;
  }
  void operator()(const char* name, std::uint64_t v) {
    if (v != 0) out_[name] = v;
  }
  void operator()(const char* name, double v) { out_[name] = v; }
  void operator()(const char* name, const std::string& v) {
    if (!v.empty()) out_[name] = v;
  }
  void operator()(const char* name, WallTime v) { out_[name] = format_time(v); }
  void operator()(const char* name, Duration v) { out_[name] = json_of(v); }
  void operator()(const char* name, const StoredPayload& v) {
    if (v.is_absent())
      out_[name] = {{"blobBytes", v.size}};
    else if (!v.text.empty())
      out_[name] = json_of_payload(v.text);
  }
  void operator()(const char* name, const Failure& v) { out_[name] = json_of(v); }
  void operator()(const char* name, const RetryPolicy& v) { out_[name] = json_of(v); }
  // Lies flat in its event, as Temporal has it.
  void operator()(const char*, const StepTimeouts& v);
  template <class E>
    requires std::is_enum_v<E>
  void operator()(const char* name, E v) {
    const std::string_view word = to_string(v);
    if (!word.empty()) out_[name] = word;
  }
  template <class T>
  void operator()(const char* name, const std::optional<T>& v) {
    if (v) (*this)(name, *v);
  }
  void operator()(const char* name, const std::vector<std::string>& v) {
    if (!v.empty()) out_[name] = v;
  }
  void operator()(const char* name, const std::map<std::string, std::string>& v) {
    if (!v.empty()) out_[name] = v;
  }

 private:
  Json& out_;
};

}  // namespace millrace::engine
