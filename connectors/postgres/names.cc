#include "connectors/postgres/names.h"

#include <openssl/sha.h>

#include <cstdio>

#include "net/postgres.h"

namespace millrace::connectors::postgres {
namespace {

constexpr std::size_t kNameBytes = 63, kKeptBytes = 54;

std::string hash_hex(const std::string& text, std::size_t digits) {
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest);
  std::string out;
  for (std::size_t i = 0; out.size() < digits; ++i) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", digest[i]);
    out += two;
  }
  return out;
}

// Parts joined so that no two lists of parts give the same text.
std::string stream_text(const StreamTarget& t) {
  std::string out;
  for (const auto& part : {t.connection_id, t.source_name.ns, t.source_name.name})
    out += std::to_string(part.size()) + ":" + part;
  return out;
}

}  // namespace

std::string identifier_that_fits(const std::string& name) {
  if (name.size() <= kNameBytes) return name;
  std::size_t keep = kKeptBytes;
  while (keep > 0 && (static_cast<unsigned char>(name[keep]) & 0xc0) == 0x80) --keep;
  return name.substr(0, keep) + "_" + hash_hex(name, 8);
}

std::string stream_hash(const StreamTarget& t) { return hash_hex(stream_text(t), 16); }
std::string stage_name(const StreamTarget& t) {
  return "stage_" + hash_hex(stream_text(t) + "#" + std::to_string(t.generation), 16);
}
std::string former_name(const StreamTarget& t) { return "former_" + stream_hash(t); }

std::string data_session_name(const StreamTarget& t) { return "millrace load " + stream_hash(t); }

std::string final_table(const StreamTarget& t) {
  return net::quote_identifier(identifier_that_fits(t.ns)) + "." + net::quote_identifier(identifier_that_fits(t.name));
}
std::string helper_table(const std::string& name) {
  return net::quote_identifier(kMetaSchema) + "." + net::quote_identifier(name);
}

}  // namespace millrace::connectors::postgres
