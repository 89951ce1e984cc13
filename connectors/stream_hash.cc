#include "connectors/stream_hash.h"

#include <openssl/sha.h>

#include "connectors/values/values.h"

namespace millrace::connectors {
namespace {

std::string hash(const std::string& text) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  return values::hex({reinterpret_cast<const char*>(digest), 8});
}

// Parts joined so that no two lists of parts give the same text.
std::string stream_text(const StreamTarget& t) {
  std::string out;
  for (const auto& part : {t.connection_id, t.source_name.ns, t.source_name.name})
    out += std::to_string(part.size()) + ":" + part;
  return out;
}

}  // namespace

std::string hash_of_stream(const StreamTarget& target) { return hash(stream_text(target)); }
std::string hash_of_generation(const StreamTarget& target) {
  return hash(stream_text(target) + "#" + std::to_string(target.generation));
}

}  // namespace millrace::connectors
