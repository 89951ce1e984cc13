#include "api/json_body.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "common/log.h"

namespace millrace::api {

using Json = nlohmann::json;

namespace {

// Brackets outside of strings; enough to bound the recursion of whoever walks the document.
bool too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxJsonDepth) return true;
    } else if ((c == '}' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return false;
}

}  // namespace

Json parse_json_body(const std::string& text) {
  if (text.empty()) return Json::object();
  if (too_deep(text)) {
    throw BodyError("request.malformed_json",
                    "the body is nested deeper than " + std::to_string(kMaxJsonDepth) + " levels", {});
  }
  std::string cause;
  try {
    return Json::parse(text);
  } catch (const Json::exception& e) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: ..."
    cause = e.what();
    if (const auto end = cause.find("] "); end != std::string::npos) cause.erase(0, end + 2);
  }
  throw BodyError("request.malformed_json", cause, {});
}

FieldReader::FieldReader(const Json& body, std::string pointer, bool refuse_unknown)
    : body_(body), pointer_(std::move(pointer)), refuse_unknown_(refuse_unknown) {
  if (!body_.is_object()) {
    throw BodyError("request.invalid", "the body must be a JSON object", {{pointer_, "must be an object"}});
  }
}
FieldReader::~FieldReader() = default;

const Json* FieldReader::value(const char* name) {
  known_.emplace_back(name);
  const auto it = body_.find(name);
  return it == body_.end() || it->is_null() ? nullptr : &*it;
}

void FieldReader::ignore(const char* name) { known_.emplace_back(name); }

void FieldReader::fault(const std::string& name, std::string detail) {
  std::string escaped;
  for (const char c : name) {
    if (c == '~') {
      escaped += "~0";
    } else if (c == '/') {
      escaped += "~1";
    } else {
      escaped += c;
    }
  }
  faults_.push_back({pointer_ + "/" + escaped, std::move(detail)});
}

std::string FieldReader::text(const char* name, bool required) {
  const Json* v = value(name);
  if (v == nullptr) {
    if (required) fault(name, "is required");
    return {};
  }
  if (!v->is_string()) {
    fault(name, "must be a string");
    return {};
  }
  return v->get<std::string>();
}

std::string FieldReader::choice(const char* name, std::initializer_list<const char*> choices) {
  const Json* v = value(name);
  if (v == nullptr) return *choices.begin();
  std::string all;
  for (const char* c : choices) {
    if (v->is_string() && v->get_ref<const std::string&>() == c) return c;
    all += all.empty() ? "" : ", ";
    all += c;
  }
  std::string given = v->is_primitive() ? v->dump(-1, ' ', true, Json::error_handler_t::replace) : v->type_name();
  if (given.size() > 60) given = given.substr(0, 60) + "...";
  fault(name, "must be one of: " + all + ", not " + given);
  return *choices.begin();
}

bool FieldReader::boolean(const char* name, bool otherwise) {
  const Json* v = value(name);
  if (v == nullptr) return otherwise;
  if (!v->is_boolean()) {
    fault(name, "must be true or false");
    return otherwise;
  }
  return v->get<bool>();
}

std::optional<std::int64_t> FieldReader::integer(const char* name, std::int64_t least, std::int64_t most) {
  const Json* v = value(name);
  if (v == nullptr) return std::nullopt;
  if (!v->is_number_integer() || (v->is_number_unsigned() && v->get<std::uint64_t>() > std::uint64_t(INT64_MAX)) ||
      v->get<std::int64_t>() < least || v->get<std::int64_t>() > most) {
    fault(name, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return std::nullopt;
  }
  return v->get<std::int64_t>();
}

void FieldReader::finish() {
  for (const auto& [name, _] : body_.items()) {
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    if (refuse_unknown_) {
      fault(name, "unknown field");
    } else {
      log_info("unknown field ignored", {{"field", name.substr(0, 100)}});
    }
  }
  if (faults_.empty()) return;
  std::string detail = faults_.front().pointer + " " + faults_.front().detail;
  if (faults_.size() > 1) detail += " (and " + std::to_string(faults_.size() - 1) + " more)";
  throw BodyError("request.invalid", detail, std::move(faults_));
}

}  // namespace millrace::api
