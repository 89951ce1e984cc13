// What the routes call: the rooms below, wired by cli/serve.
#pragma once

#include <memory>
#include <string>

#include "api/login_codes.h"
#include "api/tokens.h"
#include "common/runtime.h"
#include "engine/engine.h"
#include "engine/schedules/schedules.h"
#include "resources/resources.h"
#include "state/store.h"
#include "workflows/connection_schedules.h"
#include "workflows/jobs.h"

namespace millrace::api {

struct Services {
  explicit Services(Runtime r) : runtime(std::move(r)) {}
  Runtime runtime;
  std::shared_ptr<state::Store> store;
  std::shared_ptr<engine::Engine> engine;
  std::shared_ptr<resources::Resources> resources;
  std::shared_ptr<workflows::Jobs> jobs;
  std::shared_ptr<Tokens> tokens;
  std::shared_ptr<LoginCodes> login_codes;
  std::string secret_key_file;                   // key of the stored secrets; empty: in no file
  std::shared_ptr<engine::Schedules> schedules;  // null: none, and no routes of them
  std::shared_ptr<workflows::ConnectionSchedules> connection_schedules;
};

}  // namespace millrace::api
