// The file form of a history: what is written comes back, and what is no such file is refused with its line.
#include <catch2/catch.hpp>

#include "common/errors.h"
#include "engine/events/codec.h"
#include "engine/export_format.h"
#include "tests/engine/event_samples.h"

namespace millrace::engine {
namespace {

const std::string kHeader =
    R"({"format":"millrace.history/1","workflowId":"w","runId":"r","type":"t","status":"Failed","startTime":"2026-01-02T03:04:05.000006Z"})";
const std::string kFirst =
    R"({"id":1,"time":"2026-01-02T03:04:05.000006Z","type":"WORKFLOW_EXECUTION_STARTED","attributes":{"workflowType":"t","workflowId":"w"}})";

std::string refusal(const std::string& text) {
  try {
    (void)read_export(text);
  } catch (const Error& e) {
    CHECK(e.code() == "history.invalid");
    return e.detail();
  }
  return {};
}

}  // namespace

TEST_CASE("every type of event comes back from its exported line as it was") {
  std::uint64_t id = 1;
  ExportReader reader;
  for (const Attributes& a : one_of_each()) {
    const HistoryEvent event(id++, from_micros(1'700'000'000'123'456), a);
    const auto back = reader.line(export_event_line(event));
    REQUIRE(back.has_value());
    std::vector<HistoryEvent> one{event}, other{*back};
    INFO(export_event_line(event));
    CHECK(encode_events(one, nullptr) == encode_events(other, nullptr));
    CHECK(export_event_line(view_of(event)) == export_event_line(*back));
  }
}

TEST_CASE("an exported file says whose history it is, with and without its header line") {
  ExportHeader header;
  header.workflow_id = "w";
  header.run_id = "r";
  header.type = "t";
  header.status = ExecutionStatus::failed;
  header.started = *parse_time("2026-01-02T03:04:05.000006Z");
  CHECK(export_header_line(header) == kHeader);
  const ExportedHistory with = read_export(kHeader + "\n" + kFirst + "\n");
  CHECK(with.header.run_id == "r");
  CHECK(with.header.status == ExecutionStatus::failed);
  CHECK(with.events.size() == 1);
  const ExportedHistory without = read_export("\n" + kFirst);
  CHECK(without.header.workflow_id == "w");
  CHECK(without.header.type == "t");
  CHECK(without.header.run_id.empty());
}

TEST_CASE("what is no exported history is refused with the line and the reason") {
  CHECK(refusal("") == "it holds no event");
  CHECK(refusal(kHeader + "\nnonsense") == "line 2: it is no JSON object");
  CHECK(refusal(kFirst + "\n" + kFirst) == "line 2: event 1 follows event 1");
  CHECK(refusal(kFirst + "\n" + R"({"id":2,"time":"2026-01-02T03:04:05Z","type":"X"})") ==
        "line 2: this build knows no event type 'X'");
  CHECK(refusal(kFirst + "\n" + R"({"id":2,"time":"soon","type":"TIMER_FIRED"})").find("the field time") !=
        std::string::npos);
  CHECK(refusal(R"({"format":"millrace.history/9"})").find("unknown to this build") != std::string::npos);
}

}  // namespace millrace::engine
