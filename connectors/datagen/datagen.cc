#include "connectors/datagen/datagen.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "connectors/datagen/rows.h"
#include "connectors/pipe.h"
#include "connectors/read_document.h"

namespace millrace::connectors::datagen {

using nlohmann::json;

namespace {

constexpr std::int64_t kRowsPerSplit = 250'000;
constexpr std::int64_t kMaxRows = 1'000'000'000'000, kMaxRowBytes = 100'000'000, kMaxStreams = 10'000;

std::int64_t number(const json& j, const char* key, std::int64_t fallback, std::int64_t least, std::int64_t most) {
  const auto it = j.find(key);
  if (it == j.end() || it->is_null()) return fallback;
  if (!it->is_number_integer() || it->get<std::int64_t>() < least || it->get<std::int64_t>() > most)
    throw Error("connector.config_invalid", std::string(key) + " is not a whole number from " + std::to_string(least) +
                                                " to " + std::to_string(most));
  return it->get<std::int64_t>();
}

Schema schema_of(const DatagenConfig& config) {
  Schema schema;
  Field id;
  id.name = "id";
  id.type = Type(Kind::int64, "bigint");
  id.nullable = false;
  id.source_type = "id";
  schema.fields.push_back(std::move(id));
  for (const auto& kind : config.columns) schema.fields.push_back(column_field(kind));
  Field payload;
  payload.name = "payload";
  payload.source_type = "payload";
  schema.fields.push_back(std::move(payload));
  return schema;
}

}  // namespace

DatagenConfig datagen_config(const std::string& text) {
  json j;
  try {
    j = json::parse(text);
  } catch (const json::exception& e) {
    throw Error("connector.config_invalid", e.what());
  }
  if (!j.is_object()) throw Error("connector.config_invalid", "it is not an object");
  DatagenConfig c;
  c.streams = static_cast<int>(number(j, "streams", c.streams, 1, kMaxStreams));
  c.rows = number(j, "rows", c.rows, 0, kMaxRows);
  c.row_bytes = number(j, "row_bytes", c.row_bytes, 0, kMaxRowBytes);
  c.rows_per_second = number(j, "rows_per_second", c.rows_per_second, 0, kMaxRows);
  c.checkpoint_rows = number(j, "checkpoint_rows", c.checkpoint_rows, 1, kMaxRows);
  c.seed = static_cast<std::uint64_t>(number(j, "seed", 1, 0, kMaxRows));
  if (const auto it = j.find("columns"); it != j.end() && !it->is_null()) {
    if (!it->is_array()) throw Error("connector.config_invalid", "columns is not a list");
    for (const auto& kind : *it) {
      if (!kind.is_string()) throw Error("connector.config_invalid", "columns: each is the name of a kind");
      c.columns.push_back(kind.get<std::string>());
      column_field(c.columns.back());
      if (std::count(c.columns.begin(), c.columns.end(), c.columns.back()) > 1)
        throw Error("connector.config_invalid", "columns: \"" + c.columns.back() + "\" is there twice");
    }
  } else {
    c.columns = {"int32", "boolean", "numeric", "text", "timestamptz"};
  }
  return c;
}

std::string datagen_spec() {
  const auto whole = [](const char* title, const char* description, std::int64_t least, std::int64_t most,
                        std::int64_t fallback, int order) {
    return json{{"type", "integer"}, {"title", title},  {"description", description},
                {"minimum", least},  {"maximum", most}, {"default", fallback},
                {"order", order}};
  };
  json p{
      {"streams", whole("Streams", "How many streams there are: stream_1, stream_2, ...", 1, kMaxStreams, 1, 0)},
      {"rows", whole("Rows", "Rows of each stream.", 0, kMaxRows, 1'000, 1)},
      {"row_bytes", whole("Row bytes", "About how many bytes a row has; the column payload fills up to it.", 0,
                          kMaxRowBytes, 200, 2)},
      {"rows_per_second", whole("Rows per second", "Of the whole source; 0 is as fast as it goes.", 0, kMaxRows, 0, 3)},
      {"seed", whole("Seed", "The same seed gives the same rows.", 0, kMaxRows, 1, 4)},
      {"checkpoint_rows",
       whole("Checkpoint rows", "After how many rows of a split there is a checkpoint.", 1, kMaxRows, 100'000, 6)}};
  p["columns"] = {{"type", "array"},
                  {"uniqueItems", true},
                  {"title", "Columns"},
                  {"description", "Kinds of columns beside id and payload."},
                  {"order", 5}};
  p["columns"]["items"] = {{"type", "string"}, {"enum", column_kinds()}};
  p["columns"]["default"] = json::array({"int32", "boolean", "numeric", "text", "timestamptz"});
  p["sourceType"] = {{"type", "string"}, {"airbyte_hidden", true}};
  return json{{"$schema", "http://json-schema.org/draft-07/schema#"},
              {"title", "Datagen source"},
              {"type", "object"},
              {"required", json::array()},
              {"additionalProperties", false},
              {"properties", p}}
      .dump();
}

asio::awaitable<void> RateLimit::take(std::int64_t rows) {
  if (per_second_ <= 0) co_return;
  MonoTime at;
  {
    std::lock_guard lock(mutex_);
    at = std::max(runtime_.mono(), next_);
    next_ = at + Duration(rows * 1'000'000 / per_second_);
  }
  co_await runtime_.sleep_until(at);
}

DatagenSource::DatagenSource(Runtime runtime, DatagenConfig config)
    : config_(std::move(config)), rate_(std::move(runtime), config_.rows_per_second) {}

asio::awaitable<CheckResult> DatagenSource::check() { co_return CheckResult(); }
asio::awaitable<void> DatagenSource::close() { co_return; }

asio::awaitable<Catalog> DatagenSource::discover() {
  Catalog catalog;
  for (int i = 1; i <= config_.streams; ++i) {
    Stream s;
    s.name = StreamName("", "stream_" + std::to_string(i));
    s.schema = schema_of(config_);
    s.primary_key = {"id"};
    s.sync_modes = {SyncMode::full_refresh_overwrite, SyncMode::full_refresh_append};
    s.cursor_candidates = {"id"};
    s.rows_estimate = config_.rows;
    s.bytes_estimate = config_.rows * config_.row_bytes;
    catalog.streams.push_back(std::move(s));
  }
  std::sort(catalog.streams.begin(), catalog.streams.end(),
            [](const Stream& a, const Stream& b) { return a.name < b.name; });
  co_return catalog;
}

int DatagenSource::stream_number(const StreamName& name) const {
  for (int i = 1; i <= config_.streams; ++i)
    if (name.ns.empty() && name.name == "stream_" + std::to_string(i)) return i;
  throw Error("connector.stream_missing", name.text());
}

asio::awaitable<SplitPlan> DatagenSource::plan(ConfiguredStream stream, PlanOptions options) {
  stream_number(stream.name);
  const std::int64_t per_split = options.rows_per_split > 0 ? options.rows_per_split : kRowsPerSplit;
  const auto parallel = static_cast<std::int64_t>(options.parallel);
  std::int64_t splits = std::max((config_.rows + per_split - 1) / per_split, std::min(parallel, config_.rows));
  splits = std::clamp<std::int64_t>(splits, 1, 10'000);
  SplitPlan plan;
  plan.consistency = Consistency::key_ranges;
  plan.resumable = true;
  for (std::int64_t i = 0; i < splits; ++i) {
    Split split;
    char id[32];
    std::snprintf(id, sizeof id, "%04lld", static_cast<long long>(i));
    split.id = id;
    const std::int64_t from = config_.rows * i / splits + 1, to = config_.rows * (i + 1) / splits + 1;
    split.bounds = json{{"from", from}, {"to", to}}.dump();
    split.rows_estimate = to - from;
    plan.splits.push_back(std::move(split));
  }
  co_return plan;
}

asio::awaitable<void> DatagenSource::read(ConfiguredStream stream, Split split, std::optional<std::string> from,
                                          BatchSink& out) {
  const std::uint64_t seed = config_.seed * 1'000'003 + static_cast<std::uint64_t>(stream_number(stream.name));
  const auto [first, end] = read_document(split.bounds, "split bounds", [](const json& j) {
    return std::pair(j.at("from").get<std::int64_t>(), j.at("to").get<std::int64_t>());
  });
  std::int64_t next = first;
  if (from) next = read_document(*from, "state", [](const json& j) { return j.at("row").get<std::int64_t>(); });
  if (next < first || next > end)
    throw Error("connector.bad_document", "state: row " + std::to_string(next) + " is outside the split");

  // Small batches where the rate is low, so that rows come evenly.
  const std::int64_t most =
      config_.rows_per_second > 0 ? std::max<std::int64_t>(config_.rows_per_second / 10, 1) : kMaxRows;
  std::int64_t at_checkpoint = next;
  while (next < end) {
    RowBatch batch(stream.schema, out.buffer());
    const std::int64_t stop = std::min({end, next + most, at_checkpoint + config_.checkpoint_rows});
    while (next < stop && batch.bytes().size() < Pipe::kBatchBytes)
      append_row(batch, config_.columns, *stream.schema, seed, next++, config_.row_bytes);
    co_await rate_.take(batch.rows());
    co_await out.write(std::move(batch));
    if (next < end && next - at_checkpoint >= config_.checkpoint_rows) {
      Checkpoint checkpoint;
      checkpoint.id = split.id;
      checkpoint.state = json{{"row", next}}.dump();
      checkpoint.rows = next - first;
      co_await out.checkpoint(std::move(checkpoint));
      at_checkpoint = next;
    }
  }
  Checkpoint checkpoint;
  checkpoint.id = split.id;
  checkpoint.state = json{{"row", end}}.dump();
  checkpoint.rows = end - first;
  checkpoint.complete = true;
  co_await out.checkpoint(std::move(checkpoint));
}

namespace {

// datagen:?rows=1000&streams=2&columns=int32,text
std::string from_url(const std::string& url, bool) {
  json out = json::object();
  const auto query = url.find('?');
  std::string_view rest = query == std::string::npos ? std::string_view() : std::string_view(url).substr(query + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::string key(pair.substr(0, pair.find('=')));
    std::string_view text = pair.size() > key.size() ? pair.substr(key.size() + 1) : std::string_view();
    if (key == "columns") {
      out[key] = json::array();
      while (!text.empty()) {
        const std::string_view one = text.substr(0, text.find(','));
        out[key].push_back(one);
        text.remove_prefix(std::min(text.size(), one.size() + 1));
      }
    } else {
      const json value = json::parse(text, nullptr, false);
      if (!value.is_number_integer()) throw Error("connector.config_invalid", key + " is not a whole number");
      out[key] = value;
    }
  }
  return out.dump();
}

}  // namespace

Connector connector() {
  Connector c;
  c.name = "datagen";
  c.definition_id = "27886b87-c77b-47b7-a24d-7d547a8243c8";
  c.title = "Datagen";
  c.source_spec = datagen_spec();
  c.make_source = [](Runtime runtime, const std::string& configuration) -> std::unique_ptr<Source> {
    return std::make_unique<DatagenSource>(std::move(runtime), datagen_config(configuration));
  };
  c.source_modes = {SyncMode::full_refresh_overwrite, SyncMode::full_refresh_append};
  c.url_schemes = {"datagen"};
  c.configuration_from_url = from_url;
  return c;
}

}  // namespace millrace::connectors::datagen
