// API tokens: the first one in a file of the data directory, further ones hashed in the store, and short-lived access
// tokens for clients that speak OAuth's client credentials.
//
// A token is 32 random bytes; only its SHA-256 is kept (state keys::token). With so much entropy a plain hash is safe,
// and a lookup by it leaks no timing of the token. An access token is signed with a key made from the first token, so
// it needs no row and dies with it: mr_at_<expiry>_<token id>_<HMAC-SHA-256>.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "api/message.h"
#include "common/awaitable.h"
#include "common/runtime.h"
#include "state/store.h"

namespace millrace::api {

struct TokenInfo {
  TokenInfo() = default;
  std::string id;
  std::string name;
  Scope scope = Scope::admin;
  WallTime created;
  std::optional<WallTime> expires;
};

// Thread-safe.
class Tokens {
 public:
  static constexpr int kAccessTokenSeconds = 3'600;
  static constexpr int kSessionSeconds = 7 * 24 * 3'600;  // of the web UI, prolonged by use

  Tokens(Runtime runtime, std::shared_ptr<state::Store> store);

  // Reads the tokens of the store.
  asio::awaitable<void> load();
  // Reads the first token from `path`, or makes it (0600). Blocking. Called again after a SIGHUP.
  void load_file(const std::string& path);
  void set_first_token(const std::string& token);

  // A token or an access token; empty: unknown or expired.
  std::optional<Caller> find(std::string_view presented) const;
  // Exchanges a token for an access token; empty: unknown.
  std::optional<std::string> issue_access_token(std::string_view secret) const;
  // An access token for a session of the web UI; empty: no token has this id.
  std::optional<std::string> issue_session(const std::string& token_id) const;
  // The session's cookie: another name for each first token, since browsers keep one jar for all ports of a host.
  std::string session_cookie() const;
  static std::string first_id();

  struct Created {
    Created() = default;
    TokenInfo info;
    std::string token;  // shown this once
  };
  asio::awaitable<Created> create(std::string name, Scope scope, std::optional<WallTime> expires);
  std::vector<TokenInfo> list() const;
  // Throws auth.token_not_found.
  asio::awaitable<void> revoke(std::string id);

 private:
  const TokenInfo* by_hash(const std::string& hash) const;
  std::string sign(std::string_view text) const;
  std::string signed_token(const TokenInfo& info, int seconds) const;

  Runtime runtime_;
  std::shared_ptr<state::Store> store_;
  mutable std::mutex mutex_;
  std::map<std::string, TokenInfo> by_hash_;
  std::string first_hash_;
  std::string signing_key_;
};

std::string sha256_hex(std::string_view bytes);
std::string base64_decode(std::string_view text);       // wrong characters are skipped
std::string base64_url_encode(std::string_view bytes);  // without padding
std::string base64_url_decode(std::string_view text);

}  // namespace millrace::api
