#include "api/idempotency.h"

#include <nlohmann/json.hpp>

#include "api/tokens.h"
#include "common/errors.h"
#include "state/keys.h"

namespace millrace::api {
namespace {

using Json = nlohmann::json;
constexpr std::string_view kScope = "http";

}  // namespace

Idempotency::Idempotency(Runtime runtime, std::shared_ptr<state::Store> store)
    : runtime_(std::move(runtime)), store_(std::move(store)) {}

asio::awaitable<std::optional<Response>> Idempotency::find(std::string key, std::string fingerprint) {
  const std::optional<std::string> found = co_await store_->get(state::keys::dedupe(kScope, key));
  if (!found) co_return std::nullopt;
  const Json record = Json::parse(*found, nullptr, false);
  if (!record.is_object()) throw Error("store.corrupt", "the record of an idempotency key is not readable");
  if (record.value("request", "") != fingerprint) {
    throw Error("idempotency.mismatch", "the key '" + key + "' was used for another request");
  }
  Response response(record.value("status", 200));
  response.content_type = record.value("contentType", "application/json");
  response.body = record.value("body", "");
  if (const std::string location = record.value("location", ""); !location.empty())
    response.headers.emplace_back("Location", location);
  response.headers.emplace_back("Idempotency-Replayed", "true");
  co_return response;
}

// The stored form, version 1: {"v":1,"at":microseconds,"request":sha256,"status","contentType","body","location"}.
asio::awaitable<void> Idempotency::keep(std::string key, std::string fingerprint, const Response& response) {
  Json record = {{"v", 1},
                 {"at", to_micros(runtime_.now())},
                 {"request", std::move(fingerprint)},
                 {"status", response.status},
                 {"contentType", response.content_type},
                 {"body", response.body}};
  for (const auto& [name, value] : response.headers) {
    if (name == "Location") record["location"] = value;
  }
  state::Batch batch;
  batch.put(state::keys::dedupe(kScope, key), record.dump(-1, ' ', false, Json::error_handler_t::replace));
  co_await store_->commit(std::move(batch));
}

asio::awaitable<Response> Idempotency::run(std::string key, Request& request,
                                           const std::function<asio::awaitable<Response>(Request&)>& work) {
  const std::string fingerprint = sha256_hex(request.method + " " + request.target + "\n" + request.body);
  for (;;) {
    std::shared_ptr<Event> first;
    {
      std::lock_guard lock(mutex_);
      auto& entry = in_progress_[key];
      if (entry) {
        first = entry;
      } else {
        entry = std::make_shared<Event>();
      }
    }
    if (!first) break;
    co_await first->wait();
  }
  // Whatever happens, the next one with this key may go on.
  struct Release {
    Release(Idempotency& o, const std::string& k) : owner(o), key(k) {}
    Idempotency& owner;
    const std::string& key;
    ~Release() {
      std::lock_guard lock(owner.mutex_);
      const auto it = owner.in_progress_.find(key);
      it->second->set();
      owner.in_progress_.erase(it);
    }
  };
  const Release release(*this, key);
  std::optional<Response> before = co_await find(key, fingerprint);
  if (before) co_return std::move(*before);
  Response response = co_await work(request);
  if (response.status < 300 && !response.stream) co_await keep(key, fingerprint, response);
  co_return response;
}

asio::awaitable<void> Idempotency::sweep() {
  const std::int64_t bound = to_micros(runtime_.now() - kIdempotencyRetention);
  state::Range range = state::prefix_range(state::keys::dedupe_prefix(kScope));
  for (;;) {
    const std::vector<state::KeyValue> rows = co_await store_->scan(range);
    state::Batch batch;
    for (const auto& row : rows) {
      const Json record = Json::parse(row.value, nullptr, false);
      if (!record.is_object() || record.value("at", std::int64_t{0}) < bound) batch.erase(row.key);
    }
    if (!batch.empty()) co_await store_->commit(std::move(batch));
    if (rows.empty()) co_return;
    range.begin = rows.back().key + '\0';
  }
}

}  // namespace millrace::api
