#include "workflows/schema_changes.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace millrace::workflows {

using connectors::Field;
using nlohmann::json;
using resources::KnownField;

namespace {

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& n : names) out += (out.empty() ? "" : ", ") + n;
  return out;
}

std::string source_type(const Field& f) { return f.source_type.empty() ? f.type.pg_type : f.source_type; }

bool is_selected(const std::vector<std::string>& selected, const std::string& name) {
  return selected.empty() || std::find(selected.begin(), selected.end(), name) != selected.end();
}

}  // namespace

std::vector<SchemaChange> changes_of(const resources::StreamSchema& known, const connectors::Stream& now,
                                     const std::vector<std::string>& selected, const std::string& policy,
                                     std::int64_t job_id) {
  std::vector<SchemaChange> out;
  std::vector<const Field*> fields(known.fields.size(), nullptr);  // that each known one is now
  std::vector<bool> taken(now.schema.fields.size(), false);
  const auto pair_up = [&](auto same) {
    for (std::size_t k = 0; k < known.fields.size(); ++k)
      for (std::size_t i = 0; fields[k] == nullptr && i < taken.size(); ++i)
        if (!taken[i] && same(known.fields[k], now.schema.fields[i])) {
          fields[k] = &now.schema.fields[i];
          taken[i] = true;
        }
  };
  pair_up([](const KnownField& k, const Field& f) { return k.id != 0 && k.id == f.source_id; });
  pair_up([](const KnownField& k, const Field& f) { return k.name == f.name; });

  const auto add = [&](const char* change, const std::string& field, std::string before, std::string after,
                       const std::string& column) {
    SchemaChange one;
    one.change = change;
    one.field = field;
    one.before = std::move(before);
    one.after = std::move(after);
    one.column = column;
    out.push_back(std::move(one));
  };
  for (std::size_t k = 0; k < known.fields.size(); ++k) {
    const KnownField& was = known.fields[k];
    const Field* is = fields[k];
    if (is == nullptr) {
      add("field_dropped", was.name, was.type, "", was.column);
      continue;
    }
    if (is->name != was.name) add("field_renamed", is->name, was.name, is->name, was.column);
    if (const auto type = source_type(*is); type != was.type)
      add("field_retyped", is->name, was.type, type, was.column);
  }
  for (std::size_t i = 0; i < taken.size(); ++i)
    if (const Field& f = now.schema.fields[i]; !taken[i] && is_selected(selected, f.name))
      add("field_added", f.name, "", source_type(f), "");

  std::vector<std::string> key_before = known.key, key_now = now.primary_key;
  for (auto& name : key_before)
    for (const auto& change : out)
      if (change.change == "field_renamed" && change.before == name) name = change.after;
  std::sort(key_before.begin(), key_before.end());
  std::sort(key_now.begin(), key_now.end());
  if (!known.key.empty() && key_before != key_now)
    add("key_changed", joined(now.primary_key), joined(known.key), joined(now.primary_key), "");

  // What stopped the connection before is taken once it is active again: whoever made it so has seen it.
  const bool accepted =
      known.stopped_job != 0 && known.stopped_job != job_id && known.stopped == resources::fields_of(now.schema);
  for (auto& change : out) {
    if (policy == "disable_connection" && !accepted)
      change.decision = "stop";
    else if (policy == "ignore" && change.change != "field_dropped" && change.change != "key_changed")
      change.decision = "ignored";
    else
      change.decision = "applied";
  }
  return out;
}

json to_json(const std::vector<SchemaChange>& changes) {
  json out = json::array();
  for (const auto& c : changes) {
    json one = {{"change", c.change}, {"field", c.field}, {"decision", c.decision}};
    if (!c.before.empty()) one["before"] = c.before;
    if (!c.after.empty()) one["after"] = c.after;
    if (!c.column.empty()) one["column"] = c.column;
    out.push_back(std::move(one));
  }
  return out;
}

std::vector<SchemaChange> schema_changes_from_json(const json& list) {
  std::vector<SchemaChange> out;
  for (const auto& one : list) {
    SchemaChange c;
    c.change = one.value("change", "");
    c.field = one.value("field", "");
    c.decision = one.value("decision", "");
    c.before = one.value("before", "");
    c.after = one.value("after", "");
    c.column = one.value("column", "");
    out.push_back(std::move(c));
  }
  return out;
}

std::string describe(const SchemaChange& c) {
  if (c.change == "field_added") return "field " + c.field + " (" + c.after + ") was added";
  if (c.change == "field_dropped") return "field " + c.field + " (" + c.before + ") was dropped";
  if (c.change == "field_renamed") return "field " + c.before + " was renamed to " + c.after;
  if (c.change == "field_retyped") return "field " + c.field + ": " + c.before + " became " + c.after;
  return "the key (" + c.before + ") became (" + c.after + ")";
}

}  // namespace millrace::workflows
