// The frame of all single-row records of the engine: u8 version, then the fields in the order of their visit()
// (codec/fields.h). Fields are only added at the end; a reader of this version takes older rows as they are and refuses
// a greater version (store.newer_format).
#pragma once

#include <string>
#include <string_view>

#include "common/errors.h"
#include "engine/codec/fields.h"

namespace millrace::engine {

template <class T>
std::string encode_record(const T& record) {
  Writer w;
  w.bytes().reserve(192);
  w.u8(T::kVersion);
  encode_fields(record, w);
  return w.take();
}

template <class T>
T decode_record(std::string_view bytes) {
  Reader r(bytes, T::kWhat);
  const std::uint8_t version = r.u8();
  if (version > T::kVersion)
    throw Error("store.newer_format", std::string(T::kWhat) + " of version " + std::to_string(version));
  if (version == 0) r.fail("its version is 0");
  T record;
  decode_fields(record, r);
  return record;
}

}  // namespace millrace::engine
