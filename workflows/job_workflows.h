// The workflows of jobs. They decide; the steps of the same names act.
#pragma once

#include "engine/workflow.h"

namespace millrace::workflows {

engine::Workflow<engine::Payload> get_spec_workflow(engine::Context& ctx, engine::Payload input);
engine::Workflow<engine::Payload> check_workflow(engine::Context& ctx, engine::Payload input);
engine::Workflow<engine::Payload> discover_workflow(engine::Context& ctx, engine::Payload input);
// sync, refresh, backfill: get_spec, check, discover, sync, normalize; a dry run ends with preview instead. Result
// {streams: [...]}; where streams failed the execution fails, with the same in its failure's details and `partial` true
// if some are complete.
engine::Workflow<engine::Payload> sync_workflow(engine::Context& ctx, engine::Payload input);
// get_spec, check, normalize: completes a sync whose normalize did not come to its end.
engine::Workflow<engine::Payload> normalize_workflow(engine::Context& ctx, engine::Payload input);
// get_spec, check of the destination, clear: rows and state of the streams go. In upkeep_workflows.cc.
engine::Workflow<engine::Payload> clear_workflow(engine::Context& ctx, engine::Payload input);
// get_spec, check of the destination, undo: what an earlier job loaded is taken back.
engine::Workflow<engine::Payload> undo_workflow(engine::Context& ctx, engine::Payload input);

}  // namespace millrace::workflows
