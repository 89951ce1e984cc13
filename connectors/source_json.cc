// JSON forms of plans and targets: step inputs and results hold them, so they are stored in histories. Fields are only
// ever added, each with a default, so that an old history can be read.
#include <nlohmann/json.hpp>

#include "connectors/catalog_json.h"
#include "connectors/destination.h"
#include "connectors/read_document.h"
#include "connectors/source.h"

namespace millrace::connectors {

using nlohmann::json;

std::string_view to_string(Consistency c) { return c == Consistency::key_ranges ? "key_ranges" : "one_snapshot"; }

std::string to_json(const SplitPlan& plan) {
  json splits = json::array();
  for (const Split& s : plan.splits)
    splits.push_back({{"id", s.id}, {"bounds", s.bounds}, {"rowsEstimate", s.rows_estimate}});
  json out{{"splits", std::move(splits)}, {"consistency", to_string(plan.consistency)}, {"resumable", plan.resumable}};
  if (!plan.state.empty()) out["state"] = plan.state;
  if (!plan.notes.empty()) out["notes"] = plan.notes;
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

SplitPlan split_plan_from_json(const std::string& text) {
  return read_document(text, "split plan", [](const json& j) {
    SplitPlan plan;
    for (const auto& s : j.at("splits")) {
      Split split;
      split.id = s.at("id").get<std::string>();
      split.bounds = s.at("bounds").get<std::string>();
      split.rows_estimate = s.value("rowsEstimate", std::int64_t{-1});
      plan.splits.push_back(std::move(split));
    }
    const auto consistency = j.at("consistency").get<std::string>();
    if (consistency != "key_ranges" && consistency != "one_snapshot")
      throw Error("connector.bad_document", "split plan: unknown consistency " + consistency);
    plan.consistency = consistency == "key_ranges" ? Consistency::key_ranges : Consistency::one_snapshot;
    plan.resumable = j.at("resumable").get<bool>();
    plan.state = j.value("state", "");
    plan.notes = j.value("notes", std::vector<std::string>());
    return plan;
  });
}

std::string to_json(const StreamTarget& t) {
  json out{{"connectionId", t.connection_id},
           {"source", {{"namespace", t.source_name.ns}, {"name", t.source_name.name}}},
           {"namespace", t.ns},
           {"name", t.name},
           {"schema", t.schema ? schema_to_json(*t.schema) : json::array()},
           {"syncMode", to_string(t.sync_mode)},
           {"primaryKey", t.primary_key},
           {"addKeys", t.add_keys},
           {"metadataColumns", t.metadata_columns},
           {"generation", t.generation},
           {"loadId", t.load_id},
           {"extractedAtUs", t.extracted_at_us},
           {"adopt", t.adopt}};
  if (!t.cursor_field.empty()) out["cursorField"] = t.cursor_field;
  if (!t.state.empty()) out["state"] = t.state;
  if (!t.connection_name.empty()) out["connectionName"] = t.connection_name;
  if (t.replace) out["replace"] = true;
  if (t.keep_state) out["keepState"] = true;
  if (t.keep_history) out["keepHistory"] = true;
  if (!t.typed.empty()) out["typed"] = json::parse(t.typed);
  if (!t.source_key.empty()) out["sourceKey"] = t.source_key;
  if (!t.renamed.empty()) out["renamed"] = t.renamed;
  return out.dump();
}

StreamTarget stream_target_from_json(const std::string& text) {
  return read_document(text, "stream target", [](const json& j) {
    StreamTarget t;
    t.connection_id = j.at("connectionId").get<std::string>();
    t.source_name =
        StreamName(j.at("source").at("namespace").get<std::string>(), j.at("source").at("name").get<std::string>());
    t.ns = j.at("namespace").get<std::string>();
    t.name = j.at("name").get<std::string>();
    t.schema = std::make_shared<const Schema>(schema_value_from_json(j.at("schema")));
    const auto mode = parse_sync_mode(j.at("syncMode").get<std::string>());
    if (!mode) throw Error("connector.bad_document", "stream target: unknown sync mode");
    t.sync_mode = *mode;
    t.primary_key = j.at("primaryKey").get<std::vector<std::string>>();
    t.cursor_field = j.value("cursorField", std::vector<std::string>());
    t.state = j.value("state", "");
    t.add_keys = j.value("addKeys", false);
    t.metadata_columns = j.value("metadataColumns", true);
    t.generation = j.at("generation").get<std::int64_t>();
    t.load_id = j.at("loadId").get<std::int64_t>();
    t.extracted_at_us = j.at("extractedAtUs").get<std::int64_t>();
    t.adopt = j.value("adopt", false);
    t.connection_name = j.value("connectionName", "");
    t.replace = j.value("replace", false);
    t.keep_state = j.value("keepState", false);
    t.keep_history = j.value("keepHistory", false);
    if (j.contains("typed")) t.typed = j["typed"].dump();
    t.source_key = j.value("sourceKey", std::vector<std::string>());
    t.renamed = j.value("renamed", std::vector<std::pair<std::string, std::string>>());
    return t;
  });
}

}  // namespace millrace::connectors
