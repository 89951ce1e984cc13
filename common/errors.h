// The one family of exceptions, and the catalogue of their codes.
//
// Every error a user can see has a stable code ("postgres.auth_failed") with a row in error_catalogue.inc and a page in
// docs/errors/. The row fixes kind, HTTP status, title and remedy; the place that throws adds the detail: the numbers,
// and the cause in the server's own words. No text may carry a secret.
#pragma once

#include <exception>
#include <span>
#include <string>
#include <string_view>

namespace millrace {

// What the error says about trying again.
enum class ErrorKind {
  config,     // a person must change something: never retried
  transient,  // the world may be better later: retried with back-off
  system,     // a fault of ours or of this machine: retried, and worth a bug report
};
std::string_view to_string(ErrorKind kind);

struct ErrorInfo {
  std::string_view code;  // "room.what_happened"
  ErrorKind kind;
  int http_status;
  std::string_view title;   // short, factual, lower case, no full stop
  std::string_view remedy;  // a full sentence: what to do
};

// All rows, ordered by code.
std::span<const ErrorInfo> error_catalogue();
// The row of `code`; a code that is not in the catalogue is a fault of ours (check).
const ErrorInfo& error_info(std::string_view code);
bool is_known_error(std::string_view code);

class Error : public std::exception {
 public:
  // `title` replaces the catalogue's title where an object's name belongs into it.
  explicit Error(std::string_view code, std::string detail = {}, std::string title = {});

  std::string_view code() const { return info_->code; }
  ErrorKind kind() const { return info_->kind; }
  int http_status() const { return info_->http_status; }
  bool retryable() const { return info_->kind != ErrorKind::config; }
  const std::string& title() const { return title_; }
  const std::string& detail() const { return detail_; }
  std::string_view remedy() const { return info_->remedy; }
  // "title: detail", for logs and failure messages.
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  const ErrorInfo* info_;
  std::string title_;
  std::string detail_;
  std::string what_;
};

// Thrown where a wait was cancelled (stop, cancel request, time-out of a parent). Not an Error: nobody reports it.
class Cancelled : public std::exception {
 public:
  const char* what() const noexcept override { return "cancelled"; }
};

// True for Cancelled and for the operation_aborted that a cancelled Asio wait throws.
bool is_cancelled(const std::exception_ptr& error);
// what() of any exception; "unknown exception" if it has none.
std::string describe(const std::exception_ptr& error);

}  // namespace millrace
