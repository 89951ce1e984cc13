#include "workflows/follow_plan.h"

#include <nlohmann/json.hpp>

#include "connectors/change_columns.h"

namespace millrace::workflows {

using connectors::SyncMode;
using nlohmann::json;

void plan_to_follow(StreamPlan& plan, SyncMode user_mode, bool soft_delete, bool own_key,
                    std::vector<std::string> all_fields) {
  StreamPlan::Follow follow;
  follow.mode = user_mode;
  follow.soft_delete = soft_delete;
  follow.all_fields = std::move(all_fields);
  plan.follow = std::move(follow);
  auto& t = plan.target;
  const bool rows = user_mode == SyncMode::incremental_deduped_history;
  t.sync_mode = !rows     ? SyncMode::full_refresh_append
                : own_key ? SyncMode::full_refresh_overwrite
                          : SyncMode::full_refresh_overwrite_deduped;
  t.add_keys = rows;
  t.metadata_columns = false;
  t.cursor_field.clear();
  t.schema =
      std::make_shared<const connectors::Schema>(connectors::with_change_columns(*t.schema, user_mode, soft_delete));
}

json follow_json(const StreamPlan& plan) {
  return {{"target", json::parse(connectors::to_json(plan.target))},
          {"mode", connectors::to_string(plan.follow->mode)},
          {"softDelete", plan.follow->soft_delete},
          {"allFields", plan.follow->all_fields}};
}

FollowedInput followed_from_json(const json& value) {
  FollowedInput out;
  out.target.target = connectors::stream_target_from_json(value.at("target").dump());
  out.target.soft_delete = value.value("softDelete", false);
  auto& t = out.target.target;
  t.sync_mode = connectors::parse_sync_mode(value.value("mode", "")).value_or(SyncMode::incremental_append);
  auto schema = std::make_shared<connectors::Schema>();
  for (const auto& f : t.schema->fields)
    if (!connectors::is_change_column(f)) schema->fields.push_back(f);
  t.schema = std::move(schema);
  out.feed.stream.name = t.source_name;
  out.feed.stream.schema = t.schema;
  out.feed.stream.sync_mode = t.sync_mode;
  out.feed.stream.primary_key = t.primary_key;
  out.feed.all_fields = value.value("allFields", std::vector<std::string>());
  return out;
}

}  // namespace millrace::workflows
