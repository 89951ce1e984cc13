// How a struct becomes stored bytes, comes back, and is shown: once written, three times used.
//
// A stored struct names its fields in one function
//
//   template <class Self, class V> static void visit(Self& s, V& v) { v("activityId", s.activity_id); ... }
//
// and FieldEncoder, FieldDecoder and FieldJson each walk it. Stored form: the fields one after the other in that order,
// without names. Rules that keep old bytes readable: fields are only added, at the end; a retired one stays as a
// placeholder. A reader takes bytes that end at a field's border for an older writer's and leaves the rest as it is
// made; it skips bytes behind the last field it knows (a newer writer's).
//
//   bool u8 · u32, u64, enum varint · string str · times and durations zigzag microseconds
//   optional  u8 0, or u8 1 and the value · vector, map  varint count, then the values
//   payload   u8 0, str  or  u8 1, str SHA-256, varint size (the text lies in the blob of that hash)
//   failure   str type, message, details; bool retryable; optional delay; u8 1 and the cause, or u8 0
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "engine/codec/payload.h"
#include "engine/codec/wire.h"
#include "engine/options.h"

namespace millrace::engine {

class FieldEncoder {
 public:
  // `blob` is handed each payload that goes out of line, with its hash.
  using BlobSink = std::function<void(const std::string& hash, const Payload& text)>;
  FieldEncoder(Writer& writer, const BlobSink* blob) : w_(writer), blob_(blob) {}

  void operator()(const char*, bool v) { w_.u8(v ? 1 : 0); }
  void operator()(const char*, std::uint32_t v) { w_.varint(v); }
  void operator()(const char*, std::uint64_t v) { w_.varint(v); }
  void operator()(const char*, double v);
  void operator()(const char*, const std::string& v) { w_.str(v); }
  void operator()(const char*, WallTime v) { w_.zigzag(to_micros(v)); }
  void operator()(const char*, Duration v) { w_.zigzag(v.count()); }
  void operator()(const char*, const StoredPayload& v);
  void operator()(const char*, const Failure& v);
  void operator()(const char*, const RetryPolicy& v);
  void operator()(const char*, const StepTimeouts& v);
  template <class E>
    requires std::is_enum_v<E>
  void operator()(const char*, E v) {
    w_.varint(static_cast<std::uint64_t>(v));
  }
  template <class T>
  void operator()(const char* name, const std::optional<T>& v) {
    w_.u8(v ? 1 : 0);
    if (v) (*this)(name, *v);
  }
  template <class T>
  void operator()(const char* name, const std::vector<T>& v) {
    w_.varint(v.size());
    for (const T& x : v) (*this)(name, x);
  }
  void operator()(const char* name, const std::map<std::string, std::string>& v) {
    w_.varint(v.size());
    for (const auto& [k, x] : v) {
      (*this)(name, k);
      (*this)(name, x);
    }
  }

 private:
  Writer& w_;
  const BlobSink* blob_;
};

class FieldDecoder {
 public:
  explicit FieldDecoder(Reader& reader) : r_(reader) {}

  template <class T>
  void operator()(const char*, T& v) {
    if (!r_.empty()) read(v);
  }

 private:
  void read(bool& v) { v = r_.u8() != 0; }
  void read(std::uint32_t& v);
  void read(std::uint64_t& v) { v = r_.varint(); }
  void read(double& v);
  void read(std::string& v) { v = r_.str(); }
  void read(WallTime& v) { v = from_micros(r_.zigzag()); }
  void read(Duration& v) { v = Duration(r_.zigzag()); }
  void read(StoredPayload& v);
  void read(Failure& v);
  void read(RetryPolicy& v);
  void read(StepTimeouts& v);
  template <class E>
    requires std::is_enum_v<E>
  void read(E& v) {
    const std::uint64_t n = r_.varint();
    if (n > 0xff) r_.fail("an enum value is out of range");
    v = static_cast<E>(n);
  }
  template <class T>
  void read(std::optional<T>& v) {
    v.reset();
    if (r_.u8() != 0) read(v.emplace());
  }
  template <class T>
  void read(std::vector<T>& v) {
    const std::uint64_t n = count();
    v.clear();
    for (std::uint64_t i = 0; i < n; ++i) read(v.emplace_back());
  }
  void read(std::map<std::string, std::string>& v);
  // Each element has at least one byte: what claims more than there is, is damaged.
  std::uint64_t count();

  Reader& r_;
  int depth_ = 0;
};

template <class T>
void encode_fields(const T& value, Writer& w, const FieldEncoder::BlobSink* blob = nullptr) {
  FieldEncoder e(w, blob);
  T::visit(value, e);
}
template <class T>
void decode_fields(T& value, Reader& r) {
  FieldDecoder d(r);
  T::visit(value, d);
}

}  // namespace millrace::engine
