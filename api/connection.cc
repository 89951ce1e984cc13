#include "api/connection.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <boost/asio/this_coro.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/system_error.hpp>

#include "common/errors.h"
#include "common/log.h"

namespace millrace::api {
namespace {

namespace http = boost::beast::http;
using Parser = http::request_parser<http::string_body>;

constexpr std::size_t kReadPiece = 16 << 10;
constexpr std::size_t kBodyReadPiece = 128 << 10;
constexpr std::size_t kWritePiece = 256 << 10;  // of a long answer: the client must take one within write_progress

// Why reading a request ended otherwise than with a request.
struct Refusal {
  Refusal() = default;
  std::string code;  // empty: just close
  std::string detail;
};

std::string_view reason_of(int status) {
  return http::obsolete_reason(http::int_to_status(static_cast<unsigned>(status)));
}

std::string head_of(const Response& response, const std::string& date, bool keep_alive, bool chunked, bool http_1_0) {
  std::string head;
  head.reserve(256);
  fmt::format_to(std::back_inserter(head), "HTTP/1.1 {} {}\r\nDate: {}\r\n", response.status,
                 reason_of(response.status), date);
  if (response.status != 204) {
    fmt::format_to(std::back_inserter(head), "Content-Type: {}\r\nX-Content-Type-Options: nosniff\r\n",
                   response.content_type);
    if (!response.stream) fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", response.body.size());
  }
  if (chunked) head += "Transfer-Encoding: chunked\r\n";
  bool has_cache_control = false;
  for (const auto& [name, value] : response.headers) {
    has_cache_control = has_cache_control || name == "Cache-Control";
    head += name;
    head += ": ";
    for (const char c : value) {
      if (static_cast<unsigned char>(c) >= 0x20) head += c;  // never a line end: no header can be smuggled in
    }
    head += "\r\n";
  }
  if (!has_cache_control) head += "Cache-Control: no-store\r\n";
  if (!keep_alive) {
    head += "Connection: close\r\n";
  } else if (http_1_0) {
    head += "Connection: keep-alive\r\n";
  }
  head += "\r\n";
  return head;
}

class Connection {
 public:
  Connection(std::shared_ptr<const ConnectionContext> context, std::shared_ptr<ConnectionState> state)
      : context_(std::move(context)), state_(std::move(state)), transport_(*state_->transport) {}

  asio::awaitable<void> serve() {
    if (transport_.is_tls()) {
      expect_progress(context_->limits.header_time);
      co_await transport_.handshake();
    }
    for (bool more = true; more && !context_->stopping;) more = co_await serve_one();
  }

 private:
  void expect_progress(Duration within) {
    state_->deadline_us = (context_->runtime.mono() + within).time_since_epoch().count();
  }
  void expect_nothing() { state_->deadline_us = ConnectionState::kNever; }

  // Appends what the client sends. False: it has closed, or was too slow (timed_out).
  asio::awaitable<bool> read_more(std::size_t piece) {
    std::size_t n = 0;
    bool failed = false;
    try {
      n = co_await transport_.read_some(buffer_.prepare(piece));
    } catch (const boost::system::system_error&) {
      if (!state_->timed_out) throw;
      failed = true;
    }
    buffer_.commit(n);
    co_return !failed && n != 0;
  }

