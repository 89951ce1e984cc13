#include "cli/progress.h"

#include <unistd.h>

#include <cstdlib>
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/output.h"

namespace millrace::cli {
namespace {

constexpr Duration kLineEvery = std::chrono::seconds(10);

double number(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it != object.end() && it->is_number() ? it->get<double>() : 0;
}

struct Totals {
  Totals() = default;
  double rows = 0, bytes = 0, expected = 0;
  int streams = 0, done = 0;
  bool unknown = false;  // a stream that nobody knows the size of is still to come
};

Totals totals_of(const Json& job) {
  Totals t;
  const auto streams = job.find("streams");
  if (streams == job.end() || !streams->is_array()) return t;
  for (const Json& s : *streams) {
    ++t.streams;
    const std::string status = plain(s, "status");
    if (status == "succeeded" || status == "complete" || status == "completed") ++t.done;
    // What is read, not what is committed: it moves within a split as well.
    t.rows += number(s, "rowsRead");
    t.bytes += number(s, "bytesRead");
    // An estimate is one: what is complete is as much as it turned out to be.
    t.expected += std::max(number(s, "rowsEstimate"), number(s, "rowsRead"));
    if (!s.contains("rowsEstimate") && status == "pending") t.unknown = true;
  }
  return t;
}

}  // namespace

Progress::Progress(Runtime runtime, bool quiet)
    : runtime_(std::move(runtime)),
      quiet_(quiet),
      terminal_(::isatty(STDERR_FILENO) != 0),
      colour_(terminal_ && std::getenv("NO_COLOR") == nullptr),
      begun_(runtime_.mono()),
      last_line_(begun_) {}

void Progress::show(const Json& job) {
  if (quiet_) return;
  const MonoTime now = runtime_.mono();
  if (!terminal_ && now - last_line_ < kLineEvery) return;
  last_line_ = now;
  const Totals t = totals_of(job);
  const double seconds = std::max(0.001, to_seconds(now - begun_));
  if (rows_at_first_ < 0) rows_at_first_ = t.rows;  // what was read before anybody looked is no part of the rate
  std::string text = fmt::format("job {} {}: {}/{} streams, {} rows, {}, {} rows/s", plain(job, "jobId"),
                                 plain(job, "status"), t.done, t.streams, human_count(t.rows), human_bytes(t.bytes),
                                 human_count(std::max(0., t.rows - rows_at_first_) / seconds));
  if (!terminal_) {
    std::cerr << text << std::endl;
    return;
  }
  if (t.expected > 0 && !t.unknown) {
    constexpr int kWidth = 24;
    const double part = std::min(1.0, t.rows / t.expected);
    const int full = static_cast<int>(part * kWidth);
    std::string bar = "[" + std::string(static_cast<std::size_t>(full), '#') +
                      std::string(static_cast<std::size_t>(kWidth - full), '.') + "]";
    if (colour_) bar = "\033[36m" + bar + "\033[0m";
    text = fmt::format("{} {:3.0f} % {}", bar, part * 100, text);
  }
  std::cerr << "\r\033[K" << text << std::flush;
  bar_shown_ = true;
}

void Progress::clear() {
  if (bar_shown_) std::cerr << "\r\033[K" << std::flush;
  bar_shown_ = false;
}

}  // namespace millrace::cli
