// The stored form of events that were written together: one value under keys::history(branch, first event id).
//
//   u8      version, 1
//   u32 be  CRC-32C of everything behind it
//   varint  id of the first event; the others follow densely
//   varint  number of events
//   zigzag  time of the first event, microseconds since the epoch
//   for each event:
//     varint  type (events/types.h)
//     u8      flags; bit 0: a reader that does not know the type may skip it
//     zigzag  time minus that of the event before it
//     str     body: the fields of the event in the order of its visit() (codec/fields.h)
//
// tests/engine/events_test.cc holds golden bytes of each type.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/codec/fields.h"
#include "engine/events/event.h"

namespace millrace::engine {

inline constexpr std::uint8_t kEventBatchVersion = 1;

// `events`: at least one, ids dense. Payloads above kInlinePayloadBytes go to `blob` (null: all stay in line).
std::string encode_events(const std::vector<HistoryEvent>& events, const FieldEncoder::BlobSink* blob);
// Throws store.corrupt; store.newer_format for a version or an event type of a later build.
std::vector<HistoryEvent> decode_events(std::string_view bytes);

}  // namespace millrace::engine
