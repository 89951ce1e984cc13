// The server itself: bytes, limits, time-outs, stop. What paths mean is tested in app_test.cc.
#include <atomic>
#include <catch2/catch.hpp>

#include "api/http_server.h"
#include "common/errors.h"
#include "common/event.h"
#include "tests/api/support.h"

namespace millrace::test {
namespace {

using api::HttpLimits;
using api::HttpServer;
using api::Request;
using api::Response;

// Answers with what it was asked; /wait waits until it is let go; /stream sends three events.
class Echo final : public api::RequestHandler {
 public:
  std::optional<Response> admit(Request& request) override {
    if (request.target == "/refused") return refuse("request.not_found", "refused");
    return std::nullopt;
  }
  asio::awaitable<Response> handle(Request& request) override {
    Response response;
    response.content_type = "text/plain";
    if (request.target == "/wait") {
      waiting.set();
      std::exception_ptr error;
      try {
        co_await release.wait();
      } catch (...) {
        error = std::current_exception();
      }
      if (error) {
        cancelled.set();
        std::rethrow_exception(error);
      }
    }
    if (request.target == "/stream") {
      response.content_type = "text/event-stream";
      response.stream = &Echo::three;
      co_return response;
    }
    response.body = request.method + " " + request.target + " " + std::to_string(request.body.size()) + " " +
                    request.body.substr(0, 100);
    co_return response;
  }
  Response refuse(std::string_view code, std::string detail) override {
    Response response(error_info(code).http_status);
    response.body = std::string(code) + ": " + detail;
    response.close = true;
    return response;
  }
  void answered(const Request&, int, Duration) override { ++answers; }

  static asio::awaitable<void> three(api::EventSink& sink) {
    for (int i = 1; i <= 3; ++i) co_await sink.send("number", std::to_string(i), std::to_string(i * 10));
  }

