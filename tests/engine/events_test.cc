// The stored form of events and records: golden bytes, round trips, and damage.
#include <catch2/catch.hpp>

#include <random>

#include "common/errors.h"
#include "engine/events/codec.h"
#include "engine/records/attempt_record.h"
#include "engine/records/rows.h"
#include "engine/records/run_record.h"

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

Failure some_failure() {
  auto cause = std::make_shared<Failure>();
  cause->type = "c";
  Failure f;
  f.type = "t";
  f.message = "m";
  f.details = "{}";
  f.retryable = false;
  f.next_retry_delay = Duration(5);
  f.cause = std::move(cause);
  return f;
}

// One of each, every field set to something that is not its default.
std::vector<Attributes> one_of_each() {
  std::vector<Attributes> all;
  events::WorkflowExecutionStarted s;
  s.workflow_type = "sync";
  s.workflow_id = "w";
  s.task_queue = "q";
  s.input = Payload("1");
  s.memo = Payload("2");
  s.execution_timeout = Duration(1);
  s.run_timeout = Duration(2);
  s.expiration = from_micros(3);
  s.retry.emplace();
  s.attempt = 2;
  s.initiator = "retry";
  s.continued_run_id = "a";
  s.first_run_id = "b";
  s.original_run_id = "c";
  s.parent_workflow_id = "d";
  s.parent_run_id = "e";
  s.parent_initiated_event_id = 9;
  s.first_turn_backoff = Duration(4);
  s.last_completion_result = Payload("5");
  s.continued_failure = some_failure();
  s.identity = "me";
  s.build_id = "0.1.0";
  s.reset_run_id = "f";
  s.reset_event_id = 6;
  all.emplace_back(s);
  events::WorkflowExecutionCompleted c;
  c.result = Payload("7");
  c.turn_event_id = 8;
  c.new_run_id = "n";
  all.emplace_back(c);
  events::WorkflowExecutionFailed f;
  f.failure = some_failure();
  f.turn_event_id = 8;
  f.retry_state = "TIMEOUT";
  f.new_run_id = "n";
  all.emplace_back(f);
  events::WorkflowExecutionCanceled x;
  x.details = Payload("1");
  x.turn_event_id = 8;
  all.emplace_back(x);
  events::WorkflowExecutionTimedOut to;
  to.retry_state = "TIMEOUT";
  to.new_run_id = "n";
  all.emplace_back(to);
  events::WorkflowExecutionTerminated te;
  te.reason = "r";
  te.details = Payload("1");
  te.identity = "me";
  all.emplace_back(te);
  events::WorkflowExecutionCancelRequested cr;
  cr.cause = "why";
  cr.identity = "me";
  cr.request_id = "id";
  cr.external_workflow_id = "xw";
  cr.external_run_id = "xr";
  cr.external_initiated_event_id = 3;
  all.emplace_back(cr);
  events::WorkflowTaskCompleted w;
  w.woken_by_event_id = 4;
  w.build_id = "0.1.0";
  w.flags = 1;
  all.emplace_back(w);
  events::ActivityTaskScheduled as;
  as.activity_id = "a-1";
  as.activity_type = "a";
  as.task_queue = "q";
  as.input = Payload("1");
  as.timeouts.heartbeat = Duration(1);
  as.timeouts.schedule_to_close = Duration(300);
  as.retry.maximum_attempts = 3;
  as.retry.non_retryable_types = {"x", "y"};
  as.priority = 2;
  as.fairness_key = "k";
  as.turn_event_id = 2;
  as.started_by = "p";
  all.emplace_back(as);
  events::ActivityTaskStarted st;
  st.scheduled_event_id = 3;
  st.attempt = 2;
  st.started = from_micros(77);
  st.identity = "p";
  st.last_failure = some_failure();
  all.emplace_back(st);
  events::ActivityTaskCompleted ac;
  ac.scheduled_event_id = 3;
  ac.started_event_id = 4;
  ac.result = Payload("1");
  ac.identity = "p";
  all.emplace_back(ac);
  events::ActivityTaskFailed af;
  af.scheduled_event_id = 3;
  af.started_event_id = 4;
  af.failure = some_failure();
  af.retry_state = RetryState::maximum_attempts_reached;
  af.identity = "p";
  all.emplace_back(af);
  events::ActivityTaskTimedOut at;
  at.scheduled_event_id = 3;
  at.started_event_id = 4;
  at.failure = some_failure();
  at.retry_state = RetryState::timeout;
  all.emplace_back(at);
  events::ActivityTaskCancelRequested acr;
  acr.scheduled_event_id = 3;
  acr.turn_event_id = 5;
  all.emplace_back(acr);
  events::ActivityTaskCanceled acx;
  acx.scheduled_event_id = 3;
  acx.started_event_id = 4;
  acx.cancel_requested_event_id = 6;
  acx.details = Payload("1");
  all.emplace_back(acx);
  events::TimerStarted ts;
  ts.timer_id = "timer-1";
  ts.start_to_fire = Duration(1'000'000);
  ts.fires = from_micros(2'000'000);
  ts.turn_event_id = 2;
  all.emplace_back(ts);
  events::TimerFired tf;
  tf.timer_id = "timer-1";
  tf.started_event_id = 3;
  all.emplace_back(tf);
  events::TimerCanceled tc;
  tc.timer_id = "timer-1";
  tc.started_event_id = 3;
  tc.turn_event_id = 4;
  all.emplace_back(tc);
  events::MarkerRecorded m;
  m.kind = events::MarkerKind::version;
  m.name = "p";
  m.details = Payload("1");
  m.turn_event_id = 2;
  m.failure = some_failure();
  all.emplace_back(m);
  events::WorkflowExecutionContinuedAsNew can;
  can.new_run_id = "n";
  can.input = Payload("1");
  can.turn_event_id = 2;
  all.emplace_back(can);
  events::WorkflowExecutionSignaled sig;
  sig.name = "s";
  sig.input = Payload("1");
  sig.identity = "me";
  sig.request_id = "r";
  sig.external_workflow_id = "xw";
  sig.external_run_id = "xr";
  sig.external_initiated_event_id = 3;
  all.emplace_back(sig);
  events::WorkflowExecutionUpdateAccepted ua;
  ua.update_id = "u";
  ua.name = "add";
  ua.input = Payload("1");
  ua.identity = "me";
  all.emplace_back(ua);
  events::WorkflowExecutionUpdateCompleted uc;
  uc.update_id = "u";
  uc.accepted_event_id = 3;
  uc.result = Payload("1");
  uc.failure = some_failure();
  uc.turn_event_id = 4;
  all.emplace_back(uc);
  events::StartChildInitiated sci;
  sci.workflow_id = "w-c1";
  sci.workflow_type = "t";
  sci.input = Payload("1");
  sci.parent_close_policy = ParentClosePolicy::abandon;
  sci.turn_event_id = 2;
  all.emplace_back(sci);
  events::StartChildFailed scf;
  scf.initiated_event_id = 3;
  scf.workflow_id = "w-c1";
  scf.failure = some_failure();
  all.emplace_back(scf);
  events::ChildStarted cs;
  cs.initiated_event_id = 3;
  cs.workflow_id = "w-c1";
  cs.run_id = "r";
  all.emplace_back(cs);
  events::ChildCompleted cc;
  cc.initiated_event_id = 3;
  cc.result = Payload("1");
  all.emplace_back(cc);
  const auto ended = [&](auto e) {
    e.initiated_event_id = 3;
    e.failure = some_failure();
    all.emplace_back(e);
  };
  ended(events::ChildFailed());
  ended(events::ChildCanceled());
  ended(events::ChildTimedOut());
  ended(events::ChildTerminated());
  ended(events::SignalExternalFailed());
  ended(events::RequestCancelExternalFailed());
  events::SignalExternalInitiated sei;
  sei.workflow_id = "w";
  sei.run_id = "r";
  sei.name = "s";
  sei.input = Payload("1");
  sei.turn_event_id = 2;
  all.emplace_back(sei);
  events::ExternalSignaled es;
  es.initiated_event_id = 3;
  all.emplace_back(es);
  events::RequestCancelExternalInitiated rci;
  rci.workflow_id = "w";
  rci.run_id = "r";
  rci.child_initiated_event_id = 2;
  rci.turn_event_id = 3;
  all.emplace_back(rci);
  events::ExternalCancelRequested ecr;
  ecr.initiated_event_id = 3;
  all.emplace_back(ecr);
  return all;
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

}  // namespace

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
        "0139");
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
