#include "cli/job_view.h"

#include <cmath>
#include <iostream>
#include <regex>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/context.h"
#include "cli/output.h"

namespace millrace::cli {
namespace {

const Json kNothing = Json::array();

const Json& list_of(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_array() ? *it : kNothing;
}

double number(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_number() ? it->get<double>() : 0;
}

// What a failure says: {title?, message, code|type, details{detail, remedy}}.
struct FailureText {
  FailureText() = default;
  std::string title, detail, remedy, code;
};

FailureText failure_text(const Json& failure) {
  FailureText text;
  if (!failure.is_object()) return text;
  text.code = plain(failure, "code");
  if (text.code.empty()) text.code = plain(failure, "type");
  text.title = plain(failure, "title");
  text.detail = plain(failure, "detail");
  text.remedy = plain(failure, "remedy");
  const auto details = failure.find("details");
  if (details != failure.end() && details->is_object()) {
    if (text.title.empty()) text.title = plain(*details, "title");
    if (text.detail.empty()) text.detail = plain(*details, "detail");
    if (text.remedy.empty()) text.remedy = plain(*details, "remedy");
  }
  if (text.detail.empty()) text.detail = plain(failure, "message");
  if (text.title.empty()) text.title = text.detail;
  return text;
}

std::string stream_name(const Json& s) {
  const std::string ns = plain(s, "namespace");
  return ns.empty() ? plain(s, "name") : ns + "." + plain(s, "name");
}

}  // namespace

std::string duration_text(const std::string& iso) {
  static const std::regex kForm(R"(PT(?:([0-9]+)H)?(?:([0-9]+)M)?(?:([0-9.]+)S)?)");
  std::smatch m;
  if (!std::regex_match(iso, m, kForm)) return iso;
  const double seconds = (m[1].matched ? std::stod(m[1]) * 3600 : 0) + (m[2].matched ? std::stod(m[2]) * 60 : 0) +
                         (m[3].matched ? std::stod(m[3]) : 0);
  if (seconds < 60) return fmt::format("{:.3g} s", seconds);
  if (seconds < 3600) return fmt::format("{:.0f} min {:.0f} s", std::floor(seconds / 60), std::fmod(seconds, 60));
  return fmt::format("{:.0f} h {:.0f} min", std::floor(seconds / 3600), std::floor(std::fmod(seconds, 3600) / 60));
}

std::string job_line(const Json& job) {
  std::string line = "job " + plain(job, "jobId") + " " + plain(job, "status");
  const Json& streams = list_of(job, "streams");
  if (!streams.empty()) {
    int done = 0;
    for (const Json& s : streams) {
      const std::string status = plain(s, "status");
      if (status == "succeeded" || status == "complete" || status == "completed") ++done;
    }
    line += fmt::format(": {} of {} streams, {} rows, {}", done, streams.size(), human_count(number(job, "rowsSynced")),
                        human_bytes(number(job, "bytesSynced")));
  }
  if (const std::string took = duration_text(plain(job, "duration")); !took.empty()) line += " in " + took;
  return line;
}

void print_job(const Json& job) {
  std::cout << job_line(job) << '\n';
  for (const auto& [label, name] :
       {std::pair("type", "jobType"), std::pair("connection", "connectionId"), std::pair("started", "startTime"),
        std::pair("workflow", "workflowId"), std::pair("run", "runId")}) {
    if (const std::string value = plain(job, name); !value.empty())
      std::cout << fmt::format("  {:<11} {}\n", label, value);
  }
  if (const auto replay = job.find("replay"); replay != job.end() && replay->is_object()) {
    std::string what = plain(*replay, "mode") + " of job " + plain(*replay, "jobId");
    if (const std::string step = plain(*replay, "step"); !step.empty()) what += " at step " + step;
    if (const std::string event = plain(*replay, "eventId"); !event.empty()) what += " behind event " + event;
    what += ", asked for by " + plain(*replay, "principal");
    if (const std::string reason = plain(*replay, "reason"); !reason.empty()) what += ": " + reason;
    std::cout << fmt::format("  {:<11} {}\n", "replay", what);
  }
  const Json& streams = list_of(job, "streams");
  if (!streams.empty()) {
    std::cout << "\n";
    print_table(streams,
                {Column("STREAM", stream_name), field("STATUS", "status"),
                 Column("READ", [](const Json& s) { return human_count(number(s, "rowsRead")); }),
                 Column("COMMITTED", [](const Json& s) { return human_count(number(s, "rowsCommitted")); }),
                 Column("BYTES", [](const Json& s) { return human_bytes(number(s, "bytesCommitted")); }),
                 Column("WHY",
                        [](const Json& s) {
                          return s.contains("failure") ? failure_text(s["failure"]).title : std::string();
                        })},
                false);
  }
  const Json& steps = list_of(job, "steps");
  if (!steps.empty()) {
    std::cout << "\n";
    print_table(steps,
                {field("STEP", "name"), field("STATUS", "status"),
                 Column("ATTEMPTS",
                        [](const Json& s) {
                          const auto it = s.find("attempts");
                          if (it == s.end()) return std::string();
                          return it->is_array() ? std::to_string(it->size()) : plain(*it);
                        }),
                 Column("WHY",
                        [](const Json& s) {
                          return s.contains("failure") ? failure_text(s["failure"]).title : std::string();
                        })},
                false);
  }
  std::cout << std::flush;
}

void print_job_failure(const Json& job) {
  const std::string status = plain(job, "status");
  if (status == "cancelled") {
    print_error("job " + plain(job, "jobId") + " was cancelled", "", "", "");
    return;
  }
  if (status != "failed") return;
  const auto failure = job.find("failure");
  const FailureText text = failure == job.end() ? FailureText() : failure_text(*failure);
  std::string detail = text.title;
  if (!text.detail.empty() && text.detail != text.title) detail += ": " + text.detail;
  std::string remedy = text.remedy, code = text.code;
  for (const Json& s : list_of(job, "streams")) {
    if (!s.contains("failure") || !s["failure"].is_object()) continue;
    const FailureText own = failure_text(s["failure"]);
    detail += "\n  " + stream_name(s) + ": " + own.title +
              (own.detail.empty() || own.detail == own.title ? "" : ": " + own.detail);
    if (!own.code.empty()) detail += " (" + own.code + ")";
    if (!own.remedy.empty() && remedy != own.remedy) detail += "\n    " + own.remedy;
  }
  print_error(
      "job " + plain(job, "jobId") + " failed" + (job.value("partial", false) ? ", some streams are complete" : ""),
      detail, remedy, code);
}

}  // namespace millrace::cli
