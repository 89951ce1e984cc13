#include "tests/testkit/ledger.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace millrace::testkit {
namespace {

void append(const std::string& path, const std::string& line) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (fd < 0) throw std::runtime_error("the ledger " + path + ": " + std::strerror(errno));
  const auto n = ::write(fd, line.data(), line.size());
  ::close(fd);
  if (n != static_cast<ssize_t>(line.size())) throw std::runtime_error("the ledger " + path + " could not be written");
}

}  // namespace

asio::awaitable<void> write_ledger(engine::StepContext& context, std::string path) {
  if (path.empty()) co_return;
  const std::string line =
      context.token().run_id + " " + context.activity_id() + " " + std::to_string(context.token().attempt) + "\n";
  auto write = [path, line] { append(path, line); };  // named: see the traps of g++ 12
  co_await context.runtime().blocking(write);
}

}  // namespace millrace::testkit
