// Task queues, as they are seen and set from outside.
#include "common/errors.h"
#include "engine/engine_impl.h"

namespace millrace::engine {

std::vector<QueueView> Engine::queues() const { return impl_->queues().list(); }
QueueView Engine::queue(std::string name) const {
  auto view = impl_->queues().view(name);
  if (!view) throw Error("queue.not_found", "no queue " + name + " is configured or in use");
  return std::move(*view);
}
void Engine::configure_queue(std::string name, Limits limits) { impl_->queues().configure(name, limits); }
void Engine::configure_queues(QueueSettings settings) { impl_->queues().configure(std::move(settings)); }
void Engine::refresh_metrics() { impl_->queues().refresh_metrics(); }

}  // namespace millrace::engine
