#include "api/login_codes.h"

#include <sodium.h>

#include <algorithm>

#include "api/tokens.h"
#include "common/check.h"

namespace millrace::api {

std::string LoginCodes::make(std::string token_id) {
  check(sodium_init() >= 0, "libsodium starts");
  std::string bytes(24, '\0');
  randombytes_buf(bytes.data(), bytes.size());
  std::string code = base64_url_encode(bytes);
  std::lock_guard lock(mutex_);
  forget_old();
  by_hash_[sha256_hex(code)] = Waiting{std::move(token_id), runtime_.mono()};
  return code;
}

std::optional<std::string> LoginCodes::take(const std::string& code) {
  std::lock_guard lock(mutex_);
  forget_old();
  const auto found = by_hash_.find(sha256_hex(code));
  if (found == by_hash_.end()) return std::nullopt;
  std::string token_id = std::move(found->second.token_id);
  by_hash_.erase(found);
  return token_id;
}

void LoginCodes::forget_old() {
  const MonoTime now = runtime_.mono();
  std::erase_if(by_hash_, [now](const auto& entry) { return now - entry.second.made > kLifetime; });
  while (by_hash_.size() >= kMost) {
    by_hash_.erase(std::min_element(by_hash_.begin(), by_hash_.end(),
                                    [](const auto& a, const auto& b) { return a.second.made < b.second.made; }));
  }
}

}  // namespace millrace::api
