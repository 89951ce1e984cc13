#include "resources/stream_schemas.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "state/keys.h"

namespace millrace::resources {

using nlohmann::json;

namespace {

std::string kind_of(const std::string& connection_id) { return "stream_schema/" + connection_id; }

json fields_json(const std::vector<KnownField>& fields) {
  json out = json::array();
  for (const auto& f : fields) out.push_back(json::array({f.id, f.name, f.column, f.type}));
  return out;
}

std::vector<KnownField> fields_from(const json& list) {
  std::vector<KnownField> out;
  for (const auto& one : list) {
    KnownField f;
    f.id = one.at(0).get<std::int32_t>();
    f.name = one.at(1).get<std::string>();
    f.column = one.at(2).get<std::string>();
    f.type = one.at(3).get<std::string>();
    out.push_back(std::move(f));
  }
  return out;
}

StreamSchema decode(const std::string& row) {
  StreamSchema out;
  try {
    const json value = json::parse(row);
    if (value.at("v") != 1) throw Error("store.corrupt", "the schema of a stream is of another version");
    out.job = value.at("job").get<std::int64_t>();
    out.fields = fields_from(value.at("fields"));
    out.key = value.value("key", std::vector<std::string>());
    if (value.contains("stopped")) {
      out.stopped_job = value["stopped"].at("job").get<std::int64_t>();
      out.stopped = fields_from(value["stopped"].at("fields"));
    }
  } catch (const json::exception& e) {
    throw Error("store.corrupt", std::string("the schema of a stream: ") + e.what());
  }
  return out;
}

std::string encode(const StreamSchema& s) {
  json out = {{"v", 1}, {"job", s.job}, {"fields", fields_json(s.fields)}};
  if (!s.key.empty()) out["key"] = s.key;
  if (s.stopped_job != 0) out["stopped"] = {{"job", s.stopped_job}, {"fields", fields_json(s.stopped)}};
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string stream_schemas_prefix(const std::string& connection_id) {
  return state::keys::resource_prefix(kind_of(connection_id));
}

std::vector<KnownField> fields_of(const connectors::Schema& schema) {
  std::vector<KnownField> out;
  for (const auto& field : schema.fields) {
    KnownField f;
    f.id = field.source_id;
    f.name = field.name;
    f.type = field.source_type.empty() ? field.type.pg_type : field.source_type;
    out.push_back(std::move(f));
  }
  return out;
}

asio::awaitable<std::vector<StreamSchema>> stream_schemas(std::shared_ptr<state::Store> store,
                                                          std::string connection_id) {
  std::vector<StreamSchema> out;
  state::Range range = state::prefix_range(stream_schemas_prefix(connection_id));
  for (;;) {
    const auto rows = co_await store->scan(range);
    for (const auto& row : rows) {
      state::KeyReader key(row.key);
      key.str();
      StreamSchema schema = decode(row.value);
      const std::string id = key.str();
      const auto zero = std::min(id.find('\0'), id.size());
      schema.stream.ns = id.substr(0, zero);
      schema.stream.name = id.substr(std::min(zero + 1, id.size()));
      out.push_back(std::move(schema));
    }
    if (rows.empty()) co_return out;
    range.begin = rows.back().key + '\0';
  }
}

asio::awaitable<void> put_stream_schema(std::shared_ptr<state::Store> store, std::string connection_id,
                                        StreamSchema schema) {
  constexpr int kTries = 8;
  const std::string key = state::keys::resource(kind_of(connection_id), schema.stream.ns + '\0' + schema.stream.name);
  const std::string row = encode(schema);
  for (int tries = 0; tries < kTries; ++tries) {
    const auto there = co_await store->get(key);
    if (there && *there == row) co_return;
    state::Batch batch;
    if (there) {
      const StreamSchema before = decode(*there);
      if (before.job > schema.job) co_return;
      batch.expect(key, *there);
    } else {
      batch.expect_absent(key);
    }
    batch.put(key, row);
    const auto commit = co_await store->commit(std::move(batch));
    if (commit == state::Commit::done) co_return;
  }
  throw Error("resource.conflict", "the schema of " + schema.stream.text() + " is being changed by others");
}

}  // namespace millrace::resources
