#include "engine/codec/payload.h"

#include <openssl/sha.h>

namespace millrace::engine {

std::string payload_hash(const Payload& text) {
  std::string hash(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(hash.data()));
  return hash;
}

}  // namespace millrace::engine
