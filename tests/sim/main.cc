// sim: runs seeds, in several processes, and says what failed and how to see it again. See --help.
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "common/log.h"
#include "tests/sim/simulation.h"

namespace millrace::sim {
namespace {

constexpr unsigned kSecondsASeed = 120;  // of real time; one takes some milliseconds

struct Options {
  std::uint64_t seeds = 1'000, first = 1, jobs = 2, twice_every = 50;
  bool verbose = false, stop_at_first = false;
};

[[noreturn]] void usage(int code) {
  std::fputs(
      "usage: sim [--seeds N] [--seed S] [--jobs J] [--twice-every K] [--first] [--verbose]\n\n"
      "Runs the engine over the crashing in-memory store on virtual time, one simulation a seed: N seeds from S on\n"
      "(default 1000 from 1; MILLRACE_SIM_SEEDS, MILLRACE_SIM_SEED). Each K-th seed is run twice, and must give the\n"
      "same bytes. --first stops at the first failure. --verbose shows the engine's log and the last histories.\n"
      "Exit code: 0 clean, 1 a violation, 2 usage, 3 a coverage mark was never reached (from 1000 seeds on).\n",
      code == 0 ? stdout : stderr);
  std::exit(code);
}

std::uint64_t number(const char* text) {
  char* end = nullptr;
  const auto n = std::strtoull(text == nullptr ? "" : text, &end, 10);
  if (text == nullptr || end == text || *end != '\0') usage(2);
  return n;
}

Options options_of(int argc, char** argv) {
  Options o;
  if (const char* n = std::getenv("MILLRACE_SIM_SEEDS")) o.seeds = number(n);
  if (const char* n = std::getenv("MILLRACE_SIM_SEED")) o.first = number(n);
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    const auto value = [&] { return number(i + 1 < argc ? argv[++i] : nullptr); };
    if (word == "--help" || word == "-h") usage(0);
    if (word == "--seeds")
      o.seeds = value();
    else if (word == "--seed")
      o.first = value();
    else if (word == "--jobs")
      o.jobs = std::max<std::uint64_t>(1, value());
    else if (word == "--twice-every")
      o.twice_every = value();
    else if (word == "--first")
      o.stop_at_first = true;
    else if (word == "--verbose")
      o.verbose = true;
    else
      usage(2);
  }
  return o;
}

// ---- a worker: one line a seed to its parent ----

void write_line(int fd, const std::string& line) {
  const std::string all = line + "\n";
  for (std::size_t at = 0; at < all.size();) {
    const auto n = ::write(fd, all.data() + at, all.size() - at);
    if (n <= 0) std::_Exit(4);
    at += static_cast<std::size_t>(n);
  }
}

std::string one_line(std::string text) {
  for (char& c : text)
    if (c == '\n') c = ' ';
  return text;
}

void work(const Options& o, std::uint64_t first, int fd) {
  for (std::uint64_t i = first; i < o.seeds; i += o.jobs) {
    const std::uint64_t seed = o.first + i;
    write_line(fd, fmt::format("begin {}", seed));
    ::alarm(kSecondsASeed);
    Outcome outcome = simulate(seed, o.verbose);
    if (o.twice_every != 0 && i % o.twice_every == 0) {
      const Outcome again = simulate(seed);
      if (again.digest != outcome.digest)
        outcome.violations.push_back({"the same seed gives the same bytes", "twice the same seed, two digests"});
    }
    ::alarm(0);
    for (const Violation& v : outcome.violations)
      write_line(fd, fmt::format("fail {} {}\t{}", seed, v.invariant, one_line(v.detail)));
    if (!outcome.violations.empty()) write_line(fd, fmt::format("plan {} {}", seed, outcome.plan));
    std::string marks;
    for (const auto n : outcome.marks.counts()) marks += fmt::format(" {}", n);
    write_line(fd, fmt::format("end {} {} {:016x}{}", seed, outcome.events, outcome.digest, marks));
  }
}

// ---- the parent ----

class Runner {
 public:
  explicit Runner(Options o) : o_(o) {}

  int run() {
    std::fflush(stdout);
    for (std::uint64_t job = 0; job < o_.jobs; ++job) start(job);
    while (open() > 0) read_some();
    return report();
  }

 private:
  struct Worker {
    pid_t pid = 0;
    int fd = -1;
    std::string rest;
    std::string seed;  // that runs
  };

  // Every jobs-th seed from the `first`-th on.
  void start(std::uint64_t first) {
    int ends[2];
    if (::pipe(ends) != 0) std::abort();
    const pid_t pid = ::fork();
    if (pid == 0) {
      ::close(ends[0]);
      work(o_, first, ends[1]);
      std::_Exit(0);
    }
    ::close(ends[1]);
    workers_.push_back({pid, ends[0], {}, {}});
  }

  int open() const {
    int n = 0;
    for (const Worker& w : workers_) n += w.fd >= 0;
    return n;
  }