  Event waiting, release, cancelled;
  std::atomic<int> answers{0};
};

struct Fixture {
  explicit Fixture(HttpLimits limits = HttpLimits())
      : echo(std::make_shared<Echo>()), server(std::make_unique<HttpServer>(background.runtime(), echo, limits)) {
    api::ListenOptions listen;
    listen.port = 0;
    port = server->start(listen);
  }
  ~Fixture() {
    echo->release.set();
    background.await(server->stop(std::chrono::seconds(1)));
    server.reset();
  }
  BackgroundRuntime background;
  std::shared_ptr<Echo> echo;
  std::unique_ptr<HttpServer> server;
  std::uint16_t port = 0;
};

asio::awaitable<void> wait_for(Event& event) { co_await event.wait(); }

}  // namespace

TEST_CASE("requests of one connection are answered one after the other, also when sent at once") {
  Fixture f;
  RawClient client(f.port);
  client.send(
      "GET /a HTTP/1.1\r\nHost: x\r\n\r\nPOST /b HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhelloGET /c "
      "HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(client.receive().body == "GET /a 0 ");
  CHECK(client.receive().body == "POST /b 5 hello");
  CHECK(client.receive().body == "GET /c 0 ");
}

TEST_CASE("a request that comes byte by byte is understood") {
  Fixture f;
  RawClient client(f.port);
  for (const char c : std::string("POST /slow HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc"))
    client.send(std::string(1, c));
  CHECK(client.receive().body == "POST /slow 3 abc");
}

TEST_CASE("a chunked body is understood") {
  Fixture f;
  RawClient client(f.port);
  client.send(
      "POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
  CHECK(client.receive().body == "POST /x 11 hello world");
}

TEST_CASE("HEAD has the length of the body and no body") {
  Fixture f;
  RawClient client(f.port);
  client.send("HEAD /x HTTP/1.1\r\nHost: x\r\n\r\nGET /y HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string all = [&] {
    client.send("GET /end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    return client.receive_all();
  }();
  CHECK(all.find("Content-Length: 10\r\n") != std::string::npos);
  CHECK(all.find("HEAD /x") == std::string::npos);
  CHECK(all.find("GET /y 0") != std::string::npos);
}

TEST_CASE("Expect: 100-continue is answered before the body is read") {
  Fixture f;
  RawClient client(f.port);
  client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  CHECK(client.receive().status == 100);
  client.send("abc");
  CHECK(client.receive().body == "POST /x 3 abc");
}

TEST_CASE("a header beyond its limit is refused with 431") {
  HttpLimits limits;
  limits.header_bytes = 1024;
  Fixture f(limits);
  RawClient client(f.port);
  const RawAnswer answer = client.ask("GET", "/x", "X-Long: " + std::string(2000, 'a') + "\r\n");
  CHECK(answer.status == 431);
  CHECK(answer.body.starts_with("request.header_too_large"));
}

TEST_CASE("a declared body of 100 MB is refused with 413 before it is sent") {
  Fixture f;
  RawClient client(f.port);
  client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
  const RawAnswer answer = client.receive();
  CHECK(answer.status == 413);
  CHECK(answer.headers.at("connection") == "close");
}

TEST_CASE("a body of 100 MB that is sent anyway is not read to its end, and the server lives on") {
  Fixture f;
  RawClient client(f.port);
  client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
  const std::string megabyte(1 << 20, 'x');
  int sent = 0;
  while (sent < 100 && client.send(megabyte)) ++sent;
  CHECK(sent < 95);  // what was dropped while lingering, and what the sockets' buffers hold
  RawClient other(f.port);
  CHECK(other.ask("GET", "/alive").status == 200);
}

TEST_CASE("a chunked body is cut off at the limit") {
  HttpLimits limits;
  limits.body_bytes = 1000;
  Fixture f(limits);
  RawClient client(f.port);
  client.send("POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + std::string(2000, 'x') +
              "\r\n0\r\n\r\n");
  CHECK(client.receive().status == 413);
}

TEST_CASE("a client that sends its header too slowly gets 408") {
  HttpLimits limits;
  limits.header_time = std::chrono::milliseconds(100);
  Fixture f(limits);
  RawClient client(f.port);
  client.send("GET /x HT");
  CHECK(client.receive().status == 408);
}

TEST_CASE("a client that stops in its body gets 408") {
  HttpLimits limits;
  limits.body_progress = std::chrono::milliseconds(100);
  Fixture f(limits);
  RawClient client(f.port);
  client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  CHECK(client.receive().status == 408);
}

TEST_CASE("an idle connection is closed without a word") {
  HttpLimits limits;
  limits.idle_time = std::chrono::milliseconds(100);
  Fixture f(limits);
  RawClient client(f.port);
  CHECK(client.ask("GET", "/x").status == 200);
  CHECK(client.receive_all().empty());
}

TEST_CASE("what is not HTTP is refused with 400") {
  Fixture f;
  for (const char* nonsense :
       {"\x16\x03\x01\x02\x00\x01\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n"}) {
    RawClient client(f.port);
    client.send(nonsense);
    CHECK(client.receive().status == 400);
  }
}

TEST_CASE("connections beyond the bound get 503") {
  HttpLimits limits;
  limits.connections = 2;
  Fixture f(limits);
  RawClient a(f.port), b(f.port);
  REQUIRE(a.ask("GET", "/x").status == 200);
  REQUIRE(b.ask("GET", "/x").status == 200);
  RawClient c(f.port);
  CHECK(c.receive().status == 503);
}

TEST_CASE("a client that goes while its request is worked on ends the work") {
  HttpLimits limits;
  limits.idle_time = std::chrono::milliseconds(400);  // the watchman's pace follows the least time-out
  Fixture f(limits);
  {
    RawClient client(f.port);
    client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
    f.background.await(wait_for(f.echo->waiting));
  }
  f.background.await(wait_for(f.echo->cancelled));
  CHECK(f.echo->cancelled.is_set());
}

TEST_CASE("stop lets a running request end and closes idle connections") {
  Fixture f;
  RawClient idle(f.port), busy(f.port);
  REQUIRE(idle.ask("GET", "/x").status == 200);
  busy.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  f.background.await(wait_for(f.echo->waiting));
  auto stopping = f.background.runtime().start_thread(
      "stop", [&] { f.background.await(f.server->stop(std::chrono::seconds(20))); });
  CHECK(idle.receive_all().empty());
  f.echo->release.set();
  const RawAnswer answer = busy.receive();
  CHECK(answer.status == 200);
  CHECK(answer.headers.at("connection") == "close");
  stopping.reset();
  CHECK(f.server->connections() == 0);
}

TEST_CASE("stop ends a request that outlasts the grace") {
  Fixture f;
  RawClient busy(f.port);
  busy.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  f.background.await(wait_for(f.echo->waiting));
  f.background.await(f.server->stop(std::chrono::milliseconds(50)));
  CHECK(f.echo->cancelled.is_set());
  CHECK(busy.receive().status == 0);
}

TEST_CASE("server-sent events come as chunks that end") {
  Fixture f;
  RawClient client(f.port);
  client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string all = client.receive_all();
  CHECK(all.find("Content-Type: text/event-stream") != std::string::npos);
  CHECK(all.find("event: number\nid: 2\ndata: 20\n\n") != std::string::npos);
  CHECK(all.ends_with("0\r\n\r\n"));
}

TEST_CASE("a port in use is told as such") {
  Fixture f;
  HttpServer second(f.background.runtime(), f.echo, HttpLimits());
  api::ListenOptions listen;
  listen.port = f.port;
  std::string code;
  try {
    second.start(listen);
  } catch (const Error& e) {
    code = e.code();
  }
  CHECK(code == "server.address_in_use");
}

TEST_CASE("addresses to listen on are read, and nonsense is refused") {
  CHECK(api::parse_listen("127.0.0.1:8000").port == 8000);
  CHECK(api::parse_listen("[::1]:1").address == "::1");
  CHECK(api::parse_listen("localhost:1").address == "127.0.0.1");
  CHECK(api::parse_listen(":80").address == "0.0.0.0");
  for (const char* bad : {"127.0.0.1:x", "127.0.0.1:70000", "nowhere:1", "127.0.0.1:"})
    CHECK_THROWS_AS(api::parse_listen(bad), Error);
}

}  // namespace millrace::test
