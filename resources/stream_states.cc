#include "resources/stream_states.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "state/keys.h"

namespace millrace::resources {

using connectors::StreamName;
using nlohmann::json;

namespace {

constexpr int kTries = 8;

std::vector<StreamState> decode(const std::string& row, const StreamName& stream) {
  std::vector<StreamState> out;
  try {
    const json value = json::parse(row);
    if (value.at("v") != 1) throw Error("store.corrupt", "the state of a stream is of another version");
    for (const auto& one : value.at("revisions")) {
      StreamState s;
      s.stream = stream;
      s.revision = one.at("revision").get<std::int64_t>();
      if (!one.at("state").is_null()) s.state = one["state"].dump();
      s.job = one.at("job").get<std::int64_t>();
      s.author = one.at("author").get<std::string>();
      s.time = from_micros(one.at("us").get<std::int64_t>());
      out.push_back(std::move(s));
    }
  } catch (const json::exception& e) {
    throw Error("store.corrupt", std::string("the state of a stream: ") + e.what());
  }
  return out;
}

std::string encode(const std::vector<StreamState>& revisions) {
  json list = json::array();
  for (const auto& s : revisions)
    list.push_back({{"revision", s.revision},
                    {"state", s.state.empty() ? json() : json::parse(s.state)},
                    {"job", s.job},
                    {"author", s.author},
                    {"us", to_micros(s.time)}});
  return json{{"v", 1}, {"revisions", std::move(list)}}.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

asio::awaitable<std::vector<StreamState>> stream_states(std::shared_ptr<state::Store> store,
                                                        std::string connection_id) {
  std::vector<StreamState> out;
  state::Range range = state::prefix_range(state::keys::stream_state_prefix(connection_id));
  for (;;) {
    const auto rows = co_await store->scan(range);
    for (const auto& row : rows) {
      state::KeyReader key(row.key);
      key.str();
      StreamName name;
      name.ns = key.str();
      name.name = key.str();
      auto revisions = decode(row.value, name);
      if (!revisions.empty()) out.push_back(std::move(revisions.back()));
    }
    if (rows.empty()) co_return out;
    range.begin = rows.back().key + '\0';
  }
}

asio::awaitable<std::vector<StreamState>> stream_state_history(std::shared_ptr<state::Store> store,
                                                               std::string connection_id, StreamName stream) {
  const auto row = co_await store->get(state::keys::stream_state(connection_id, stream.ns, stream.name));
  std::vector<StreamState> out;
  if (!row) co_return out;
  out = decode(*row, stream);
  std::reverse(out.begin(), out.end());
  co_return out;
}

asio::awaitable<StreamState> put_stream_state(std::shared_ptr<state::Store> store, std::string connection_id,
                                              StreamState state) {
  const std::string key = state::keys::stream_state(connection_id, state.stream.ns, state.stream.name);
  if (!state.state.empty()) state.state = json::parse(state.state).dump();
  for (int tries = 0; tries < kTries; ++tries) {
    const auto row = co_await store->get(key);
    std::vector<StreamState> revisions;
    if (row) revisions = decode(*row, state.stream);
    if (!revisions.empty()) {
      const StreamState& last = revisions.back();
      const bool from_job = state.author == "job";
      if (from_job && (last.job > state.job || (last.job == state.job && last.author == "job"))) co_return last;
      if (!from_job) state.job = std::max(state.job, last.job);
    }
    state.revision = revisions.empty() ? 1 : revisions.back().revision + 1;
    revisions.push_back(state);
    if (revisions.size() > kRevisionsKept)
      revisions.erase(revisions.begin(), revisions.end() - static_cast<std::ptrdiff_t>(kRevisionsKept));
    state::Batch batch;
    if (row)
      batch.expect(key, *row);
    else
      batch.expect_absent(key);
    batch.put(key, encode(revisions));
    if (co_await store->commit(std::move(batch)) == state::Commit::done) co_return state;
  }
  throw Error("resource.conflict", "the state of " + state.stream.text() + " is being changed by others");
}

}  // namespace millrace::resources