  void read_some() {
    std::vector<pollfd> fds;
    for (const Worker& w : workers_)
      if (w.fd >= 0) fds.push_back({w.fd, POLLIN, 0});
    if (::poll(fds.data(), fds.size(), -1) < 0) std::abort();
    for (std::size_t i = 0; i < workers_.size(); ++i)  // grows meanwhile
      for (const pollfd& p : fds)
        if (p.fd == workers_[i].fd && p.revents != 0) {
          read_from(workers_[i]);
          break;
        }
    if (o_.stop_at_first && failures_ > 0)
      for (const Worker& w : workers_)
        if (w.fd >= 0) ::kill(w.pid, SIGTERM);
  }

  void read_from(Worker& w) {
    char buffer[65536];
    const auto n = ::read(w.fd, buffer, sizeof buffer);
    if (n > 0) {
      w.rest.append(buffer, static_cast<std::size_t>(n));
      for (auto at = w.rest.find('\n'); at != std::string::npos; at = w.rest.find('\n')) {
        take_line(w, w.rest.substr(0, at));
        w.rest.erase(0, at + 1);
      }
      return;
    }
    ::close(w.fd);
    w.fd = -1;
    int status = 0;
    ::waitpid(w.pid, &status, 0);
    if (status == 0) return;
    if (o_.stop_at_first && failures_ > 0) return;
    const bool late = WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM;
    fail(w.seed, late ? "a seed ends in time" : "no check of the engine fails",
         late ? fmt::format("still runs after {} s", kSecondsASeed)
              : fmt::format("the process ended with {:#x}", status));
    // The rest of its seeds.
    if (!o_.stop_at_first && !w.seed.empty()) start(std::strtoull(w.seed.c_str(), nullptr, 10) - o_.first + o_.jobs);
  }

  void take_line(Worker& w, const std::string& line) {
    const auto space = line.find(' ');
    const std::string word = line.substr(0, space);
    const std::string rest = line.substr(space + 1);
    const auto next = rest.find(' ');
    const std::string seed = rest.substr(0, next);
    if (word == "begin") {
      w.seed = seed;
    } else if (word == "fail") {
      const auto tab = rest.find('\t');
      fail(seed, rest.substr(next + 1, tab - next - 1), rest.substr(tab + 1));
    } else if (word == "plan") {
      std::printf("  faults of seed %s: %s\n", seed.c_str(), rest.substr(next + 1).c_str());
    } else if (word == "end") {
      ++seeds_;
      const char* at = rest.c_str() + next + 1;
      char* after = nullptr;
      events_ += std::strtoull(at, &after, 10);
      digest_ ^= std::strtoull(after, &after, 16);
      for (std::size_t i = 0; i < std::size(kAllMarks); ++i) marks_.add_count(i, std::strtoull(after, &after, 10));
    }
  }

  void fail(const std::string& seed, const std::string& invariant, const std::string& detail) {
    ++failures_;
    if (failures_ > 60) return;
    std::printf("FOUND seed %s: %s\n  %s\n", seed.c_str(), invariant.c_str(), detail.c_str());
    if (seed != last_failed_) std::printf("  to see it again: ./dev sim --seed %s --seeds 1 --verbose\n", seed.c_str());
    last_failed_ = seed;
    std::fflush(stdout);
  }

  int report() {
    int never = 0;
    if (!o_.stop_at_first) {
      for (std::size_t i = 0; i < std::size(kAllMarks); ++i) {
        const auto n = marks_.counts().at(i);
        if (o_.verbose || o_.seeds >= 1'000)
          std::printf("  %10llu  %s\n", static_cast<unsigned long long>(n), std::string(kAllMarks[i]).c_str());
        never += n == 0;
      }
    }
    std::printf("%llu seeds from %llu on, %llu events, digest %016llx, %llu violations\n",
                static_cast<unsigned long long>(seeds_), static_cast<unsigned long long>(o_.first),
                static_cast<unsigned long long>(events_), static_cast<unsigned long long>(digest_),
                static_cast<unsigned long long>(failures_));
    if (failures_ > 0) return 1;
    if (never > 0 && o_.seeds >= 1'000) {
      std::printf("%d marks were never reached\n", never);
      return 3;
    }
    return 0;
  }

  const Options o_;
  std::deque<Worker> workers_;
  Marks marks_;
  std::uint64_t seeds_ = 0, events_ = 0, digest_ = 0, failures_ = 0;
  std::string last_failed_;
};

}  // namespace
}  // namespace millrace::sim

int main(int argc, char** argv) {
  const auto options = millrace::sim::options_of(argc, argv);
  if (options.verbose) {
    millrace::LogOptions log;
    log.level = millrace::LogLevel::debug;
    millrace::set_up_logging(log);
  } else {
    millrace::LogOptions log;
    log.level = millrace::LogLevel::off;
    millrace::set_up_logging(log);
  }
  return millrace::sim::Runner(options).run();
}