  // One request and its answer. False: the connection ends.
  asio::awaitable<bool> serve_one() {
    if (buffer_.size() == 0) {
      state_->idle = true;
      expect_progress(context_->limits.idle_time);
      const bool more = co_await read_more(kReadPiece);
      state_->idle = false;
      if (!more) co_return false;
    }
    const MonoTime begun = context_->runtime.mono();
    Parser parser;
    parser.header_limit(static_cast<std::uint32_t>(context_->limits.header_bytes));
    parser.body_limit(boost::none);  // looked at below, after the request was admitted
    Refusal refusal;
    Request request;
    request.tls = transport_.is_tls();
    request.remote_address = transport_.remote_address();
    request.local_address = transport_.local_address();
    expect_progress(context_->limits.header_time);
    if (!co_await read_header(parser, refusal)) {
      if (refusal.code.empty()) co_return false;
      const Response answer = context_->handler->refuse(refusal.code, refusal.detail);
      co_await write_answer(request, answer, false, begun);
      co_await linger();
      co_return false;
    }
    take_header(parser, request);
    const bool has_body = parser.chunked() || (parser.content_length() && *parser.content_length() > 0);
    bool keep_alive = parser.keep_alive();
    std::optional<Response> early = context_->handler->admit(request);
    if (!early && parser.content_length() && *parser.content_length() > context_->limits.body_bytes) {
      early = context_->handler->refuse(
          "request.too_large", fmt::format("the body has {} bytes, at most {} are taken", *parser.content_length(),
                                           context_->limits.body_bytes));
    }
    if (!early && has_body) {
      if (const std::string* expect = request.header("expect"); expect != nullptr && expect->starts_with("100")) {
        static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
        expect_progress(context_->limits.write_progress);
        co_await transport_.write(asio::buffer(kContinue), asio::const_buffer());
      }
      if (!co_await read_body(parser, refusal)) {
        if (refusal.code.empty()) co_return false;
        early = context_->handler->refuse(refusal.code, refusal.detail);
      }
    }
    if (early) {
      keep_alive = keep_alive && !has_body && !early->close;
      co_await write_answer(request, *early, keep_alive, begun);
      if (has_body) co_await linger();
      co_return keep_alive;
    }
    request.body = std::move(parser.get().body());
    expect_nothing();
    state_->handling = true;
    const Response answer = co_await context_->handler->handle(request);
    state_->handling = false;
    keep_alive = keep_alive && !answer.close && !context_->stopping;
    if (answer.stream) {
      co_await write_stream(request, answer, begun);
      co_return false;
    }
    co_await write_answer(request, answer, keep_alive, begun);
    co_return keep_alive;
  }

  asio::awaitable<bool> read_header(Parser& parser, Refusal& refusal) {
    for (;;) {
      boost::system::error_code error;
      const std::size_t used = parser.put(buffer_.data(), error);
      buffer_.consume(used);
      if (parser.is_header_done()) co_return true;
      if (error && error != http::error::need_more) {
        const bool too_large = error == http::error::header_limit;
        refusal.code = too_large ? "request.header_too_large" : "request.malformed";
        refusal.detail = too_large ? fmt::format("the header has more than {} bytes", context_->limits.header_bytes)
                                   : "not an HTTP/1.1 request: " + error.message();
        co_return false;
      }
      if (!co_await read_more(kReadPiece)) {
        if (state_->timed_out) {
          refusal.code = "request.timed_out";
          refusal.detail =
              fmt::format("the header was not complete within {:g} s", to_seconds(context_->limits.header_time));
        }
        co_return false;
      }
    }
  }

  asio::awaitable<bool> read_body(Parser& parser, Refusal& refusal) {
    parser.body_limit(context_->limits.body_bytes);
    parser.eager(true);
    while (!parser.is_done()) {
      if (buffer_.size() != 0) {
        boost::system::error_code error;
        const std::size_t used = parser.put(buffer_.data(), error);
        buffer_.consume(used);
        if (error && error != http::error::need_more) {
          const bool too_large = error == http::error::body_limit;
          refusal.code = too_large ? "request.too_large" : "request.malformed";
          refusal.detail =
              too_large ? fmt::format("the body has more than {} bytes", context_->limits.body_bytes) : error.message();
          co_return false;
        }
        if (parser.is_done()) break;
        if (used != 0) continue;
      }
      expect_progress(context_->limits.body_progress);
      if (!co_await read_more(kBodyReadPiece)) {
        if (state_->timed_out) {
          refusal.code = "request.timed_out";
          refusal.detail =
              fmt::format("no byte of the body came for {:g} s", to_seconds(context_->limits.body_progress));
        }
        co_return false;
      }
    }
    co_return true;
  }

  static void take_header(Parser& parser, Request& request) {
    const auto& message = parser.get();
    request.method = std::string(message.method_string());
    request.target = std::string(message.target());
    for (const auto& field : message) {
      std::string name(field.name_string());
      for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      auto [it, added] = request.headers.emplace(std::move(name), std::string(field.value()));
      if (!added) it->second += ", " + std::string(field.value());
    }
  }

