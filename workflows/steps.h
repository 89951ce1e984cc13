// The steps of jobs: what does the work. Each gets its JobInput (sync and normalize with more beside it) and may run
// more than once; secrets are filled in at the last moment and never leave the step.
#pragma once

#include <memory>

#include "common/awaitable.h"
#include "engine/step.h"
#include "resources/resources.h"
#include "workflows/job_input.h"
#include "workflows/sync_stream.h"

namespace millrace::workflows {

using ResourcesPtr = std::shared_ptr<resources::Resources>;

// get_spec: {source, destination: {connector, definitionId, title, revision, specificationHash}, connection: {...},
// defaultNamespace}; for a connector by name: its whole specification.
asio::awaitable<engine::Payload> get_spec_step(engine::StepContext& ctx, engine::Payload input, ResourcesPtr resources);
// check: {source, destination: {status, code, message, remedy, warnings}}. In a sync or normalize job a failed check
// fails the step with the check's own code; in a check job it is the answer.
asio::awaitable<engine::Payload> check_step(engine::StepContext& ctx, engine::Payload input, ResourcesPtr resources);
// discover: the catalog, as connectors::to_json has it; of a connection's job also {leftOut: [{namespace, name}],
// disabled}, where its patterns meet new streams that it is not to take.
asio::awaitable<engine::Payload> discover_step(engine::StepContext& ctx, engine::Payload input, ResourcesPtr resources);
// sync: input {job, plan, connectionName}; result {streams: [...], targets: [...]}. See sync_step.cc.
asio::awaitable<engine::Payload> sync_step(engine::StepContext& ctx, engine::Payload input, ResourcesPtr resources);
// normalize: input {job, targets, connectionName, last}; result {streams: [{namespace, name, rows, alreadyDone, notes,
// failure}]}.
asio::awaitable<engine::Payload> normalize_step(engine::StepContext& ctx, engine::Payload input,
                                                ResourcesPtr resources);

// clear: input {job, connection: its specification}; result {streams: [{namespace, name, status, rowsRemoved,
// failure}]}.
asio::awaitable<engine::Payload> clear_step(engine::StepContext& ctx, engine::Payload input, ResourcesPtr resources);
// undo: input {job}; result {streams: [{namespace, name, status, rowsRemoved, notes, failure}]}.
asio::awaitable<engine::Payload> undo_step(engine::StepContext& ctx, engine::Payload input, ResourcesPtr resources);
// preview: input {job, plan}; result {streams: [{namespace, name, status: planned, syncMode, action, changes, ...}]}.
// Changes nothing.
asio::awaitable<engine::Payload> preview_step(engine::StepContext& ctx, engine::Payload input, ResourcesPtr resources);
// follow: input {job, streams: [...], continuous, connectionName}; result {streams: [...], position, transactions,
// reason: "end" | "round"}. See follow_step.cc.
asio::awaitable<engine::Payload> follow_step(engine::StepContext& ctx, engine::Payload input, ResourcesPtr resources);

// The heart of sync_step, for the ends it is given.
asio::awaitable<engine::Payload> run_sync(engine::StepContext& ctx, std::shared_ptr<const Endpoints> endpoints,
                                          std::shared_ptr<const SyncPlan> plan, SyncOptions options);
// The heart of normalize_step. `complete`: no stream of the job has failed before.
asio::awaitable<engine::Payload> run_normalize(engine::StepContext& ctx, std::shared_ptr<const Endpoints> endpoints,
                                               std::vector<connectors::StreamTarget> targets, bool complete);

// The ends of a job's connection, with secrets filled in.
asio::awaitable<Endpoints> make_endpoints(Runtime runtime, ResourcesPtr resources, JobInput job);

}  // namespace millrace::workflows
