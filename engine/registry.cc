#include "common/check.h"
#include "engine/engine.h"

namespace millrace::engine {

void Registry::add_workflow(std::string type, WorkflowFunction function, InputCheck check_input) {
  if (check_input) input_checks_.emplace(type, std::move(check_input));
  check(workflows_.emplace(std::move(type), std::move(function)).second, "a workflow type is registered once");
}
void Registry::add_step(std::string type, StepFunction function) {
  check(steps_.emplace(std::move(type), std::move(function)).second, "a step type is registered once");
}
const WorkflowFunction* Registry::workflow(const std::string& type) const {
  const auto it = workflows_.find(type);
  return it == workflows_.end() ? nullptr : &it->second;
}
const StepFunction* Registry::step(const std::string& type) const {
  const auto it = steps_.find(type);
  return it == steps_.end() ? nullptr : &it->second;
}
void Registry::check_input(const std::string& type, const Payload& input) const {
  if (const auto it = input_checks_.find(type); it != input_checks_.end()) it->second(input);
}
std::vector<std::string> Registry::workflow_types() const {
  std::vector<std::string> types;
  for (const auto& [type, _] : workflows_) types.push_back(type);
  return types;
}

std::string StepToken::text() const {
  return run_id + "/" + std::to_string(scheduled_event_id) + "/" + std::to_string(attempt);
}

}  // namespace millrace::engine
