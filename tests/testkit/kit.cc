#include "tests/testkit/kit.h"

namespace millrace::testkit {

void add(engine::Registry& registry, std::string type, std::vector<std::string> fields,
         engine::WorkflowFunction function) {
  registry.add_workflow(std::move(type), std::move(function),
                        [fields = std::move(fields)](const Payload& input) { check_fields(input, fields); });
}

StepOptions named(std::string activity_id) {
  StepOptions options;
  options.activity_id = std::move(activity_id);
  return options;
}

Payload work(const Input& in, std::int64_t value) {
  Json step = Json::object();
  step["value"] = value;
  step["ledger"] = in.text("ledger");
  step["stepMs"] = in.integer("stepMs", 0);
  step["payloadBytes"] = in.integer("payloadBytes", 0);
  return step.dump();
}

void register_testkit(engine::Registry& registry, const TestkitOptions& options) {
  add_steps(registry);
  add_retries(registry);
  add_waits(registry);
  add_links(registry);
  add_messages(registry);
  add_sagas(registry);
  add_values(registry);
  add_queues(registry);
  add_versions(registry, options);
}

}  // namespace millrace::testkit
