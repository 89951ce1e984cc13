#include <fmt/format.h>

#include "engine/replayer.h"
#include "engine/workflow.h"

namespace millrace::engine {

const std::string& Context::workflow_id() const { return replayer_->identity().workflow_id; }
const std::string& Context::run_id() const { return replayer_->identity().run_id; }
const std::string& Context::workflow_type() const { return replayer_->identity().type; }

Future Context::start_step(std::string type, Payload input, StepOptions options) {
  return replayer_->start_step(scope_, std::move(type), std::move(input), std::move(options));
}
Future Context::timer(Duration d) { return replayer_->start_timer(scope_, d); }

WallTime Context::now() const { return replayer_->now(); }
std::uint64_t Context::random() { return replayer_->random(); }
std::string Context::uuid() {
  const std::uint64_t hi = (random() & 0xffffffffffff0fffULL) | 0x4000ULL;
  const std::uint64_t lo = (random() & 0x3fffffffffffffffULL) | 0x8000000000000000ULL;
  return fmt::format("{:08x}-{:04x}-{:04x}-{:04x}-{:012x}", hi >> 32, (hi >> 16) & 0xffff, hi & 0xffff, lo >> 48,
                     lo & 0xffffffffffffULL);
}
Payload Context::side_effect(const std::string& name, const std::function<Payload()>& value) {
  return replayer_->side_effect(name, value);
}

bool Context::patched(const std::string& id) { return replayer_->patched(id); }

Context::Child Context::start_child(std::string type, Payload input, ChildOptions options) {
  return replayer_->start_child(scope_, std::move(type), std::move(input), std::move(options));
}
Future Context::signal_external(std::string workflow_id, std::string name, Payload input) {
  return replayer_->signal_external(scope_, std::move(workflow_id), std::move(name), std::move(input));
}
Future Context::cancel_external(std::string workflow_id) {
  return replayer_->cancel_external(scope_, std::move(workflow_id));
}
Future Context::local_step(std::string type, Payload input, LocalStepOptions options) {
  return replayer_->local_step(scope_, std::move(type), std::move(input), std::move(options));
}
Future Context::next_signal(const std::string& name) { return replayer_->next_signal(scope_, name); }
void Context::on_query(std::string name, QueryHandler handler) {
  replayer_->on_query(std::move(name), std::move(handler));
}
void Context::on_update(std::string name, UpdateValidator validator, UpdateHandler handler) {
  replayer_->on_update(std::move(name), std::move(validator), std::move(handler));
}
bool Context::continue_as_new_suggested() const { return replayer_->continue_as_new_suggested(); }

bool Context::cancel_requested() const { return replayer_->cancel_requested(); }

Context Context::shield() const {
  auto scope = std::make_shared<Scope>();
  scope->parent = scope_;
  scope->shielded = true;
  return Context(*replayer_, std::move(scope));
}
Context Context::scope() const {
  auto scope = std::make_shared<Scope>();
  scope->parent = scope_;
  return Context(*replayer_, std::move(scope));
}
void Context::cancel() { replayer_->cancel(*scope_); }

}  // namespace millrace::engine
