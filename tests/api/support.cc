#include "tests/api/support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <stdexcept>

#include <boost/asio/co_spawn.hpp>

namespace millrace::test {
namespace {

RuntimeOptions two_threads() {
  RuntimeOptions options;
  options.pool_threads = 2;
  return options;
}

}  // namespace

BackgroundRuntime::BackgroundRuntime() : real_(two_threads()) {
  thread_ = real_.runtime().start_thread("test pool", [this] { real_.run(); });
}
BackgroundRuntime::~BackgroundRuntime() {
  real_.stop();
  thread_.reset();
}

void BackgroundRuntime::await(asio::awaitable<void> work) {
  std::promise<void> done;
  asio::co_spawn(real_.runtime().make_strand(), std::move(work), [&done](std::exception_ptr error) {
    if (error) {
      done.set_exception(error);
    } else {
      done.set_value();
    }
  });
  done.get_future().get();
}

RawClient::RawClient(std::uint16_t port) : port_(port) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval limit{30, 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    throw std::runtime_error("connect failed");
}
RawClient::~RawClient() { close(); }

void RawClient::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool RawClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

std::string RawClient::receive_all() {
  char piece[16384];
  for (;;) {
    const auto n = ::recv(fd_, piece, sizeof piece, 0);
    if (n <= 0) break;
    buffer_.append(piece, static_cast<std::size_t>(n));
  }
  return std::exchange(buffer_, {});
}

RawAnswer RawClient::receive() {
  RawAnswer answer;
  char piece[16384];
  const auto more = [&] {
    const auto n = ::recv(fd_, piece, sizeof piece, 0);
    if (n <= 0) return false;
    buffer_.append(piece, static_cast<std::size_t>(n));
    return true;
  };
  std::size_t end = std::string::npos;
  while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    if (!more()) return answer;
  }
  const std::string head = buffer_.substr(0, end + 2);
  buffer_.erase(0, end + 4);
  answer.status = std::stoi(head.substr(9, 3));
  for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
    const auto stop = head.find("\r\n", at);
    const auto colon = head.find(':', at);
    std::string name = head.substr(at, colon - at);
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    answer.headers[name] = head.substr(colon + 2, stop - colon - 2);
    at = stop + 2;
  }
  if (const auto length = answer.headers.find("content-length"); length != answer.headers.end()) {
    const std::size_t want = std::stoul(length->second);
    while (buffer_.size() < want && more()) {
    }
    answer.body = buffer_.substr(0, want);
    buffer_.erase(0, want);
  } else if (answer.status != 204 && answer.status != 100) {
    answer.body = receive_all();
  }
  return answer;
}

RawAnswer RawClient::ask(const std::string& method, const std::string& target, const std::string& headers,
                         const std::string& body) {
  std::string request = method + " " + target + " HTTP/1.1\r\n";
  if (headers.find("Host:") == std::string::npos) request += "Host: 127.0.0.1:" + std::to_string(port_) + "\r\n";
  request += headers;
  if (!body.empty() || method == "POST") request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  send(request + "\r\n" + body);
  return receive();
}

}  // namespace millrace::test
