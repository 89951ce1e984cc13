// A payload as events hold it: JSON text in the event, or, above 64 KiB, a blob under its hash beside the history. So
// neither a history nor a message has a size limit.
#pragma once

#include <cstdint>
#include <string>

#include "engine/failure.h"

namespace millrace::engine {

// Payloads above this many bytes are stored as blobs.
inline constexpr std::size_t kInlinePayloadBytes = 64 << 10;

struct StoredPayload {
  StoredPayload() = default;
  StoredPayload(Payload t) : text(std::move(t)) {}  // NOLINT: a payload is one
  Payload text;
  std::string blob_hash;   // SHA-256, 32 bytes; set when the text lies in a blob
  std::uint64_t size = 0;  // of the blob
  // The text is in its blob and was not read.
  bool is_absent() const { return !blob_hash.empty() && text.empty(); }
};

// 32 bytes.
std::string payload_hash(const Payload& text);

}  // namespace millrace::engine
