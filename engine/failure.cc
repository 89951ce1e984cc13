#include "engine/failure.h"

#include "common/errors.h"
#include "engine/codec/json_fields.h"

namespace millrace::engine {

Json json_of(const Failure& f) {
  Json j = Json::object();
  j["type"] = f.type;
  j["message"] = f.message;
  if (!f.details.empty()) j["details"] = json_of_payload(f.details);
  j["retryable"] = f.retryable;
  if (f.next_retry_delay) j["nextRetryDelay"] = json_of(*f.next_retry_delay);
  if (f.cause) j["cause"] = json_of(*f.cause);
  return j;
}

std::string to_json(const Failure& failure) {
  return json_of(failure).dump(-1, ' ', false, Json::error_handler_t::replace);
}

namespace {
Failure failure_of(const Json& j, int depth) {
  Failure f;
  if (!j.is_object()) {
    f.type = "internal";
    f.message = j.is_string() ? j.get<std::string>() : j.dump();
    return f;
  }
  const auto text = [&](const char* name) {
    const auto it = j.find(name);
    return it != j.end() && it->is_string() ? it->get<std::string>() : std::string();
  };
  f.type = text("type");
  f.message = text("message");
  if (const auto it = j.find("details"); it != j.end() && !it->is_null()) f.details = it->dump();
  if (const auto it = j.find("retryable"); it != j.end() && it->is_boolean()) f.retryable = it->get<bool>();
  if (const auto it = j.find("cause"); it != j.end() && it->is_object() && depth < 32)
    f.cause = std::make_shared<Failure>(failure_of(*it, depth + 1));
  return f;
}
}  // namespace

Failure failure_from_json(const std::string& json) {
  const Json j = Json::parse(json, nullptr, false);
  if (!j.is_discarded()) return failure_of(j, 0);
  Failure f;
  f.type = "internal";
  f.message = json;
  return f;
}

Failure failure_from_exception(const std::exception_ptr& error) {
  Failure f;
  try {
    std::rethrow_exception(error);
  } catch (const FailureError& e) {
    return e.failure();
  } catch (const Error& e) {
    f.type = e.code();
    f.message = e.what();
    f.retryable = e.retryable();
    Json details = Json::object();
    details["kind"] = std::string(to_string(e.kind()));
    details["title"] = e.title();
    if (!e.detail().empty()) details["detail"] = e.detail();
    details["remedy"] = std::string(e.remedy());
    f.details = details.dump(-1, ' ', false, Json::error_handler_t::replace);
    return f;
  } catch (...) {
  }
  if (is_cancelled(error)) {
    f.type = "Cancelled";
    f.message = "cancelled";
    f.retryable = false;
    return f;
  }
  f.type = "internal";
  f.message = describe(error);
  return f;
}

}  // namespace millrace::engine
