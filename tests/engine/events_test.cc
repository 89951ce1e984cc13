// The stored form of events and records: golden bytes, round trips, and damage.
#include <catch2/catch.hpp>

#include <random>

#include "common/byte_order.h"
#include "common/errors.h"
#include "engine/events/codec.h"
#include "engine/records/attempt_record.h"
#include "engine/records/rows.h"
#include "engine/records/run_record.h"
#include "tests/engine/event_samples.h"

namespace millrace::engine {
namespace {

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string encoded(const Attributes& a) {
  std::vector<HistoryEvent> events;
  events.emplace_back(7, from_micros(1'000), a);
  return encode_events(events, nullptr);
}

// Behind the batch's version and checksum.
const std::map<EventType, std::string> kGolden = {
#include "tests/engine/golden_events.inc"
};

// What earlier builds have written, of types that have had fields added since.
const std::pair<EventType, std::string> kBefore[] = {
#include "tests/engine/golden_events_before.inc"
};

std::string from_hex(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    out += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  return out;
}

}  // namespace

TEST_CASE("events of earlier builds are read, with what was added since as its default") {
  for (const auto& [type, line] : kBefore) {
    const std::string body = from_hex(line);
    std::string bytes("\x01\0\0\0\0", 5);
    bytes += body;
    to_big_endian(crc32c(body), bytes.data() + 1);
    const auto events = decode_events(bytes);
    REQUIRE(events.size() == 1);
    CHECK(type_of(events[0]) == type);
    CHECK(encode_events(events, nullptr).size() > bytes.size());
  }
}

TEST_CASE("each type of event has the bytes it always had") {
  const auto all = one_of_each();
  CHECK(all.size() == std::variant_size_v<Attributes>);
  for (const Attributes& a : all) {
    const std::string bytes = encoded(a);
    INFO("{EventType(" << static_cast<int>(type_of(a)) << "), \"" << hex(bytes.substr(5)) << "\"},");
    const auto golden = kGolden.find(type_of(a));
    CHECK((golden != kGolden.end() && golden->second == hex(bytes.substr(5))));
    CHECK(bytes[0] == 1);
  }
}

TEST_CASE("each event comes back as it was written") {
  for (const Attributes& a : one_of_each()) {
    const auto back = decode_events(encoded(a));
    REQUIRE(back.size() == 1);
    CHECK(back[0].id == 7);
    CHECK(to_micros(back[0].time) == 1'000);
    CHECK(encoded(back[0].attributes) == encoded(a));
    CHECK(view_of(back[0]).attributes == view_of(HistoryEvent(7, from_micros(1'000), a)).attributes);
  }
}

TEST_CASE("an event is shown under Temporal's names") {
  const auto all = one_of_each();
  const EventView v = view_of(HistoryEvent(3, from_micros(0), all[10]));
  CHECK(v.type == "ACTIVITY_TASK_COMPLETED");
  CHECK(v.attributes == R"({"scheduledEventId":3,"startedEventId":4,"result":1,"identity":"p"})");
}

TEST_CASE("a payload above 64 KiB lies in a blob under its hash") {
  events::WorkflowExecutionCompleted c;
  c.result = Payload(kInlinePayloadBytes + 1, 'x');
  std::map<std::string, Payload> blobs;
  const FieldEncoder::BlobSink sink = [&](const std::string& hash, const Payload& text) { blobs[hash] = text; };
  std::vector<HistoryEvent> events;
  events.emplace_back(1, from_micros(0), c);
  const std::string bytes = encode_events(events, &sink);
  CHECK(bytes.size() < 100);
  REQUIRE(blobs.size() == 1);
  CHECK(blobs.begin()->first == payload_hash(c.result.text));
  const auto back = decode_events(bytes);
  const auto& result = std::get<events::WorkflowExecutionCompleted>(back[0].attributes).result;
  CHECK(result.is_absent());
  CHECK(result.size == kInlinePayloadBytes + 1);
}

TEST_CASE("a bit that flips anywhere in a batch is found") {
  const std::string good = encoded(one_of_each()[8]);
  for (std::size_t i = 1; i < good.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << bit));
      CHECK_THROWS_AS(decode_events(bad), Error);
    }
  }
  for (std::size_t n = 0; n < good.size(); ++n) CHECK_THROWS_AS(decode_events(good.substr(0, n)), Error);
}

TEST_CASE("any bytes are either decoded or refused") {
  std::mt19937_64 random(1);
  const auto all = one_of_each();
  for (int n = 0; n < 20'000; ++n) {
    std::string bytes = encoded(all[random() % all.size()]);
    for (std::uint64_t i = random() % 4; i < 5; ++i)
      bytes[5 + random() % (bytes.size() - 5)] = static_cast<char>(random());
    if (random() % 3 == 0) bytes.resize(5 + random() % (bytes.size() - 4));
    // With a right checksum, so that the fields are reached.
    const std::uint32_t crc = crc32c(std::string_view(bytes).substr(5));
    for (int i = 0; i < 4; ++i) bytes[1 + static_cast<std::size_t>(i)] = static_cast<char>(crc >> (24 - 8 * i));
    try {
      (void)decode_events(bytes);
    } catch (const Error& e) {
      const bool expected = e.code() == "store.corrupt" || e.code() == "store.newer_format";
      if (!expected) FAIL(e.what());
    }
  }
}

TEST_CASE("a scheduled step of before there were limit keys is read as one without") {
  // What golden_events.inc held until the event got its last two fields.
  const auto bytes = [](std::string_view hex_text) {
    std::string out;
    for (std::size_t i = 0; i < hex_text.size(); i += 2)
      out += static_cast<char>(std::stoi(std::string(hex_text.substr(i, 2)), nullptr, 16));
    return out;
  };
  const std::string old =
      bytes("03612d3101610171000131000001d804010280897a808080808080808040000300020178017902016b020170");
  Reader reader(old, "a step");
  events::ActivityTaskScheduled s;
  decode_fields(s, reader);
  CHECK(s.fairness_key == "k");
  CHECK(s.started_by == "p");
  CHECK(s.limit_keys.empty());
  CHECK(!s.fairness_weight);
}

TEST_CASE("an older writer's event lacks the last fields, a newer one's has more") {
  Writer w;
  events::ActivityTaskScheduled s;
  s.activity_id = "a-1";
  s.activity_type = "a";
  encode_fields(s, w);
  std::string older = w.bytes().substr(0, 6), newer = w.bytes() + "more";
  for (const std::string& bytes : {older, newer}) {
    Reader r(bytes, "an event");
    events::ActivityTaskScheduled back;
    decode_fields(back, r);
    CHECK(back.activity_id == "a-1");
    CHECK(back.activity_type == "a");
    CHECK(back.started_by.empty());
  }
}

TEST_CASE("a batch or an event of a later build is refused as such, not as damage") {
  std::string bytes = encoded(one_of_each()[0]);
  bytes[0] = 2;
  try {
    (void)decode_events(bytes);
    FAIL("accepted");
  } catch (const Error& e) {
    CHECK(e.code() == "store.newer_format");
  }
}

TEST_CASE("the checksum is CRC-32C") {
  CHECK(crc32c("123456789") == 0xe3069283U);  // RFC 3720, appendix B.4, and the catalogue of CRCs
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aaU);
}

TEST_CASE("records have the bytes they always had, and come back") {
  RunRecord r;
  r.version = 3;
  r.workflow_id = "w";
  r.type = "sync";
  r.status = ExecutionStatus::failed;
  r.started = from_micros(1);
  r.closed = from_micros(2);
  r.history_length = 4;
  r.history_bytes = 5;
  r.last_batch = 3;
  r.memo = "{}";
  r.failure = some_failure();
  CHECK(hex(encode_record(r)) ==
        "01"
        "03"
        "0177"
        "0473796e63"
        "02"
        "02"
        "0104"
        "00"
        "04"
        "05"
        "03"
        "027b7d"
        "01"
        "0174"
        "016d"
        "027b7d"
        "00"
        "010a"
        "01"
        "0163"
        "00"
        "00"
        "01"
        "00"
        "00"
        "00"
        "00"
        "00"
        "00"
        "00"
        "00"
        "00"
        "00"
        "00"
        "00"
        "00"
        "00"
        "00"
        "00");
  CHECK(encode_record(decode_record<RunRecord>(encode_record(r))) == encode_record(r));
  AttemptRecord a;
  a.started = from_micros(1);
  a.process = "p";
  a.outcome = AttemptOutcome::failed;
  a.ended = from_micros(2);
  a.failure = some_failure();
  a.counted = 2;
  a.failures_without_progress = 1;
  a.heartbeat = "9";
  CHECK(hex(encode_record(a)) ==
        "01"
        "02"
        "0170"
        "02"
        "0104"
        "01"
        "0174"
        "016d"
        "027b7d"
        "00"
        "010a"
        "01"
        "0163"
        "00"
        "00"
        "01"
        "00"
        "00"
        "02"
        "01"
        "01"
        "0139"
        "00"
        "00");
  CHECK(encode_record(decode_record<AttemptRecord>(encode_record(a))) == encode_record(a));
  CurrentRow current;
  current.run_id = "r";
  CHECK(hex(encode_record(current)) == "010172");
  OpenRow open;
  open.crashes = 2;
  CHECK(hex(encode_record(open)) == "0102");
  DedupeRow dedupe;
  dedupe.workflow_id = "w";
  dedupe.run_id = "r";
  dedupe.digest = "d";
  dedupe.time = from_micros(1);
  CHECK(hex(encode_record(dedupe)) == "0101770172016402");
  TimerRow timer;
  timer.kind = TimerKind::retry;
  timer.event_id = 3;
  timer.attempt = 2;
  CHECK(hex(encode_record(timer)) == "01020302");
  CheckpointRow checkpoint;
  checkpoint.attempt = 1;
  checkpoint.time = from_micros(1);
  checkpoint.state = "s";
  CHECK(hex(encode_record(checkpoint)) == "0101020173");
  LogRow log;
  log.time = from_micros(1);
  log.level = LogLevel::warn;
  log.step = "a";
  log.text = "t";
  CHECK(hex(encode_record(log)) == "01020201610174");
}

}  // namespace millrace::engine
