// What the files of the testkit share: registration with checked fields, and step options from inputs.
#pragma once

#include <string>
#include <vector>

#include "engine/engine.h"
#include "tests/testkit/input.h"
#include "tests/testkit/ledger.h"
#include "tests/testkit/testkit.h"

namespace millrace::testkit {

using engine::Context;
using engine::Failure;
using engine::FailureError;
using engine::StepContext;
using engine::StepOptions;
using engine::Workflow;

void add(engine::Registry& registry, std::string type, std::vector<std::string> fields,
         engine::WorkflowFunction function);

// The options of the step that is shown as `activity_id`.
StepOptions named(std::string activity_id);
// The input of a "test.work" step: waits, then returns `value`, with a payload of that size beside it.
Payload work(const Input& in, std::int64_t value);

void add_steps(engine::Registry& registry);
void add_retries(engine::Registry& registry);
void add_waits(engine::Registry& registry);
void add_links(engine::Registry& registry);
void add_messages(engine::Registry& registry);
void add_queues(engine::Registry& registry);
void add_sagas(engine::Registry& registry);
void add_values(engine::Registry& registry);
void add_versions(engine::Registry& registry, const TestkitOptions& options);

}  // namespace millrace::testkit
