// bench_engine_http: workflows of five empty durable steps over HTTP, against a testkit server that it starts itself on
// a data directory of its own. POST /v1/workflows?wait=true of test.steps, n = 5, on kept-alive connections.
//
//   bench_engine_http [--binary build/millrace-testkit] [--dir DIR] [--seconds 5] [--clients 1,16,256]
//
// Prints for each number of clients: workflows per second, p50 and p99 in ms, and the server's resident memory and CPU.
//
// rooms: clock and threads: a benchmark measures with the machine's clock.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "common/runtime.h"
#include "common/task_group.h"

namespace millrace {
namespace {

using Clock = std::chrono::steady_clock;
using asio::ip::tcp;

double ms_since(Clock::time_point t) { return std::chrono::duration<double, std::milli>(Clock::now() - t).count(); }

struct Settings {
  Settings() = default;
  std::string binary, dir;
  double seconds = 5;
  std::vector<int> clients = {1, 16, 256};
};

// The server as a child; killed when this object goes.
class Server {
 public:
  explicit Server(const Settings& settings) : data_dir_(settings.dir + "/data") {
    pid_ = ::fork();
    if (pid_ == 0) {
      const int log = ::open((settings.dir + "/server.log").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      ::dup2(log, STDOUT_FILENO);
      ::dup2(log, STDERR_FILENO);
      ::execl(settings.binary.c_str(), "millrace-testkit", "server", "--data-dir", data_dir_.c_str(), "--listen",
              "127.0.0.1:0", "--log-level", "warn", static_cast<char*>(nullptr));
      ::_exit(127);
    }
    for (int i = 0; i < 500 && address().empty(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    if (address().empty()) {
      std::cerr << "the server did not start; see " << settings.dir << "/server.log\n";
      std::exit(1);
    }
  }
  ~Server() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::string address() const { return line_of("address"); }
  std::string token() const { return line_of("token"); }
  int port() const { return std::stoi(address().substr(address().rfind(':') + 1)); }
  double resident_mib() const {
    std::ifstream in("/proc/" + std::to_string(pid_) + "/statm");
    long size = 0, resident = 0;
    in >> size >> resident;
    return double(resident) * double(::sysconf(_SC_PAGESIZE)) / (1 << 20);
  }
  double cpu_seconds() const {
    std::ifstream in("/proc/" + std::to_string(pid_) + "/stat");
    std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    std::istringstream fields(text.substr(text.rfind(')') + 2));
    std::string skipped;
    for (int i = 0; i < 11; ++i) fields >> skipped;
    double user = 0, system = 0;
    fields >> user >> system;
    return (user + system) / double(::sysconf(_SC_CLK_TCK));
  }

 private:
  std::string line_of(const char* name) const {
    std::ifstream in(data_dir_ + "/" + name);
    std::string line;
    std::getline(in, line);
    return line;
  }
  std::string data_dir_;
  pid_t pid_ = -1;
};

// One connection that asks again and again until `end`.
asio::awaitable<void> client(Runtime runtime, int port, std::string token, Clock::time_point end,
                             std::vector<double>* ms) {
  tcp::socket socket(runtime.make_strand());
  co_await socket.async_connect(tcp::endpoint(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(port)),
                                asio::use_awaitable);
  socket.set_option(tcp::no_delay(true));
  const std::string body = R"({"type":"test.steps","input":{"n":5}})";
  const std::string request = fmt::format(
      "POST /v1/workflows?wait=true HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {}\r\nContent-Type: "
      "application/json\r\n"
      "Content-Length: {}\r\n\r\n{}",
      port, token, body.size(), body);
  std::string buffer;
  std::vector<char> piece(16 << 10);
  while (Clock::now() < end) {
    const auto t = Clock::now();
    co_await asio::async_write(socket, asio::buffer(request), asio::use_awaitable);
    std::size_t head = std::string::npos, want = 0;
    for (;;) {
      if (head == std::string::npos) {
        head = buffer.find("\r\n\r\n");
        if (head != std::string::npos)
          want = head + 4 + std::stoul(buffer.substr(buffer.find("Content-Length: ") + 16));
      }
      if (head != std::string::npos && buffer.size() >= want) break;
      const std::size_t n = co_await socket.async_read_some(asio::buffer(piece), asio::use_awaitable);
      buffer.append(piece.data(), n);
    }
    if (buffer.find("\"Completed\"") == std::string::npos) {
      std::cerr << buffer << '\n';
      std::exit(1);
    }
    buffer.erase(0, want);
    ms->push_back(ms_since(t));
  }
}

asio::awaitable<void> measure(Runtime runtime, const Server& server, int clients, double seconds) {
  std::vector<std::vector<double>> all(static_cast<std::size_t>(clients));
  const double cpu_before = server.cpu_seconds();
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::milliseconds(static_cast<long>(seconds * 1000));
  TaskGroup group(runtime);
  for (auto& ms : all) group.spawn("client", client(runtime, server.port(), server.token(), end, &ms));
  co_await group.join();
  const double took = ms_since(begin) / 1000;
  std::vector<double> ms;
  for (auto& one : all) ms.insert(ms.end(), one.begin(), one.end());
  std::sort(ms.begin(), ms.end());
  const double cpu = server.cpu_seconds() - cpu_before;
  std::cout << fmt::format(
                   "{:>5} clients: {:8.0f} workflows/s   p50 {:7.2f} ms   p99 {:7.2f} ms   server {:5.1f} MiB, {:4.0f} "
                   "CPU-us a workflow\n",
                   clients, double(ms.size()) / took, ms[ms.size() / 2], ms[ms.size() * 99 / 100],
                   server.resident_mib(), cpu * 1e6 / double(ms.size()))
            << std::flush;
}

Settings parse(int argc, char** argv) {
  Settings s;
  s.binary = (std::filesystem::path(argv[0]).parent_path() / "../../millrace-testkit").string();
  s.dir = (std::filesystem::temp_directory_path() / ("millrace-bench-http-" + std::to_string(::getpid()))).string();
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i], value = argv[i + 1];
    if (flag == "--binary") s.binary = value;
    if (flag == "--dir") s.dir = value + "/millrace-bench-http-" + std::to_string(::getpid());
    if (flag == "--seconds") s.seconds = std::stod(value);
    if (flag == "--clients") {
      s.clients.clear();
      std::istringstream in(value);
      for (std::string one; std::getline(in, one, ',');) s.clients.push_back(std::stoi(one));
    }
  }
  return s;
}

}  // namespace
}  // namespace millrace

int main(int argc, char** argv) {
  using namespace millrace;
  const Settings settings = parse(argc, argv);
  std::filesystem::create_directories(settings.dir);
  {
    const Server server(settings);
    std::cout << fmt::format("server at rest: {:.1f} MiB\n", server.resident_mib());
    RealRuntime real;
    for (const int clients : settings.clients)
      real.run_until_done(measure(real.runtime(), server, clients, settings.seconds));
  }
  std::filesystem::remove_all(settings.dir);
  return 0;
}
