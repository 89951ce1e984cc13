// bench_engine_http: workflows of five empty durable steps over HTTP, against a testkit server that it starts itself on
// a data directory of its own: POST /v1/workflows?wait=true of test.steps, n = 5, on kept-alive connections. With
// --restate the same beside Restate's server (npm) with its JavaScript SDK, one after the other in each round: same
// disk, same client, five steps, each durable before the next.
//
//   bench_engine_http [--binary build/millrace-testkit] [--dir DIR] [--seconds 5] [--clients 1,16,256] [--restate DIR]
//
// --restate: the folder bench/engine_http/restate; its packages are installed by `npm ci` in a copy of it.
// Prints for each number of clients: workflows per second, p50 and p99 in ms, the server's resident memory, and the CPU
// of the server and, for Restate, of the process that holds the workflow's code.
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
  std::string binary, dir, restate;
  double seconds = 5;
  std::vector<int> clients = {1, 16, 256};
};

void pause(int ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

// A child process; killed when this object goes.
class Child {
 public:
  Child(const std::vector<std::string>& command, const std::string& log,
        const std::vector<std::string>& environment = {}) {
    pid_ = ::fork();
    if (pid_ == 0) {
      const int fd = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      ::dup2(fd, STDOUT_FILENO);
      ::dup2(fd, STDERR_FILENO);
      for (const auto& one : environment) ::putenv(const_cast<char*>(one.c_str()));
      std::vector<char*> argv;
      for (const auto& one : command) argv.push_back(const_cast<char*>(one.c_str()));
      argv.push_back(nullptr);
      ::execvp(argv[0], argv.data());
      ::_exit(127);
    }
  }
  ~Child() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

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
  pid_t pid_ = -1;
};

// What is measured: where to ask, with which request, and how the answer shows that the workflow completed.
class Target {
 public:
  virtual ~Target() = default;
  virtual double resident_mib() const = 0;
  virtual double cpu_seconds() const = 0;

  std::string name;
  int port = 0;
  std::string request;
};

[[noreturn]] void fail(const std::string& message) {
  std::cerr << message << '\n';
  std::exit(1);
}

class Millrace final : public Target {
 public:
  explicit Millrace(const Settings& settings)
      : data_dir_(settings.dir + "/data"),
        server_({settings.binary, "server", "--data-dir", data_dir_, "--listen", "127.0.0.1:0", "--log-level", "warn"},
                settings.dir + "/millrace.log") {
    for (int i = 0; i < 500 && line_of("address").empty(); ++i) pause(20);
    pause(500);
    const std::string address = line_of("address");
    if (address.empty()) fail("the server did not start; see " + settings.dir + "/millrace.log");
    name = "millrace";
    port = std::stoi(address.substr(address.rfind(':') + 1));
    const std::string body = R"({"type":"test.steps","input":{"n":5}})";
    request = fmt::format(
        "POST /v1/workflows?wait=true HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {}\r\nContent-Type: "
        "application/json\r\nContent-Length: {}\r\n\r\n{}",
        port, line_of("token"), body.size(), body);
  }
  double resident_mib() const override { return server_.resident_mib(); }
  double cpu_seconds() const override { return server_.cpu_seconds(); }

 private:
  std::string line_of(const char* name) const {
    std::ifstream in(data_dir_ + "/" + name);
    std::string line;
    std::getline(in, line);
    return line;
  }
  std::string data_dir_;
  Child server_;
};

// A port that nobody has just now.
int free_port() {
  asio::io_context context;
  const tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
  return acceptor.local_endpoint().port();
}

class Restate final : public Target {
 public:
  explicit Restate(const Settings& settings) : dir_(settings.dir + "/restate") {
    std::filesystem::copy(settings.restate, dir_);
    if (std::system(("cd '" + dir_ + "' && npm ci --ignore-scripts --no-audit --no-fund >npm.log 2>&1").c_str()) != 0)
      fail("npm ci failed; see " + dir_ + "/npm.log");
    name = "restate";
    port = free_port();
    const std::string admin = std::to_string(free_port()), service = std::to_string(free_port());
    const std::string node = std::to_string(free_port());
    service_ = std::make_unique<Child>(std::vector<std::string>{"node", dir_ + "/service.mjs", service},
                                       dir_ + "/service.log", std::vector<std::string>{"RESTATE_LOGGING=ERROR"});
    server_ = std::make_unique<Child>(
        std::vector<std::string>{dir_ + "/node_modules/@restatedev/restate-server-linux-x64/bin/restate-server",
                                 "--no-logo", "--listen-mode", "tcp", "--bind-ip", "127.0.0.1", "--bind-port", node,
                                 "--base-dir", dir_ + "/data", "--node-name", "one"},
        dir_ + "/server.log",
        std::vector<std::string>{"RESTATE_INGRESS__BIND_ADDRESS=127.0.0.1:" + std::to_string(port),
                                 "RESTATE_ADMIN__BIND_ADDRESS=127.0.0.1:" + admin, "DO_NOT_TRACK=1", "RUST_LOG=error"});
    const std::string register_it =
        "curl -sf -m 5 -o '" + dir_ +
        "/registered' -H 'content-type: application/json' -d '{\"uri\":\"http://127.0.0.1:" + service +
        "\"}' http://127.0.0.1:" + admin + "/deployments";
    int tries = 0;
    while (std::system(register_it.c_str()) != 0) {
      if (++tries == 100) fail("Restate did not start; see " + dir_ + "/server.log");
      pause(200);
    }
    pause(2000);
    request = fmt::format(
        "POST /five/run HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: "
        "2\r\n\r\n{{}}",
        port);
  }
  double resident_mib() const override { return server_->resident_mib(); }
  double cpu_seconds() const override { return server_->cpu_seconds() + service_->cpu_seconds(); }

 private:
  std::string dir_;
  std::unique_ptr<Child> service_, server_;
};

// The length that the head of an answer tells; header names come in any case.
std::size_t content_length(std::string head) {
  for (char& c : head) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto at = head.find("content-length: ");
  if (at == std::string::npos) fail("an answer without length:\n" + head);
  return std::stoul(head.substr(at + 16));
}

// One connection that asks again and again until `end`.
asio::awaitable<void> client(Runtime runtime, const Target& target, Clock::time_point end, std::vector<double>* ms) {
  tcp::socket socket(runtime.make_strand());
  co_await socket.async_connect(
      tcp::endpoint(asio::ip::address_v4::loopback(), static_cast<std::uint16_t>(target.port)), asio::use_awaitable);
  socket.set_option(tcp::no_delay(true));
  std::string buffer;
  std::vector<char> piece(16 << 10);
  while (Clock::now() < end) {
    const auto t = Clock::now();
    co_await asio::async_write(socket, asio::buffer(target.request), asio::use_awaitable);
    std::size_t head = std::string::npos, want = 0;
    for (;;) {
      if (head == std::string::npos) {
        head = buffer.find("\r\n\r\n");
        if (head != std::string::npos) want = head + 4 + content_length(buffer.substr(0, head + 2));
      }
      if (head != std::string::npos && buffer.size() >= want) break;
      const std::size_t n = co_await socket.async_read_some(asio::buffer(piece), asio::use_awaitable);
      buffer.append(piece.data(), n);
    }
    if (buffer.find("\"Completed\"") == std::string::npos) fail(buffer);
    buffer.erase(0, want);
    ms->push_back(ms_since(t));
  }
}

asio::awaitable<void> measure(Runtime runtime, const Target& target, int clients, double seconds) {
  std::vector<std::vector<double>> all(static_cast<std::size_t>(clients));
  const double cpu_before = target.cpu_seconds();
  const auto begin = Clock::now();
  const auto end = begin + std::chrono::milliseconds(static_cast<long>(seconds * 1000));
  TaskGroup group(runtime);
  for (auto& ms : all) group.spawn("client", client(runtime, target, end, &ms));
  co_await group.join();
  const double took = ms_since(begin) / 1000;
  std::vector<double> ms;
  for (auto& one : all) ms.insert(ms.end(), one.begin(), one.end());
  std::sort(ms.begin(), ms.end());
  const double cpu = target.cpu_seconds() - cpu_before;
  std::cout
      << fmt::format(
             "{:<9} {:>5} clients: {:8.0f} workflows/s   p50 {:7.2f} ms   p99 {:7.2f} ms   server {:6.1f} MiB, {:5.0f} "
             "CPU-us a workflow\n",
             target.name, clients, double(ms.size()) / took, ms[ms.size() / 2], ms[ms.size() * 99 / 100],
             target.resident_mib(), cpu * 1e6 / double(ms.size()))
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
    if (flag == "--restate") s.restate = value;
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
    std::vector<std::unique_ptr<Target>> targets;
    targets.push_back(std::make_unique<Millrace>(settings));
    if (!settings.restate.empty()) targets.push_back(std::make_unique<Restate>(settings));
    for (const auto& target : targets)
      std::cout << fmt::format("{:<9} at rest: {:.1f} MiB\n", target->name, target->resident_mib());
    RealRuntime real;
    for (const int clients : settings.clients)
      for (const auto& target : targets)
        real.run_until_done(measure(real.runtime(), *target, clients, settings.seconds));
  }
  std::filesystem::remove_all(settings.dir);
  return 0;
}
