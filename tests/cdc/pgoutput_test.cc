#include "cdc/pgoutput.h"

#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "common/errors.h"

using namespace millrace;
using cdc::describe;
using cdc::PgMessage;
using cdc::PgOutputDecoder;

namespace {

std::string unhex(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    out += static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16));
  return out;
}

std::vector<std::filesystem::path> recordings() {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(MILLRACE_STREAMS)) out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

// Lines "< payload in hexadecimal", each followed by "= the event" or "! a part of the error".
TEST_CASE("recorded streams decode to the events that stand beside them") {
  const auto files = recordings();
  REQUIRE(files.size() >= 6);
  for (const auto& path : files) {
    std::ifstream in(path);
    std::string line, payload;
    PgOutputDecoder decoder(path.filename().string().find("parallel") != std::string::npos);
    PgMessage message;
    int events = 0;
    while (std::getline(in, line)) {
      if (line.empty() || line[0] == '#') continue;
      INFO(path.filename().string() << ": " << line);
      const std::string rest = line.substr(2);
      if (line[0] == '<') {
        payload = unhex(rest);
        continue;
      }
      ++events;
      if (line[0] == '=') {
        decoder.decode(payload, message);
        CHECK(describe(message) == rest);
        continue;
      }
      REQUIRE(line[0] == '!');
      std::string detail;
      try {
        PgOutputDecoder fresh;
        fresh.decode(payload, message);
      } catch (const Error& e) {
        CHECK(e.code() == "cdc.bad_message");
        detail = e.detail();
      }
      CHECK(detail.find(rest) != std::string::npos);
    }
    CHECK(events > 0);
  }
}

TEST_CASE("a message cut short anywhere is an error and never an event") {
  for (const auto& path : recordings()) {
    if (path.filename() == "damaged.txt") continue;
    std::ifstream in(path);
    std::string line;
    const bool parallel = path.filename().string().find("parallel") != std::string::npos;
    PgOutputDecoder decoder(parallel);
    PgMessage message;
    while (std::getline(in, line)) {
      if (line.empty() || line[0] != '<') continue;
      const std::string payload = unhex(line.substr(2));
      for (std::size_t n = 0; n < payload.size(); ++n) {
        PgOutputDecoder copy = decoder;
        CHECK_THROWS_AS(copy.decode(payload.substr(0, n), message), Error);
      }
      PgOutputDecoder longer = decoder;
      CHECK_THROWS_AS(longer.decode(payload + "x", message), Error);
      decoder.decode(payload, message);
    }
  }
}

TEST_CASE("random bytes end in an event or an error") {
  CHECK(rc::check([](const std::vector<char>& bytes, bool inside) {
    PgOutputDecoder decoder;
    decoder.set_in_stream(inside);
    PgMessage message;
    try {
      decoder.decode(std::string_view(bytes.data(), bytes.size()), message);
      RC_ASSERT(!describe(message).empty());
    } catch (const Error& e) {
      RC_ASSERT(e.code() == "cdc.bad_message");
    }
  }));
}
