// Create, update and remove: each one conditional batch.
//
// A connection that uses a source must not be made while the source is being removed. The connection's batch has the
// source's row as a condition, the removal has the row "source_use" of that source: one of them fails and looks again.
#include "common/errors.h"
#include "resources/connection_lock.h"
#include "resources/known_streams.h"
#include "resources/repository.h"
#include "resources/stream_schemas.h"
#include "state/keys.h"

namespace millrace::resources {

using nlohmann::json;
namespace keys = state::keys;

namespace {

constexpr int kTries = 8;

void put_resource(state::Batch& batch, const Resource& resource) {
  const std::string row = encode_resource(resource);
  const auto kind = to_string(resource.kind);
  batch.put(keys::resource(kind, resource.id), row);
  batch.put(keys::revision(kind, resource.id, static_cast<std::uint64_t>(resource.revision)), row);
}

[[noreturn]] void throw_name_taken(Kind kind, const std::string& name) {
  throw Error("resource.name_taken", "there is a " + std::string(to_string(kind)) + " named \"" + name + "\" already");
}

}  // namespace

asio::awaitable<state::Batch> Repository::change_use(state::Batch batch, Kind kind, std::string id,
                                                     std::string connection, bool uses) {
  const std::string key = keys::resource(use_kind(kind), id);
  const auto row = co_await store_->get(key);
  std::vector<std::string> list;
  if (row) list = decode_uses(*row);
  std::erase(list, connection);
  if (uses) list.push_back(connection);
  if (row)
    batch.expect(key, *row);
  else
    batch.expect_absent(key);
  if (list.empty())
    batch.erase(key);
  else
    batch.put(key, encode_uses(list));
  co_return batch;
}

asio::awaitable<Resource> Repository::create(Kind kind, std::string body_text, Principal principal,
                                             std::string request_id) {
  json body = parse_resource_body(body_text);
  const std::string dedupe_key = keys::dedupe("resource/" + std::string(to_string(kind)), request_id);
  const std::string body_hash = secrets_->keyed_hash(body.dump(-1, ' ', false, json::error_handler_t::replace));
  for (int tries = 0; tries < kTries; ++tries) {
    if (!request_id.empty()) {
      const auto done = co_await store_->get(dedupe_key);
      if (done) {
        const json row = json::parse(*done);
        if (row.value("hash", "") != body_hash)
          throw Error("idempotency.mismatch", "the key " + request_id + " came with another body before");
        co_return decode_resource(row.at("answer").dump());
      }
    }
    auto faults = std::make_shared<Faults>();
    auto unknown = std::make_shared<Faults>();
    std::optional<StoredResource> none;
    auto prepared = co_await prepare(kind, body, none, UpdateMode::put, nullptr, faults, unknown);
    throw_faults(*faults, *unknown);

    Resource resource;
    resource.kind = kind;
    resource.id = runtime_.uuid();
    resource.name = prepared.plain.at("name");
    resource.revision = 1;
    prepared.stored.erase("name");
    resource.spec = prepared.stored.dump();
    resource.created = resource.updated = runtime_.now();
    resource.principal = principal.name;

    const std::string name_key = keys::resource_name(to_string(kind), resource.name);
    state::Batch batch;
    batch.expect_absent(name_key);
    batch.put(name_key, resource.id);
    put_resource(batch, resource);
    for (auto& [id, sealed] : prepared.new_secrets) batch.put(keys::secret(id), sealed);
    if (!request_id.empty()) {
      batch.expect_absent(dedupe_key);
      batch.put(dedupe_key,
                json{{"v", 1}, {"hash", body_hash}, {"answer", json::parse(encode_resource(resource))}}.dump());
    }
    if (kind == Kind::connection) {
      for (auto end : {Kind::source, Kind::destination}) {
        const std::string field = std::string(to_string(end)) + "Id";
        const std::string used = prepared.stored.at(field);
        const auto there = co_await store_->get(keys::resource(to_string(end), used));
        if (!there) throw Error("resource.conflict", "the " + std::string(to_string(end)) + " was deleted meanwhile");
        batch.expect(keys::resource(to_string(end), used), *there);
        batch = co_await change_use(std::move(batch), end, used, resource.id, true);
      }
    }
    const auto commit = co_await store_->commit(std::move(batch));
    if (commit == state::Commit::done) co_return resource;
    const auto taken = co_await store_->get(name_key);
    // With a request id the holder of the name may be this very request, sent twice at once.
    if (taken && request_id.empty()) throw_name_taken(kind, resource.name);
    if (taken) {
      const auto done = co_await store_->get(dedupe_key);
      if (!done) throw_name_taken(kind, resource.name);
    }
  }
  throw Error("resource.conflict", "its source or destination is being changed by others");
}

asio::awaitable<Resource> Repository::update(Kind kind, std::string id, std::string body_text, UpdateMode mode,
                                             Principal principal) {
  json body = parse_resource_body(body_text);
  const auto head = co_await need(kind, id);
  const StoredResource current = with_name_in_spec(head);
  const json with_name = json::parse(current.resource.spec);
  auto faults = std::make_shared<Faults>();
  auto unknown = std::make_shared<Faults>();
  std::optional<StoredResource> had(current);
  auto prepared = co_await prepare(kind, body, had, mode, nullptr, faults, unknown);
  throw_faults(*faults, *unknown);
  if (prepared.stored == with_name) co_return head.resource;  // nothing changed: no new revision

  Resource resource = head.resource;
  resource.name = prepared.plain.at("name");
  resource.revision += 1;
  resource.updated = runtime_.now();
  resource.principal = principal.name;
  prepared.stored.erase("name");
  resource.spec = prepared.stored.dump();

  state::Batch batch;
  batch.expect(keys::resource(to_string(kind), id), head.row);
  const std::string name_key = keys::resource_name(to_string(kind), resource.name);
  if (resource.name != head.resource.name) {
    batch.expect_absent(name_key);
    batch.erase(keys::resource_name(to_string(kind), head.resource.name));
    batch.put(name_key, id);
  }
  put_resource(batch, resource);
  for (auto& [secret, sealed] : prepared.new_secrets) batch.put(keys::secret(secret), sealed);
  if (kind == Kind::connection) {
    for (auto end : {Kind::source, Kind::destination}) {
      const std::string field = std::string(to_string(end)) + "Id";
      const std::string before = with_name.value(field, "");
      const std::string after = prepared.stored.at(field);
      if (before == after) continue;
      batch = co_await change_use(std::move(batch), end, before, id, false);
      batch = co_await change_use(std::move(batch), end, after, id, true);
      const auto there = co_await store_->get(keys::resource(to_string(end), after));
      if (!there) throw Error("resource.conflict", "the " + std::string(to_string(end)) + " was deleted meanwhile");
      batch.expect(keys::resource(to_string(end), after), *there);
    }
  }
  const auto commit = co_await store_->commit(std::move(batch));
  if (commit == state::Commit::done) co_return resource;
  const auto taken = co_await store_->get(name_key);
  if (taken && *taken != id) throw_name_taken(kind, resource.name);
  throw Error("resource.conflict", "revision " + std::to_string(head.resource.revision) + " of \"" +
                                       head.resource.name + "\" is no longer the newest");
}

asio::awaitable<void> Repository::refuse_if_used(StoredResource head, std::optional<std::string> uses_row) {
  if (!uses_row) co_return;
  const auto connections = decode_uses(*uses_row);
  if (connections.empty()) co_return;
  std::string names;
  for (std::size_t i = 0; i < connections.size() && i < 10; ++i) {
    const auto c = co_await find(Kind::connection, connections[i]);
    names += (names.empty() ? "\"" : ", \"") + (c ? c->resource.name : connections[i]) + "\"";
  }
  if (connections.size() > 10) names += " and " + std::to_string(connections.size() - 10) + " more";
  throw Error("resource.in_use", "the " + std::string(to_string(head.resource.kind)) + " \"" + head.resource.name +
                                     "\" is used by the connections " + names);
}

asio::awaitable<state::Batch> Repository::erase_resource(StoredResource head) {
  const auto kind = to_string(head.resource.kind);
  const std::string id = head.resource.id;
  state::Batch batch;
  batch.expect(keys::resource(kind, id), head.row);
  batch.erase(keys::resource(kind, id));
  batch.erase(keys::resource_name(kind, head.resource.name));
  const auto history = co_await revisions(head.resource.kind, id);
  for (const auto& revision : history) {
    batch.erase(keys::revision(kind, id, static_cast<std::uint64_t>(revision.revision)));
    json spec = json::parse(revision.spec);
    for_each_reference(spec,
                       [&](json& reference) { batch.erase(keys::secret(reference[kSecretId].get<std::string>())); });
  }
  co_return batch;
}

asio::awaitable<void> Repository::remove(Kind kind, std::string id) {
  for (int tries = 0; tries < kTries; ++tries) {
    auto head = co_await need(kind, id);
    const json spec = json::parse(head.resource.spec);
    auto batch = co_await erase_resource(head);
    if (kind == Kind::connection) {
      batch.erase(known_streams_key(id));
      const auto states = state::prefix_range(keys::stream_state_prefix(id));
      batch.erase_range(states.begin, states.end);
      const auto schemas = state::prefix_range(stream_schemas_prefix(id));
      batch.erase_range(schemas.begin, schemas.end);
      const std::string lock_key = keys::connection_lock(id);
      const auto lock_row = co_await store_->get(lock_key);
      if (lock_row) {
        const auto lock = decode_lock(*lock_row);
        const auto open = co_await store_->get(keys::open_run(lock.run_id));
        if (open)
          throw Error("resource.in_use", "job " + std::to_string(lock.job_id) + " of \"" + head.resource.name +
                                             "\" is running: cancel it first");
        batch.expect(lock_key, *lock_row);
        batch.erase(lock_key);
      } else {
        batch.expect_absent(lock_key);
      }
      for (auto end : {Kind::source, Kind::destination})
        batch = co_await change_use(std::move(batch), end, spec.at(std::string(to_string(end)) + "Id"), id, false);
    } else {
      const std::string use_key = keys::resource(use_kind(kind), id);
      const auto uses = co_await store_->get(use_key);
      co_await refuse_if_used(head, uses);
      if (uses)
        batch.expect(use_key, *uses);
      else
        batch.expect_absent(use_key);
    }
    const auto commit = co_await store_->commit(std::move(batch));
    if (commit == state::Commit::done) co_return;
  }
  throw Error("resource.conflict", "it is being changed by others");
}

}  // namespace millrace::resources