  std::string date() const {
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(context_->runtime.now().time_since_epoch()).count();
    return fmt::format("{:%a, %d %b %Y %H:%M:%S GMT}", fmt::gmtime(static_cast<std::time_t>(seconds)));
  }

  // One write for header and body; a long body goes on in pieces.
  asio::awaitable<void> write_answer(const Request& request, const Response& answer, bool keep_alive, MonoTime begun) {
    const std::string head = head_of(answer, date(), keep_alive, false, false);
    const bool with_body = request.method != "HEAD" && answer.status != 204;
    std::string_view body = with_body ? std::string_view(answer.body) : std::string_view();
    state_->timed_out = false;
    expect_progress(context_->limits.write_progress);
    co_await transport_.write(asio::buffer(head), asio::buffer(body.substr(0, kWritePiece)));
    body.remove_prefix(std::min(body.size(), kWritePiece));
    while (!body.empty()) {
      expect_progress(context_->limits.write_progress);
      co_await transport_.write(asio::buffer(body.substr(0, kWritePiece)), asio::const_buffer());
      body.remove_prefix(std::min(body.size(), kWritePiece));
    }
    context_->handler->answered(request, answer.status, context_->runtime.mono() - begun);
  }

  class Sink final : public EventSink {
   public:
    explicit Sink(Connection& connection) : connection_(connection) {}
    asio::awaitable<void> send(std::string event, std::string id, std::string data) override {
      std::string text;
      if (!event.empty()) text += "event: " + event + "\n";
      if (!id.empty()) text += "id: " + id + "\n";
      text += "data: " + data + "\n\n";
      co_await chunk(std::move(text));
    }
    asio::awaitable<void> keep_alive() override { co_await chunk(":\n\n"); }
    bool stopping() const override { return connection_.context_->stopping; }

   private:
    asio::awaitable<void> chunk(std::string text) {
      const std::string framed = fmt::format("{:x}\r\n{}\r\n", text.size(), text);
      connection_.expect_progress(connection_.context_->limits.write_progress);
      co_await connection_.transport_.write(asio::buffer(framed), asio::const_buffer());
      connection_.expect_nothing();
    }
    Connection& connection_;
  };

  asio::awaitable<void> write_stream(const Request& request, const Response& answer, MonoTime begun) {
    const std::string head = head_of(answer, date(), false, true, false);
    expect_progress(context_->limits.write_progress);
    co_await transport_.write(asio::buffer(head), asio::const_buffer());
    context_->handler->answered(request, answer.status, context_->runtime.mono() - begun);
    expect_nothing();
    state_->handling = true;
    Sink sink(*this);
    co_await answer.stream(sink);
    state_->handling = false;
    static constexpr std::string_view kLast = "0\r\n\r\n";
    expect_progress(context_->limits.write_progress);
    co_await transport_.write(asio::buffer(kLast), asio::const_buffer());
  }

  // Closing with unread bytes would reset the connection, and the client might never see the answer: read on for a
  // while, and drop.
  asio::awaitable<void> linger() {
    co_await transport_.shut_down_write();
    state_->timed_out = false;
    expect_progress(context_->limits.linger_time);
    std::size_t dropped = buffer_.size();
    buffer_.consume(buffer_.size());
    while (dropped < context_->limits.linger_bytes) {
      const bool more = co_await read_more(kBodyReadPiece);
      if (!more) break;
      dropped += buffer_.size();
      buffer_.consume(buffer_.size());
    }
  }

  std::shared_ptr<const ConnectionContext> context_;
  std::shared_ptr<ConnectionState> state_;
  Transport& transport_;
  boost::beast::flat_buffer buffer_;
};

}  // namespace

asio::awaitable<void> serve_connection(std::shared_ptr<const ConnectionContext> context,
                                       std::shared_ptr<ConnectionState> state) {
  std::exception_ptr error;
  {
    Connection connection(context, state);
    try {
      co_await connection.serve();
    } catch (...) {
      error = std::current_exception();
    }
  }
  state->deadline_us = ConnectionState::kNever;
  state->transport->close();
  if (!error) co_return;
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& e) {
    log_debug("connection ended", {{"cause", e.code().message()}});
  } catch (const Cancelled&) {
  } catch (const std::exception& e) {
    log_error("connection failed", {{"error", e.what()}});
  }
}

}  // namespace millrace::api
