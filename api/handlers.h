// What the routes' files share, and one function each that adds their routes.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "api/message.h"
#include "api/router.h"
#include "api/services.h"

namespace millrace::api {

inline constexpr std::size_t kDefaultLimit = 100;
inline constexpr std::size_t kMaxLimit = 10'000;

Response json_response(int status, std::string body);
// The query parameter `limit`, 100 by default. Throws request.invalid_parameter.
std::size_t limit_of(const Request& request);
std::uint64_t number_of(const Request& request, std::string_view name, std::uint64_t otherwise);
bool flag_of(const Request& request, std::string_view name, bool otherwise);
std::int64_t job_id_of(const Request& request);
// The header Idempotency-Key; empty: none.
std::string idempotency_key_of(const Request& request);
class FieldReader;
// An id of the caller's: a field of the body, or the header Idempotency-Key, which is the same thing. Faults of
// `fields`.
std::string read_request_id(const Request& request, FieldReader& fields, const char* field);
resources::Principal principal_of(const Request& request);
// The parameters limit and next, for lists that come whole.
void add_page_parameters(Route& route);
// {"data": [items], "next": next or null, "previous": null}
std::string list_json(const std::vector<std::string>& items, const std::string& next);

// Builds a JSON object from parts that are JSON already, without parsing them again.
class JsonObject {
 public:
  JsonObject& raw(std::string_view name, std::string_view json);  // empty: null
  JsonObject& text(std::string_view name, std::string_view value);
  JsonObject& number(std::string_view name, std::int64_t value);
  JsonObject& boolean(std::string_view name, bool value);
  std::string take();

 private:
  void name(std::string_view n);
  std::string out_ = "{";
};
std::string json_text(std::string_view value);

void add_system_routes(Router& router, const Services& services, std::function<Response(const Request&)> readiness);
void add_session_routes(Router& router, const Services& services, bool no_auth);
void add_token_routes(Router& router, const Services& services);
void add_connector_routes(Router& router, const Services& services);
void add_resource_routes(Router& router, const Services& services);
void add_config_routes(Router& router, const Services& services);
void add_slot_routes(Router& router, const Services& services);
void add_state_routes(Router& router, const Services& services);
void add_job_routes(Router& router, const Services& services);
void add_upkeep_routes(Router& router, const Services& services);  // undo, quarantine
void add_workflow_routes(Router& router, const Services& services);
void add_message_routes(Router& router, const Services& services);
void add_operation_routes(Router& router, const Services& services);
void add_operator_routes(Router& router, const Services& services);
void add_replay_routes(Router& router, const Services& services);
void add_queue_routes(Router& router, const Services& services);
void add_worker_routes(Router& router, const Services& services);
void add_schedule_routes(Router& router, const Services& services);
void add_airbyte_routes(Router& router, const Services& services);
void add_live_routes(Router& router, const Services& services);
void add_document_routes(Router& router);
void add_ui_routes(Router& router);

}  // namespace millrace::api
