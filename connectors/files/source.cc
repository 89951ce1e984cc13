#include "connectors/files/source.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "connectors/files/records.h"
#include "connectors/files/split_reader.h"
#include "connectors/local_path.h"
#include "connectors/read_document.h"

namespace millrace::connectors::files {

using nlohmann::json;

namespace {

constexpr std::size_t kMaxSplits = 1'000;

Schema schema_of(const FilesConfig& config, const FoundStream& stream) {
  Schema schema;
  if (!config.columns.empty()) {
    schema.fields = config.columns;
  } else if (stream.written_schema) {
    schema = *stream.written_schema;
  } else {
    Inference inference;
    std::int64_t rows = 0;
    for (const DataFile& file : stream.files) {
      const auto reader = open_records(file.path, config);
      Record record;
      while (rows < config.sample_rows && reader->next(record)) {
        ++rows;
        if (record.error.empty()) inference.add(*reader, record);
      }
      // A file of a header alone names the columns, too.
      record.items.assign(reader->names().size(), Item());
      inference.add(*reader, record);
      if (rows >= config.sample_rows) break;
    }
    schema = inference.schema();
  }
  if (!config.file_columns) return schema;
  Field url, modified;
  url.name = kFileUrl;
  url.source_type = modified.source_type = "file";
  modified.name = kFileModified;
  modified.type = Type(Kind::timestamptz, "timestamp with time zone");
  url.nullable = modified.nullable = false;
  schema.fields.push_back(url);
  schema.fields.push_back(modified);
  return schema;
}

Stream stream_of(const FilesConfig& config, const FoundStream& found) {
  Stream s;
  s.name = found.name;
  s.schema = schema_of(config, found);
  if (config.file_columns) s.cursor_candidates = {kFileModified};
  for (const SyncMode mode : FilesSource::modes())
    if (!is_incremental(mode) || config.file_columns) s.sync_modes.push_back(mode);
  s.bytes_estimate = 0;
  for (const auto& file : found.files) s.bytes_estimate += file.size;
  return s;
}

FoundStream find_stream(const FilesConfig& config, const StreamName& name) {
  for (FoundStream& s : find_streams(config))
    if (s.name == name) return s;
  throw Error("connector.stream_missing", name.text());
}

json file_json(const DataFile& file) {
  return {{"path", file.path}, {"size", file.size}, {"modified", file.modified_us}};
}
DataFile file_of_json(const json& j) {
  DataFile file;
  file.path = j.at("path").get<std::string>();
  file.size = j.at("size").get<std::int64_t>();
  file.modified_us = j.at("modified").get<std::int64_t>();
  return file;
}
std::string dump(const json& j) { return j.dump(-1, ' ', false, json::error_handler_t::replace); }

// {"files": [{"path", "size", "modified"}]}: what the last load has seen. A file is new if it was not there, or has
// another size or time now; it is read whole then.
std::vector<DataFile> new_files(const std::string& state, const std::vector<DataFile>& files) {
  if (state.empty()) return files;
  std::vector<DataFile> seen = read_document(state, "stream state", [](const json& j) {
    std::vector<DataFile> out;
    for (const auto& one : j.at("files")) out.push_back(file_of_json(one));
    return out;
  });
  std::vector<DataFile> out;
  for (const DataFile& file : files)
    if (std::none_of(seen.begin(), seen.end(), [&](const DataFile& s) {
          return s.path == file.path && s.size == file.size && s.modified_us == file.modified_us;
        }))
      out.push_back(file);
  return out;
}

SplitPlan plan_files(const FilesConfig& config, const ConfiguredStream& stream) {
  const FoundStream found = find_stream(config, stream.name);
  SplitPlan plan;
  plan.consistency = Consistency::key_ranges;
  plan.resumable = true;
  std::vector<DataFile> files = found.files;
  if (is_incremental(stream.sync_mode)) {
    json state{{"files", json::array()}};
    for (const DataFile& file : found.files) state["files"].push_back(file_json(file));
    plan.state = dump(state);
    files = new_files(stream.state, found.files);
    if (files.empty() && !stream.state.empty()) return plan;
  }
  const std::size_t splits = std::clamp<std::size_t>(files.size(), 1, kMaxSplits);
  for (std::size_t i = 0; i < splits; ++i) {
    json bounds{{"files", json::array()}};
    for (std::size_t k = files.size() * i / splits; k < files.size() * (i + 1) / splits; ++k)
      bounds["files"].push_back(file_json(files[k]));
    Split split;
    char id[32];
    std::snprintf(id, sizeof id, "%04zu", i);
    split.id = id;
    split.bounds = dump(bounds);
    plan.splits.push_back(std::move(split));
  }
  return plan;
}

void check_source(const FilesConfig& config, CheckResult& result) {
  const auto streams = find_streams(config);
  if (!config.rejects.empty()) {
    require_absolute(config.rejects);
    require_writable_directory(config.rejects);
  }
  if (streams.empty()) {
    if (config.path.find_first_of("*?[") != std::string::npos)
      throw Error("path.missing", "no file fits " + config.path);
    result.warnings.push_back(config.path + " has no data files");
  }
  for (const auto& s : streams)
    for (const auto& file : s.files) require_readable_file(file.path);
}

}  // namespace

asio::awaitable<CheckResult> FilesSource::check() {
  CheckResult result;
  auto look = [&] {
    try {
      check_source(config_, result);
    } catch (const Error& e) {
      result.ok = false;
      result.code = e.code();
      result.message = e.what();
      result.remedy = e.remedy();
    }
  };
  co_await runtime_.blocking(look);
  co_return result;
}

asio::awaitable<Catalog> FilesSource::discover() {
  Catalog catalog;
  auto look = [&] {
    for (const FoundStream& s : find_streams(config_)) catalog.streams.push_back(stream_of(config_, s));
  };
  co_await runtime_.blocking(look);
  std::sort(catalog.streams.begin(), catalog.streams.end(),
            [](const Stream& a, const Stream& b) { return a.name < b.name; });
  co_return catalog;
}

asio::awaitable<SplitPlan> FilesSource::plan(ConfiguredStream stream, PlanOptions) {
  SplitPlan plan;
  auto look = [&] { plan = plan_files(config_, stream); };
  co_await runtime_.blocking(look);
  co_return plan;
}

asio::awaitable<void> FilesSource::read(ConfiguredStream stream, Split split, std::optional<std::string>,
                                        BatchSink& out) {
  std::vector<DataFile> files = read_document(split.bounds, "split bounds", [](const json& j) {
    std::vector<DataFile> list;
    for (const auto& one : j.at("files")) list.push_back(file_of_json(one));
    return list;
  });
  SplitReader reader(config_, stream, split.id, std::move(files));
  std::int64_t rows = 0;
  for (bool more = true; more;) {
    RowBatch batch(stream.schema, out.buffer());
    auto fill = [&] { more = reader.fill(batch); };
    co_await runtime_.blocking(fill);
    rows += batch.rows();
    if (!batch.empty()) co_await out.write(std::move(batch));
  }
  Checkpoint checkpoint;
  checkpoint.id = split.id;
  checkpoint.state = "{}";
  checkpoint.rows = rows;
  checkpoint.complete = true;
  co_await out.checkpoint(std::move(checkpoint));
}

asio::awaitable<void> FilesSource::close() { co_return; }

}  // namespace millrace::connectors::files
