#include "connectors/files/load_state.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "connectors/files/io.h"
#include "connectors/files/manifest.h"
#include "connectors/read_document.h"
#include "connectors/stream_hash.h"
#include "connectors/values/values.h"

namespace millrace::connectors::files {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

bool exists(const std::string& path) {
  std::error_code error;
  return fs::exists(path, error);
}

std::string dump(const json& j) { return j.dump(-1, ' ', false, json::error_handler_t::replace); }

}  // namespace

std::string escaped_name(const std::string& name) {
  std::string out;
  for (char c : name) {
    if (c == '/')
      out += "%2F";
    else if (c == '%')
      out += "%25";
    else if (out.empty() && c == '.')
      out += "%2E";
    else if (out.empty() && c == '_')
      out += "%5F";
    else
      out += c;
  }
  return out;
}

std::string unescaped_name(const std::string& name) {
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '%' && i + 2 < name.size() && values::unhex(std::string_view(name).substr(i + 1, 2), out))
      i += 2;
    else
      out += name[i];
  }
  return out;
}

bool replaces(const StreamTarget& target) {
  return target.replace || target.sync_mode == SyncMode::full_refresh_overwrite;
}

Places::Places(const std::string& root, const StreamTarget& target)
    : state(root + "/.millrace/" + hash_of_stream(target)),
      lock(state + "/lock"),
      stage(state + "/" + std::to_string(target.generation)),
      splits(stage + ".splits"),
      former(state + "/former"),
      final(root + (target.ns.empty() ? "" : "/" + escaped_name(target.ns)) + "/" + escaped_name(target.name)) {}

LoadRow read_load(const Places& places) {
  const std::string path = places.state + "/load.json";
  if (!exists(path)) return LoadRow();
  return read_document(read_whole(path), "load.json", [](const json& j) {
    LoadRow row;
    row.generation = j.at("generation").get<std::int64_t>();
    row.attempt = j.at("attempt").get<std::int64_t>();
    row.token = j.at("token").get<std::string>();
    row.finished = j.at("finished").get<bool>();
    row.rows = j.at("rows").get<std::int64_t>();
    row.published = j.at("published").get<bool>();
    if (j.contains("stateGeneration")) {
      StoredState state;
      state.generation = j.at("stateGeneration").get<std::int64_t>();
      state.state = j.at("state").get<std::string>();
      row.state = std::move(state);
    }
    return row;
  });
}

void write_load(const Places& places, const LoadRow& row) {
  json out{{"version", 1},
           {"generation", row.generation},
           {"attempt", row.attempt},
           {"token", row.token},
           {"finished", row.finished},
           {"rows", row.rows},
           {"published", row.published}};
  if (row.state) {
    out["stateGeneration"] = row.state->generation;
    out["state"] = row.state->state;
  }
  write_whole(places.state + "/load.json", dump(out));
}

LoadRow require_fence(const Places& places, const StreamTarget& target, const std::string& token) {
  LoadRow row = read_load(places);
  if (row.generation == target.generation && row.token == token) return row;
  throw Error("destination.fenced", target.source_name.text() + ": generation " + std::to_string(row.generation) +
                                        ", attempt " + std::to_string(row.attempt) + " has taken over");
}

std::optional<SplitRow> read_split(const Places& places, const std::string& split) {
  const std::string path = places.splits + "/" + split + ".json";
  if (!exists(path)) return std::nullopt;
  return read_document(read_whole(path), "checkpoint", [](const json& j) {
    SplitRow row;
    row.rows = j.at("rows").get<std::int64_t>();
    row.state = j.at("state").get<std::string>();
    row.complete = j.at("complete").get<bool>();
    for (const auto& part : j.at("parts"))
      row.parts.push_back({part.at("file").get<std::string>(), part.at("size").get<std::int64_t>()});
    return row;
  });
}

void write_split(const Places& places, const std::string& split, const SplitRow& row) {
  json parts = json::array();
  for (const Part& part : row.parts) parts.push_back({{"file", part.file}, {"size", part.size}});
  write_whole(places.splits + "/" + split + ".json",
              dump({{"rows", row.rows}, {"state", row.state}, {"complete", row.complete}, {"parts", parts}}));
}

std::map<std::string, SplitRow> read_splits(const Places& places) {
  std::map<std::string, SplitRow> out;
  if (!exists(places.splits)) return out;
  for (const auto& e : fs::directory_iterator(places.splits)) {
    if (e.path().extension() != ".json") continue;
    const std::string split = e.path().stem().string();
    out[split] = read_split(places, split).value();
  }
  return out;
}

std::map<std::string, Checkpoint> checkpoints(const Places& places) {
  std::map<std::string, Checkpoint> out;
  for (const auto& [split, row] : read_splits(places)) {
    Checkpoint c;
    c.id = split;
    c.state = row.state;
    c.rows = row.rows;
    c.complete = row.complete;
    out[split] = std::move(c);
  }
  return out;
}

bool may_write(const Places& places, const StreamTarget& target) {
  if (!exists(places.final)) return true;
  std::error_code error;
  const auto manifest = fs::is_directory(places.final, error) ? read_manifest(places.final) : std::nullopt;
  if (manifest && manifest->connection_id == target.connection_id && manifest->stream == target.source_name)
    return true;
  if (!manifest && fs::is_directory(places.final, error) && fs::is_empty(places.final, error)) return true;
  if (target.adopt) return false;
  throw Error("destination.not_ours", manifest ? places.final + " belongs to stream " + manifest->stream.text() +
                                                     " of connection " + manifest->connection_id
                                               : places.final + " was made by somebody else");
}

}  // namespace millrace::connectors::files
