// Hashes and public-key encryption of values, for mappers.
//
// A sealed value is base64 of the RSA-OAEP ciphertext (SHA-256 for both digests, as Airbyte's RSA mapper has it) where
// it fits the key; a longer one is base64(RSA-OAEP(32-byte key)) "." base64(12-byte nonce, AES-256-GCM ciphertext,
// 16-byte tag). Only the holder of the private key reads it; the same value gives another text each time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace millrace::connectors {

// "MD5", "SHA-1", "SHA-224", "SHA-256", "SHA-384", "SHA-512", in any case and with or without the dash.
bool is_hash_method(const std::string& method);
std::string hash_hex(const std::string& method, std::string_view bytes);  // lower case

// Immutable, thread-safe.
class PublicKey {
 public:
  // PEM, or base64 or hexadecimal digits of the DER form of SubjectPublicKeyInfo. At least 2048 bits. Throws
  // connector.mapper_invalid.
  explicit PublicKey(const std::string& text);
  std::string seal(std::string_view plain) const;

 private:
  struct Key;
  std::shared_ptr<const Key> key_;
};

}  // namespace millrace::connectors
