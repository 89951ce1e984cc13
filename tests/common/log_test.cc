#include "common/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <limits>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "common/time_point.h"

namespace millrace::testing {
namespace {

// What `f` writes to stderr.
template <class F>
std::string captured(F f) {
  char name[] = "/tmp/millrace-log-XXXXXX";
  const int file = ::mkstemp(name);
  REQUIRE(file >= 0);
  const int stderr_copy = ::dup(2);
  ::dup2(file, 2);
  f();
  ::dup2(stderr_copy, 2);
  ::close(stderr_copy);
  ::close(file);
  std::ifstream in(name);
  std::string text(std::istreambuf_iterator<char>(in), {});
  ::unlink(name);
  return text;
}

LogOptions options(LogLevel level, bool json) {
  LogOptions o;
  o.level = level;
  o.json = json;
  return o;
}

struct Restore {
  ~Restore() { set_up_logging(options(LogLevel::warn, false)); }
};

}  // namespace

TEST_CASE("a JSON line is JSON, whatever the values hold") {
  Restore restore;
  set_up_logging(options(LogLevel::info, true));
  const std::string nasty = std::string("quote \" back \\ line\nnul ") + '\0' + " tab\t";
  const auto text = captured([&] {
    log_info("sync started", {{"text", nasty},
                              {"latin1", "gr\xfc\xdf"},
                              {"utf8", "grüß 漢 🚀"},
                              {"cut", "\xe6\xbc"},
                              {"surrogate", "\xed\xa0\x80"},
                              {"rows", 42},
                              {"done", true},
                              {"rate", 0.5},
                              {"infinite", std::numeric_limits<double>::infinity()},
                              {"brace", "{} {0}"}});
  });
  REQUIRE_FALSE(text.empty());
  CHECK(text.back() == '\n');
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  const auto line = nlohmann::json::parse(text);
  CHECK(line["event"] == "sync started");
  CHECK(line["level"] == "info");
  CHECK(parse_time(line["time"].get<std::string>()).has_value());
  CHECK(line["text"] == nasty);
  CHECK(line["latin1"] == "gr\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(line["utf8"] == "grüß 漢 🚀");
  CHECK(line["cut"].get<std::string>().find("\xef\xbf\xbd") == 0);
  CHECK(line["rows"] == 42);
  CHECK(line["done"] == true);
  CHECK(line["rate"] == 0.5);
  CHECK(line["infinite"] == "inf");
  CHECK(line["brace"] == "{} {0}");
}

TEST_CASE("a text line quotes only what needs it") {
  Restore restore;
  set_up_logging(options(LogLevel::info, false));
  const auto text = captured([] { log_warn("retry", {{"plain", "a"}, {"spaced", "a b"}, {"n", 3}}); });
  CHECK_THAT(text,
             Catch::Matchers::Contains("warn") && Catch::Matchers::Contains("retry plain=a spaced=\"a b\" n=3\n"));
}

TEST_CASE("lines below the level are dropped") {
  Restore restore;
  set_up_logging(options(LogLevel::warn, false));
  CHECK(captured([] { log_info("quiet"); }).empty());
  CHECK_FALSE(captured([] { log_error("loud"); }).empty());
  set_up_logging(options(LogLevel::off, false));
  CHECK(captured([] { log_error("quiet"); }).empty());
  CHECK(parse_log_level("debug") == LogLevel::debug);
  CHECK(parse_log_level("nonsense") == LogLevel::info);
}

}  // namespace millrace::testing
