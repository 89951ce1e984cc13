#include "workflows/job_workflows.h"
#include "workflows/jobs.h"
#include "workflows/steps.h"

namespace millrace::workflows {

void register_all(engine::Registry& registry, std::shared_ptr<resources::Resources> resources, Runtime) {
  registry.add_workflow("get_spec", get_spec_workflow);
  registry.add_workflow("check", check_workflow);
  registry.add_workflow("discover", discover_workflow);
  registry.add_workflow("sync", sync_workflow);
  registry.add_workflow("normalize", normalize_workflow);
  registry.add_workflow("refresh", sync_workflow);
  registry.add_workflow("backfill", sync_workflow);
  registry.add_workflow("clear", clear_workflow);
  registry.add_workflow("undo", undo_workflow);
  const auto add = [&](const char* name,
                       asio::awaitable<engine::Payload> (*step)(engine::StepContext&, engine::Payload, ResourcesPtr)) {
    registry.add_step(name, [resources, step](engine::StepContext& ctx, engine::Payload input) {
      return step(ctx, std::move(input), resources);
    });
  };
  add("get_spec", get_spec_step);
  add("check", check_step);
  add("discover", discover_step);
  add("sync", sync_step);
  add("normalize", normalize_step);
  add("clear", clear_step);
  add("undo", undo_step);
  add("preview", preview_step);
  add("follow", follow_step);
}

}  // namespace millrace::workflows
