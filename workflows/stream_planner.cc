#include "workflows/stream_planner.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "connectors/filter.h"
#include "connectors/mapper.h"
#include "connectors/raw_document.h"
#include "connectors/value_text.h"
#include "workflows/follow_plan.h"
#include "workflows/stream_failure.h"

namespace millrace::workflows {
namespace {

using connectors::Schema;
using connectors::Stream;
using connectors::SyncMode;
using nlohmann::json;
using resources::StreamEntry;
using Failed = std::optional<engine::Failure>;

constexpr std::string_view kSourceNamespace = "${SOURCE_NAMESPACE}";

std::string target_namespace(const json& spec, const std::string& source_ns, const std::string& default_ns) {
  const std::string definition = spec.value("namespaceDefinition", "destination");
  std::string ns;
  if (definition == "source") ns = source_ns;
  if (definition == "custom_format") {
    ns = spec.value("namespaceFormat", "");
    for (auto at = ns.find(kSourceNamespace); at != std::string::npos;
         at = ns.find(kSourceNamespace, at + source_ns.size()))
      ns.replace(at, kSourceNamespace.size(), source_ns);
    if (ns.find_first_not_of(' ') == std::string::npos) ns.clear();
  }
  return ns.empty() ? default_ns : ns;
}

// The stream's fields that are selected, in the stream's order; a fault if one is unknown.
Failed select_fields(const Stream& stream, const std::vector<std::string>& selected, Schema& out) {
  if (selected.empty()) {
    out = stream.schema;
    return std::nullopt;
  }
  for (const auto& name : selected)
    if (!stream.schema.index_of(name))
      return failure_of_code("stream.field_unknown", stream.name.text() + " has no field \"" + name + "\"");
  for (const auto& field : stream.schema.fields)
    if (std::find(selected.begin(), selected.end(), field.name) != selected.end()) out.fields.push_back(field);
  return std::nullopt;
}

Failed choose_key(const Stream& stream, const StreamEntry& entry, const Schema& schema, std::vector<std::string>& key) {
  key = entry.primary_key.empty() ? stream.primary_key : entry.primary_key;
  for (const auto& field : key)
    if (!stream.schema.index_of(field))
      return failure_of_code("stream.field_unknown",
                             "the key of " + stream.name.text() + " names \"" + field + "\", which it does not have");
  const bool whole = std::all_of(key.begin(), key.end(), [&](const auto& f) { return schema.index_of(f).has_value(); });
  if (!whole) key.clear();
  if (key.empty() && (connectors::is_deduped(entry.sync_mode) || entry.keys))
    return failure_of_code(
        "stream.key_missing",
        stream.name.text() + (whole ? " has no primary key" : ": its key is not among the selected fields"));
  return std::nullopt;
}

Failed check_cursor(const Stream& stream, const StreamEntry& entry, const Schema& schema) {
  if (!connectors::is_incremental(entry.sync_mode)) return std::nullopt;
  if (stream.source_defined_cursor) return std::nullopt;
  std::string candidates;
  for (const auto& name : stream.cursor_candidates) candidates += (candidates.empty() ? "" : ", ") + name;
  if (entry.cursor_field.empty())
    return failure_of_code("stream.cursor_missing",
                           stream.name.text() + " has no cursorField; it may be one of " + candidates);
  const std::string& cursor = entry.cursor_field.front();
  const auto& usable = stream.cursor_candidates;
  if (entry.cursor_field.size() > 1 || std::find(usable.begin(), usable.end(), cursor) == usable.end())
    return failure_of_code("stream.cursor_missing",
                           stream.name.text() + " can't be ordered by \"" + cursor + "\"; it may be by " + candidates);
  if (!schema.index_of(cursor))
    return failure_of_code("stream.cursor_missing",
                           stream.name.text() + ": its cursor \"" + cursor + "\" is not among the selected fields");
  return std::nullopt;
}

// What the source calls a field by now: names in a connection follow a rename.
std::string name_now(const std::vector<SchemaChange>& changes, const Stream& stream, const std::string& name) {
  if (stream.schema.index_of(name)) return name;
  for (const auto& c : changes)
    if (c.change == "field_renamed" && c.before == name) return c.after;
  return name;
}

StreamEntry follow_renames(StreamEntry entry, const std::vector<SchemaChange>& changes, const Stream& stream) {
  for (auto* names : {&entry.selected_fields, &entry.primary_key, &entry.cursor_field})
    for (auto& name : *names) name = name_now(changes, stream, name);
  return entry;
}

// Fields that are new and not to be taken.
void leave_out(const std::vector<SchemaChange>& changes, Schema& selected) {
  for (const auto& c : changes)
    if (c.change == "field_added" && c.decision == "ignored")
      std::erase_if(selected.fields, [&](const auto& f) { return f.name == c.field; });
}

// The word by which the cast mapper knows a type that a column had; empty: it can't be cast to.
std::string cast_word(const std::string& type) {
  const std::string word = type == "integer" ? "int4" : type;
  const auto known = connectors::cast_type(word);
  return known && (known->pg_type == type) ? word : "";
}

// Ignored changes as mappers before the user's own: a renamed field keeps its old name, a retyped one its old type.
json mappers_of(const StreamEntry& entry, StreamPlan& plan) {
  json out = json::array();
  const bool overwrites = plan.target.sync_mode == SyncMode::full_refresh_overwrite ||
                          plan.target.sync_mode == SyncMode::full_refresh_overwrite_deduped;
  for (const auto& c : plan.changes)
    if (c.change == "field_renamed" && c.decision == "ignored")
      out.push_back({{"type", "field-renaming"},
                     {"alias", true},
                     {"mapperConfiguration", {{"originalFieldName", c.after}, {"newFieldName", c.before}}}});
  for (auto& c : plan.changes) {
    if (c.change != "field_retyped" || c.decision != "ignored") continue;
    const std::string word = overwrites ? "" : cast_word(c.before);
    if (word.empty()) {
      c.decision = "applied";
      continue;
    }
    std::string field = c.field;
    for (const auto& other : plan.changes)
      if (other.change == "field_renamed" && other.decision == "ignored" && other.after == field) field = other.before;
    out.push_back(
        {{"type", "cast"}, {"alias", true}, {"mapperConfiguration", {{"targetField", field}, {"type", word}}}});
  }
  if (!entry.mappers.empty())
    for (const auto& mapper : json::parse(entry.mappers)) out.push_back(mapper);
  return out;
}

// What `f` throws, as the stream's failure.
template <class F>
Failed caught(F f) {
  try {
    f();
  } catch (const Error& e) {
    return failure_of_code(e.code(), e.detail());
  }
  return std::nullopt;
}

// Which rows: the entry's filter and limit, and the window of a backfill.
Failed choose_rows(const PlanInput& input, const Stream& stream, const StreamEntry& entry, StreamPlan& plan) {
  const SyncOptions& options = input.options;
  const bool backfill = input.job_type == "backfill";
  plan.limit = entry.limit;
  if (backfill && !connectors::is_incremental(entry.sync_mode) && entry.sync_mode != SyncMode::full_refresh_append)
    return failure_of_code("stream.mode_unsupported", stream.name.text() + " is replaced as a whole by each load of " +
                                                          std::string(connectors::to_string(entry.sync_mode)) +
                                                          ": there is nothing to fill in");
  const std::string window =
      options.field.empty() && !entry.cursor_field.empty() ? entry.cursor_field.front() : options.field;
  const bool has_window = backfill && (!options.from.empty() || !options.to.empty());
  if (has_window && window.empty())
    return failure_of_code("stream.cursor_missing",
                           stream.name.text() + " has no cursorField: name the field of the window");
  if (has_window && !stream.schema.index_of(window))
    return failure_of_code("stream.field_unknown", stream.name.text() + " has no field \"" + window + "\"");
  const auto failed = caught([&] {
    if (!entry.filter.empty()) plan.filter = connectors::resolve_filter(entry.filter, stream.schema);
    if (!backfill) return;
    if (!options.filter.empty()) {
      const std::string more = connectors::resolve_filter(options.filter, stream.schema);
      plan.filter = plan.filter.empty() ? more : "(" + plan.filter + ") AND (" + more + ")";
    }
    if (has_window) plan.filter = connectors::window_filter(plan.filter, window, options.from, options.to);
  });
  if (failed) return failed;
  if ((!plan.filter.empty() || plan.limit > 0) && !input.source_filters)
    return failure_of_code("stream.filter_unsupported",
                           stream.name.text() + ": its source can't leave rows out by a filter or a limit");
  return std::nullopt;
}

// Mappers: the source's schema becomes the one that it gives, the target's the one that comes of it.
Failed map_fields(const StreamEntry& entry, const Schema& selected, StreamPlan& plan) {
  auto& t = plan.target;
  const json list = mappers_of(entry, plan);
  if (list.empty()) {
    t.schema = std::make_shared<const Schema>(selected);
    return std::nullopt;
  }
  plan.read_key = t.primary_key;
  plan.read_cursor = t.cursor_field;
  return caught([&] {
    const auto mappers = connectors::mappers_from_json(list);
    const connectors::RowMapping mapping(selected, mappers, t.metadata_columns);
    for (auto& field : t.primary_key) {
      for (const auto& m : mappers) {
        const bool breaks = m.kind == connectors::Mapper::Kind::encrypt || m.kind == connectors::Mapper::Kind::redact;
        if (breaks && m.field == field)
          throw Error("connector.mapper_invalid", "the key field \"" + field + "\" would not be a key any more");
      }
      field = mapping.name_after(field);
    }
    for (auto& field : t.cursor_field) {
      if (mapping.changes(field))
        throw Error("connector.mapper_invalid", "the cursor \"" + field + "\" orders the rows: it may only be renamed");
      field = mapping.name_after(field);
    }
    plan.read_schema = mapping.read_schema();
    t.schema = mapping.schema();
    if (mapping.changes_any()) plan.mappers = list.dump();
  });
}

// Renamed fields that are followed: their columns at the destination are renamed as well.
void follow_at_destination(StreamPlan& plan) {
  auto& t = plan.target;
  for (const auto& c : plan.changes) {
    if (c.change != "field_renamed" || c.decision != "applied" || c.column.empty()) continue;
    for (const auto& field : t.schema->fields) {
      const std::string& source = field.source_name.empty() ? field.name : field.source_name;
      if (source == c.after && field.name != c.column) t.renamed.emplace_back(c.column, field.name);
    }
  }
}

Failed check_key_change(const StreamEntry& entry, const StreamPlan& plan) {
  if (plan.target.sync_mode != SyncMode::incremental_deduped_history || plan.target.replace) return std::nullopt;
  if (!entry.primary_key.empty()) return std::nullopt;
  for (const auto& c : plan.changes)
    if (c.change == "key_changed")
      return failure_of_code("stream.breaking_change", plan.target.source_name.text() + ": " + describe(c));
  return std::nullopt;
}

// A refresh reads a stream whole again: in place of all rows, or beside them.
void plan_refresh(const PlanInput& input, StreamPlan& plan) {
  auto& t = plan.target;
  const bool overwrites =
      t.sync_mode == SyncMode::full_refresh_overwrite || t.sync_mode == SyncMode::full_refresh_overwrite_deduped;
  if (!input.options.keep) t.replace = true;
  if (input.options.keep && overwrites)
    plan.notes.push_back("its mode replaces all rows with each load: there are none to keep");
  plan.state_job = input.job_id;  // no state of an earlier job counts
}

void plan_backfill(const PlanInput& input, StreamPlan& plan) {
  plan.target.keep_state = true;
  plan.read_mode = SyncMode::full_refresh_append;
  plan.state_job = input.job_id;
}

// Raw landing: the documents go to a table of their own, and the typed table is made from them. Casts are made there,
// so that another one needs no fetching; all else (names, hashes) is done before anything is landed.
Failed plan_raw(const StreamEntry& entry, const Schema& selected, StreamPlan& plan) {
  auto& t = plan.target;
  if (!t.metadata_columns)
    return failure_of_code("connector.config_invalid", t.source_name.text() + ": raw needs metadata columns");
  return caught([&] {
    json landed = json::array(), casts = json::array();
    for (auto& mapper : mappers_of(entry, plan)) (mapper["type"] == "cast" ? casts : landed).push_back(mapper);
    const auto before = connectors::mappers_from_json(landed);
    const connectors::RowMapping typing(selected, before, false);
    const connectors::RowMapping checked(*typing.schema(), connectors::mappers_from_json(casts), false);
    Schema texts = selected;
    for (auto& field : texts.fields)
      if (!connectors::has_text(field.type)) {
        field.type = connectors::Type(connectors::Kind::string, "text");
        field.as_text = true;
      }
    const connectors::RowMapping landing(std::move(texts), before, false);
    connectors::StreamTarget typed = t;
    typed.schema = typing.schema();
    t.typed = json{{"target", json::parse(connectors::to_json(typed))}, {"casts", std::move(casts)}}.dump();
    plan.raw = true;
    plan.read_schema = landing.read_schema();
    plan.read_mode = plan.read_mode.value_or(t.sync_mode);
    plan.mappers = landed.empty() ? "" : landed.dump();  // names too: the documents have those of the table
    const bool overwrites =
        t.sync_mode == SyncMode::full_refresh_overwrite || t.sync_mode == SyncMode::full_refresh_overwrite_deduped;
    t.sync_mode =
        connectors::is_incremental(t.sync_mode) ? SyncMode::incremental_append : SyncMode::full_refresh_append;
    if (overwrites) t.replace = true;
    t.name = "_raw_" + t.name;
    t.schema = connectors::raw_schema();
    t.primary_key.clear();
    t.cursor_field.clear();
    t.add_keys = t.keep_history = false;
  });
}

// A stream that follows its source's log is loaded once, by this plan, and then followed.
Failed plan_following(const PlanInput& input, const Stream& stream, const StreamEntry& entry, StreamPlan& plan) {
  const auto& name = stream.name.text();
  if (entry.raw || entry.keep_history || entry.limit > 0 || !plan.filter.empty() || !mappers_of(entry, plan).empty())
    return failure_of_code("stream.mode_unsupported",
                           name +
                               " follows its source's log: filter, limit, mappers, raw and keepHistory are for "
                               "streams that are read by query");
  if (input.job_type == "refresh" || input.job_type == "backfill")
    return failure_of_code("stream.mode_unsupported", name + " follows its source's log, which has no " +
                                                          input.job_type +
                                                          " yet: clear it, and the next sync loads it");
  std::vector<std::string> all;
  for (const auto& field : stream.schema.fields) all.push_back(field.name);
  plan_to_follow(plan, entry.sync_mode, entry.soft_delete, plan.target.primary_key == stream.primary_key,
                 std::move(all));
  return std::nullopt;
}

}  // namespace

StreamPlan plan_stream(const PlanInput& input, const json& spec, const Stream& stream, const StreamEntry& given) {
  StreamPlan plan;
  if (const auto at = input.changes.find(stream.name); at != input.changes.end()) plan.changes = at->second;
  const StreamEntry entry = follow_renames(given, plan.changes, stream);
  auto& t = plan.target;
  t.connection_id = input.connection_id;
  t.connection_name = input.connection_name;
  t.source_name = stream.name;
  t.ns = target_namespace(spec, stream.name.ns, input.default_namespace);
  t.name = spec.value("prefix", "") +
           (entry.destination_object_name.empty() ? stream.name.name : entry.destination_object_name);
  t.sync_mode = entry.sync_mode;
  t.add_keys = entry.keys || connectors::is_deduped(entry.sync_mode);
  t.metadata_columns = spec.value("metadataColumns", "minimal") != "none";
  t.keep_history = entry.keep_history;
  t.generation = input.job_id;
  t.load_id = input.job_id;
  t.extracted_at_us = input.started_us;
  t.adopt = input.options.adopt;
  t.schema = std::make_shared<const Schema>();
  // Where the source tells by itself what is new, what comes later is newer.
  if (connectors::is_incremental(entry.sync_mode) && !stream.source_defined_cursor) t.cursor_field = entry.cursor_field;
  plan.rows_estimate = stream.rows_estimate;
  plan.bytes_estimate = stream.bytes_estimate;
  plan.strict = entry.strict;
  if (std::find(stream.sync_modes.begin(), stream.sync_modes.end(), entry.sync_mode) == stream.sync_modes.end())
    plan.failure = failure_of_code("stream.mode_unsupported", stream.name.text() + " can't be read as " +
                                                                  std::string(connectors::to_string(entry.sync_mode)));
  Schema selected;
  if (!plan.failure) plan.failure = select_fields(stream, entry.selected_fields, selected);
  if (input.job_type == "refresh") plan_refresh(input, plan);
  leave_out(plan.changes, selected);
  if (!plan.failure) plan.failure = choose_key(stream, entry, selected, t.primary_key);
  if (connectors::is_deduped(entry.sync_mode) && entry.primary_key.empty()) t.source_key = stream.primary_key;
  const std::vector<std::string> key_at_source = t.primary_key, cursor_at_source = t.cursor_field;
  if (!plan.failure) plan.failure = check_cursor(stream, entry, selected);
  if (!plan.failure) plan.failure = choose_rows(input, stream, entry, plan);
  if (!plan.failure) plan.failure = map_fields(entry, selected, plan);
  if (!plan.failure) plan.failure = check_key_change(entry, plan);
  if (!plan.failure) follow_at_destination(plan);
  if (!plan.failure && entry.raw) {
    plan.read_key = key_at_source;
    plan.read_cursor = cursor_at_source;
    plan.failure = plan_raw(entry, selected, plan);
  }
  const bool follows = connectors::is_incremental(entry.sync_mode) && stream.follows_log;
  if (entry.soft_delete && !plan.failure && !(follows && connectors::is_deduped(entry.sync_mode)))
    plan.failure = failure_of_code("stream.mode_unsupported", stream.name.text() +
                                                                  ": softDelete needs a source that follows a log, and "
                                                                  "incremental_deduped_history");
  if (follows && !plan.failure) plan.failure = plan_following(input, stream, entry, plan);
  if (input.job_type == "backfill") plan_backfill(input, plan);
  return plan;
}

}  // namespace millrace::workflows
