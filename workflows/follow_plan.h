// The streams of a connection that follow their source's log, and what the step follow gets of them.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "connectors/change.h"
#include "connectors/change_writer.h"
#include "workflows/sync_plan.h"

namespace millrace::workflows {

// Makes of a planned stream one that is loaded once and then followed: the load gets its own mode and the columns that
// following adds. `user_mode` is incremental; `own_key`: the key is the source's own, so that no two rows have the
// same.
void plan_to_follow(StreamPlan& plan, connectors::SyncMode user_mode, bool soft_delete, bool own_key,
                    std::vector<std::string> all_fields);

// As the step's input has it.
struct FollowedInput {
  FollowedInput() = default;
  connectors::ChangeStreamTarget target;
  connectors::FeedStream feed;
};
nlohmann::json follow_json(const StreamPlan& plan);
FollowedInput followed_from_json(const nlohmann::json& value);

}  // namespace millrace::workflows
