#include "api/tokens.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include <nlohmann/json.hpp>

#include "common/check.h"
#include "common/errors.h"
#include "state/keys.h"

namespace millrace::api {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kTokenPrefix = "mr_";
constexpr std::string_view kAccessPrefix = "mr_at_";
constexpr std::string_view kFirstTokenId = "first";

std::string new_secret() {
  check(sodium_init() >= 0, "libsodium starts");
  std::string bytes(32, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  return std::string(kTokenPrefix) + base64_url_encode(bytes);
}

// The stored form, version 1: {"v":1,"id","name","scope","created","expires"} (times in microseconds; expires
// optional).
std::string to_record(const TokenInfo& info) {
  Json record = {{"v", 1},
                 {"id", info.id},
                 {"name", info.name},
                 {"scope", std::string(to_string(info.scope))},
                 {"created", to_micros(info.created)}};
  if (info.expires) record["expires"] = to_micros(*info.expires);
  return record.dump();
}

Scope parse_scope(const std::string& text) {
  if (text == "admin") return Scope::admin;
  if (text == "read") return Scope::read;
  if (text == "worker") return Scope::worker;
  return Scope::metrics;
}

TokenInfo from_record(const std::string& text) {
  const Json record = Json::parse(text, nullptr, false);
  if (!record.is_object() || record.value("v", 0) != 1)
    throw Error("store.corrupt", "a token's record is not readable");
  TokenInfo info;
  info.id = record.value("id", "");
  info.name = record.value("name", "");
  info.scope = parse_scope(record.value("scope", ""));
  info.created = from_micros(record.value("created", std::int64_t{0}));
  if (record.contains("expires")) info.expires = from_micros(record.at("expires").get<std::int64_t>());
  return info;
}

}  // namespace

Tokens::Tokens(Runtime runtime, std::shared_ptr<state::Store> store)
    : runtime_(std::move(runtime)), store_(std::move(store)) {
  signing_key_ = new_secret();
}

asio::awaitable<void> Tokens::load() {
  const std::string prefix = state::keys::token_prefix();
  state::Range range = state::prefix_range(prefix);
  for (;;) {
    const std::vector<state::KeyValue> rows = co_await store_->scan(range);
    std::lock_guard lock(mutex_);
    for (const auto& row : rows) {
      state::KeyReader key(row.key);
      by_hash_[key.str()] = from_record(row.value);
    }
    if (rows.size() < range.limit) co_return;
    range.begin = rows.back().key + '\0';
  }
}

void Tokens::load_file(const std::string& path) {
  std::string token;
  {
    std::ifstream in(path);
    std::getline(in, token);
  }
  if (token.empty()) {
    token = new_secret();
    // Written aside and renamed, so that a crash leaves a whole token or none.
    const std::string aside = path + ".new";
    ::unlink(aside.c_str());
    const int fd = ::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const std::string line = token + "\n";
    const bool ok =
        fd >= 0 && ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(fd) == 0;
    if (fd >= 0) ::close(fd);
    if (!ok || ::rename(aside.c_str(), path.c_str()) != 0)
      throw Error("store.unavailable", "the token file " + path + " cannot be written");
  }
  set_first_token(token);
}

void Tokens::set_first_token(const std::string& token) {
  const std::string hash = sha256_hex(token);
  TokenInfo info;
  info.id = kFirstTokenId;
  info.name = "admin";
  std::lock_guard lock(mutex_);
  by_hash_.erase(first_hash_);
  by_hash_[hash] = info;
  first_hash_ = hash;
  signing_key_ = sha256_hex("millrace access token key: " + token);
}

const TokenInfo* Tokens::by_hash(const std::string& hash) const {
  const auto it = by_hash_.find(hash);
  if (it == by_hash_.end()) return nullptr;
  if (it->second.expires && *it->second.expires <= runtime_.now()) return nullptr;
  return &it->second;
}

std::string Tokens::sign(std::string_view text) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), signing_key_.data(), static_cast<int>(signing_key_.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  return base64_url_encode(std::string_view(reinterpret_cast<const char*>(digest.data()), size));
}

