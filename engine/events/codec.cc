#include "engine/events/codec.h"

#include <utility>

#include "common/byte_order.h"
#include "common/check.h"
#include "common/errors.h"

namespace millrace::engine {
namespace {

constexpr std::uint64_t kSkippable = 1;
constexpr std::size_t kHeader = 5;

// Finds the alternative whose kType is `type` and decodes into it.
template <std::size_t I = 0>
bool decode_body(EventType type, std::string_view body, Attributes& out) {
  if constexpr (I == std::variant_size_v<Attributes>) {
    return false;
  } else {
    using T = std::variant_alternative_t<I, Attributes>;
    if (T::kType != type) return decode_body<I + 1>(type, body, out);
    Reader reader(body, "an event");
    decode_fields(out.emplace<I>(), reader);
    return true;
  }
}

}  // namespace

std::string encode_events(const std::vector<HistoryEvent>& events, const FieldEncoder::BlobSink* blob) {
  check(!events.empty(), "a history batch holds at least one event");
  Writer w;
  w.bytes().reserve(256);
  w.u8(kEventBatchVersion);
  w.raw(std::string_view("\0\0\0\0", 4));
  w.varint(events.front().id);
  w.varint(events.size());
  w.zigzag(to_micros(events.front().time));
  std::int64_t before = to_micros(events.front().time);
  Writer body;
  for (const HistoryEvent& e : events) {
    body.bytes().clear();
    std::visit([&](const auto& a) { encode_fields(a, body, blob); }, e.attributes);
    w.varint(static_cast<std::uint64_t>(type_of(e)));
    w.u8(0);
    w.zigzag(to_micros(e.time) - before);
    before = to_micros(e.time);
    w.str(body.bytes());
  }
  to_big_endian(crc32c(std::string_view(w.bytes()).substr(kHeader)), w.bytes().data() + 1);
  return w.take();
}

std::vector<HistoryEvent> decode_events(std::string_view bytes) {
  Reader r(bytes, "a batch of history events");
  const std::uint8_t version = r.u8();
  if (version > kEventBatchVersion)
    throw Error("store.newer_format", "a history batch of version " + std::to_string(version));
  if (version == 0) r.fail("its version is 0");
  const auto crc = from_big_endian<std::uint32_t>(r.raw(4).data());
  if (crc != crc32c(bytes.substr(kHeader))) r.fail("its checksum does not match");
  const std::uint64_t first = r.varint();
  const std::uint64_t count = r.varint();
  if (count == 0 || count > r.left()) r.fail("its count of events is wrong");
  if (first == 0 || first + count < first) r.fail("its first event id is wrong");
  auto time = static_cast<std::uint64_t>(r.zigzag());
  std::vector<HistoryEvent> events;
  events.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::uint64_t type = r.varint();
    const std::uint8_t flags = r.u8();
    time += static_cast<std::uint64_t>(r.zigzag());
    const std::string_view body = r.str();
    HistoryEvent e;
    e.id = first + i;
    e.time = from_micros(static_cast<std::int64_t>(time));
    if (type > 0xff || !decode_body(static_cast<EventType>(type), body, e.attributes)) {
      if ((flags & kSkippable) != 0) continue;
      throw Error("store.newer_format", "an event of type " + std::to_string(type));
    }
    events.push_back(std::move(e));
  }
  if (!r.empty()) r.fail("bytes follow its last event");
  return events;
}

}  // namespace millrace::engine
