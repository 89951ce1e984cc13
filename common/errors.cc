#include "common/errors.h"

#include <algorithm>
#include <vector>

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>

#include "common/check.h"

namespace millrace {
namespace {

std::vector<ErrorInfo> sorted_catalogue() {
  using enum ErrorKind;
  std::vector<ErrorInfo> rows = {
#define X(code, kind, status, title, remedy) ErrorInfo{code, kind, status, title, remedy},
#include "common/error_catalogue.inc"
#undef X
  };
  std::sort(rows.begin(), rows.end(), [](const ErrorInfo& a, const ErrorInfo& b) { return a.code < b.code; });
  return rows;
}

const ErrorInfo* find_info(std::string_view code) {
  const auto rows = error_catalogue();
  const auto it = std::lower_bound(rows.begin(), rows.end(), code,
                                   [](const ErrorInfo& r, std::string_view c) { return r.code < c; });
  return it != rows.end() && it->code == code ? &*it : nullptr;
}

}  // namespace

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::config:
      return "config";
    case ErrorKind::transient:
      return "transient";
    case ErrorKind::system:
      return "system";
  }
  return "system";
}

std::span<const ErrorInfo> error_catalogue() {
  static const std::vector<ErrorInfo> rows = sorted_catalogue();
  return rows;
}

bool is_known_error(std::string_view code) { return find_info(code) != nullptr; }

const ErrorInfo& error_info(std::string_view code) {
  const ErrorInfo* info = find_info(code);
  check(info != nullptr, "error code is in the catalogue");
  return *info;
}

Error::Error(std::string_view code, std::string detail, std::string title)
    : info_(&error_info(code)),
      title_(title.empty() ? std::string(info_->title) : std::move(title)),
      detail_(std::move(detail)) {
  what_ = detail_.empty() ? title_ : title_ + ": " + detail_;
}

bool is_cancelled(const std::exception_ptr& error) {
  if (!error) return false;
  try {
    std::rethrow_exception(error);
  } catch (const Cancelled&) {
    return true;
  } catch (const boost::system::system_error& e) {
    return e.code() == boost::asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

std::string describe(const std::exception_ptr& error) {
  if (!error) return {};
  try {
    std::rethrow_exception(error);
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "unknown exception";
  }
}

}  // namespace millrace
