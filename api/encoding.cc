// Hashes and base64 of tokens.h.
#include <openssl/evp.h>

#include <array>

#include "api/tokens.h"
#include "common/check.h"

namespace millrace::api {
namespace {

constexpr std::string_view kUrlAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

int value_of(char c) {
  if (c == '+') c = '-';
  if (c == '/') c = '_';
  const auto at = kUrlAlphabet.find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at);
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  check(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr) == 1, "OpenSSL hashes");
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    out += kHex[digest[i] >> 4];
    out += kHex[digest[i] & 15];
  }
  return out;
}

std::string base64_decode(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : text) {
    const int v = value_of(c);
    if (v < 0) continue;
    bits = (bits << 6) | static_cast<std::uint32_t>(v);
    have += 6;
    if (have >= 8) {
      have -= 8;
      out += static_cast<char>((bits >> have) & 0xff);
    }
  }
  return out;
}

std::string base64_url_encode(std::string_view bytes) {
  std::string out;
  std::uint32_t bits = 0;
  int have = 0;
  for (const char c : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(c);
    have += 8;
    while (have >= 6) {
      have -= 6;
      out += kUrlAlphabet[(bits >> have) & 63];
    }
  }
  if (have > 0) out += kUrlAlphabet[(bits << (6 - have)) & 63];
  return out;
}

std::string base64_url_decode(std::string_view text) { return base64_decode(text); }

}  // namespace millrace::api