std::optional<Caller> Tokens::find(std::string_view presented) const {
  std::lock_guard lock(mutex_);
  const TokenInfo* info = nullptr;
  if (presented.starts_with(kAccessPrefix)) {
    // The signature is 43 characters of base64url, which may hold underscores: it is cut off by its length.
    constexpr std::size_t kSignature = 43;
    if (presented.size() < kAccessPrefix.size() + kSignature + 4) return std::nullopt;
    const std::string_view signed_part = presented.substr(0, presented.size() - kSignature - 1);
    const std::string expected = sign(signed_part);
    const std::string_view given = presented.substr(presented.size() - kSignature);
    if (expected.size() != given.size() || sodium_memcmp(expected.data(), given.data(), given.size()) != 0)
      return std::nullopt;
    const std::string_view fields = signed_part.substr(kAccessPrefix.size());
    const auto cut = fields.find('_');
    if (cut == std::string_view::npos) return std::nullopt;
    const std::int64_t expiry = std::atoll(std::string(fields.substr(0, cut)).c_str());
    if (to_micros(runtime_.now()) / 1'000'000 >= expiry) return std::nullopt;
    const std::string_view id = fields.substr(cut + 1);
    for (const auto& [hash, candidate] : by_hash_) {
      if (candidate.id == id) info = by_hash(hash);
    }
  } else {
    info = by_hash(sha256_hex(presented));
  }
  if (info == nullptr) return std::nullopt;
  Caller caller;
  caller.name = info->name;
  caller.scope = info->scope;
  caller.authenticated = true;
  caller.token_id = info->id;
  return caller;
}

std::optional<std::string> Tokens::issue_access_token(std::string_view secret) const {
  std::lock_guard lock(mutex_);
  const TokenInfo* info = by_hash(sha256_hex(secret));
  if (info == nullptr) return std::nullopt;
  return signed_token(*info, kAccessTokenSeconds);
}

std::string Tokens::signed_token(const TokenInfo& info, int seconds) const {
  const std::int64_t expiry = to_micros(runtime_.now()) / 1'000'000 + seconds;
  const std::string text = std::string(kAccessPrefix) + std::to_string(expiry) + "_" + info.id;
  return text + "_" + sign(text);
}

std::optional<std::string> Tokens::issue_session(const std::string& token_id) const {
  std::lock_guard lock(mutex_);
  for (const auto& [hash, candidate] : by_hash_) {
    if (candidate.id != token_id) continue;
    if (const TokenInfo* info = by_hash(hash)) return signed_token(*info, kSessionSeconds);
  }
  return std::nullopt;
}

std::string Tokens::session_cookie() const {
  std::lock_guard lock(mutex_);
  return "millrace_session_" + sha256_hex("millrace session cookie: " + first_hash_).substr(0, 8);
}

std::string Tokens::first_id() { return std::string(kFirstTokenId); }

asio::awaitable<Tokens::Created> Tokens::create(std::string name, Scope scope, std::optional<WallTime> expires) {
  Created created;
  created.token = new_secret();
  created.info.id = runtime_.uuid();
  created.info.name = std::move(name);
  created.info.scope = scope;
  created.info.created = runtime_.now();
  created.info.expires = expires;
  const std::string hash = sha256_hex(created.token);
  state::Batch batch;
  batch.expect_absent(state::keys::token(hash));
  batch.put(state::keys::token(hash), to_record(created.info));
  const state::Commit outcome = co_await store_->commit(std::move(batch));
  check(outcome == state::Commit::done, "a new token is new");
  std::lock_guard lock(mutex_);
  by_hash_[hash] = created.info;
  co_return created;
}

std::vector<TokenInfo> Tokens::list() const {
  std::lock_guard lock(mutex_);
  std::vector<TokenInfo> out;
  for (const auto& [hash, info] : by_hash_) {
    if (hash != first_hash_) out.push_back(info);
  }
  std::sort(out.begin(), out.end(), [](const TokenInfo& a, const TokenInfo& b) { return a.created < b.created; });
  return out;
}

asio::awaitable<void> Tokens::revoke(std::string id) {
  std::string hash;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [h, info] : by_hash_) {
      if (info.id == id && h != first_hash_) hash = h;
    }
    by_hash_.erase(hash);
  }
  if (hash.empty()) throw Error("auth.token_not_found", "no token has the id " + id);
  state::Batch batch;
  batch.erase(state::keys::token(hash));
  co_await store_->commit(std::move(batch));
}

}  // namespace millrace::api
