#include "common/errors.h"

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <catch2/catch.hpp>

namespace millrace::testing {
namespace {

const std::filesystem::path kPages = std::filesystem::path(MILLRACE_SOURCE_ROOT) / "docs" / "errors";

}  // namespace

TEST_CASE("every row of the catalogue is well-formed and its code is there once") {
  std::set<std::string_view> codes;
  static const std::regex kCode("[a-z][a-z_]*(\\.[a-z][a-z0-9_]*)*");
  for (const auto& row : error_catalogue()) {
    INFO(row.code);
    CHECK(std::regex_match(std::string(row.code), kCode));
    CHECK(codes.insert(row.code).second);
    CHECK(row.http_status >= 400);
    CHECK(row.http_status <= 599);
    CHECK_FALSE(row.title.empty());
    CHECK(row.title.back() != '.');
    CHECK_FALSE(row.remedy.empty());
    CHECK(row.remedy.back() == '.');
  }
}

TEST_CASE("every code of the catalogue has a page, and every page a code") {
  for (const auto& row : error_catalogue()) {
    INFO("docs/errors/" << row.code << ".md");
    std::ifstream page(kPages / (std::string(row.code) + ".md"));
    const std::string text(std::istreambuf_iterator<char>(page), {});
    CHECK(text.find(row.code) != std::string::npos);
    CHECK(text.size() > 200);
  }
  for (const auto& file : std::filesystem::directory_iterator(kPages)) {
    const auto name = file.path().stem().string();
    if (file.path().extension() != ".md" || name == "README") continue;
    INFO(file.path());
    CHECK(is_known_error(name));
  }
}

TEST_CASE("an error says what happened in three parts") {
  const Error e("store.busy", "/data is held by process 7");
  CHECK(e.code() == "store.busy");
  CHECK(e.title() == "data directory is in use by another server");
  CHECK(std::string(e.what()) == "data directory is in use by another server: /data is held by process 7");
  CHECK(e.http_status() == 503);
  CHECK(e.kind() == ErrorKind::system);
  CHECK(e.retryable());
  CHECK_FALSE(Error("store.newer_format").retryable());
  CHECK(std::string(Error("internal", "", "own title").what()) == "own title");
  CHECK(to_string(ErrorKind::transient) == "transient");
}

TEST_CASE("only cancellations count as cancelled") {
  CHECK(is_cancelled(std::make_exception_ptr(Cancelled())));
  CHECK(is_cancelled(std::make_exception_ptr(boost::system::system_error(boost::asio::error::operation_aborted))));
  CHECK_FALSE(is_cancelled(std::make_exception_ptr(boost::system::system_error(boost::asio::error::eof))));
  CHECK_FALSE(is_cancelled(std::make_exception_ptr(Error("internal"))));
  CHECK_FALSE(is_cancelled(std::make_exception_ptr(7)));
  CHECK_FALSE(is_cancelled(nullptr));
  CHECK(describe(std::make_exception_ptr(7)) == "unknown exception");
  CHECK(describe(nullptr).empty());
}

}  // namespace millrace::testing
