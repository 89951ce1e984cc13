#include "engine/codec/fields.h"

#include <bit>
#include <limits>

namespace millrace::engine {
namespace {

constexpr int kMaxCauses = 32;  // what a failure's chain of causes may count when it is read

// The fields of structs that live in public headers, which know nothing of visitors.
template <class Self, class V>
void visit_retry(Self& s, V& v) {
  v("initialInterval", s.initial_interval);
  v("backoffCoefficient", s.backoff_coefficient);
  v("maximumInterval", s.maximum_interval);
  v("maximumAttempts", s.maximum_attempts);
  v("maximumAttemptsWithoutProgress", s.maximum_attempts_without_progress);
  v("nonRetryableErrorTypes", s.non_retryable_types);
}
template <class Self, class V>
void visit_timeouts(Self& s, V& v) {
  v("scheduleToStartTimeout", s.schedule_to_start);
  v("startToCloseTimeout", s.start_to_close);
  v("scheduleToCloseTimeout", s.schedule_to_close);
  v("heartbeatTimeout", s.heartbeat);
}

}  // namespace

void FieldEncoder::operator()(const char*, double v) { w_.varint(std::bit_cast<std::uint64_t>(v)); }
void FieldEncoder::operator()(const char*, const RetryPolicy& v) { visit_retry(v, *this); }
void FieldEncoder::operator()(const char*, const StepTimeouts& v) { visit_timeouts(v, *this); }

void FieldEncoder::operator()(const char*, const StoredPayload& v) {
  if (v.is_absent()) {
    w_.u8(1);
    w_.str(v.blob_hash);
    w_.varint(v.size);
  } else if (blob_ != nullptr && v.text.size() > kInlinePayloadBytes) {
    const std::string hash = v.blob_hash.empty() ? payload_hash(v.text) : v.blob_hash;
    w_.u8(1);
    w_.str(hash);
    w_.varint(v.text.size());
    (*blob_)(hash, v.text);
  } else {
    w_.u8(0);
    w_.str(v.text);
  }
}

void FieldEncoder::operator()(const char* name, const Failure& v) {
  w_.str(v.type);
  w_.str(v.message);
  w_.str(v.details);
  w_.u8(v.retryable ? 1 : 0);
  (*this)(name, v.next_retry_delay);
  w_.u8(v.cause ? 1 : 0);
  if (v.cause) (*this)(name, *v.cause);
}

void FieldDecoder::read(std::uint32_t& v) {
  const std::uint64_t n = r_.varint();
  if (n > std::numeric_limits<std::uint32_t>::max()) r_.fail("a number is out of range");
  v = static_cast<std::uint32_t>(n);
}
void FieldDecoder::read(double& v) { v = std::bit_cast<double>(r_.varint()); }
void FieldDecoder::read(RetryPolicy& v) {
  // Written whole by every version so far: within it nothing is left out.
  visit_retry(v, *this);
}
void FieldDecoder::read(StepTimeouts& v) { visit_timeouts(v, *this); }

void FieldDecoder::read(StoredPayload& v) {
  const std::uint8_t kind = r_.u8();
  if (kind == 0) {
    v.text = r_.str();
  } else if (kind == 1) {
    v.blob_hash = r_.str();
    v.size = r_.varint();
    if (v.blob_hash.size() != 32) r_.fail("a blob's hash has not 32 bytes");
  } else {
    r_.fail("a payload is of an unknown kind");
  }
}

void FieldDecoder::read(Failure& v) {
  if (++depth_ > kMaxCauses) r_.fail("a failure has too many causes");
  v.type = r_.str();
  v.message = r_.str();
  v.details = r_.str();
  v.retryable = r_.u8() != 0;
  read(v.next_retry_delay);
  if (r_.u8() != 0) {
    auto cause = std::make_shared<Failure>();
    read(*cause);
    v.cause = std::move(cause);
  }
  --depth_;
}

void FieldDecoder::read(std::map<std::string, std::string>& v) {
  const std::uint64_t n = count();
  v.clear();
  for (std::uint64_t i = 0; i < n; ++i) {
    std::string key(r_.str());
    v[std::move(key)] = r_.str();
  }
}

std::uint64_t FieldDecoder::count() {
  const std::uint64_t n = r_.varint();
  if (n > r_.left()) r_.fail("a list is longer than its bytes");
  return n;
}

}  // namespace millrace::engine
