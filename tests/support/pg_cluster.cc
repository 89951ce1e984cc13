#include "tests/support/pg_cluster.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

extern char** environ;

namespace millrace::test {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "millrace-pg-";
constexpr int kStartPolls = 3'000;  // of 20 ms: one minute
constexpr int kPortTries = 5;

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

void write_file(const fs::path& path, std::string_view text, bool append = false) {
  std::ofstream out(path, append ? std::ios::binary | std::ios::app : std::ios::binary);
  out << text;
  if (!out.flush()) throw std::runtime_error("cannot write " + path.string());
}

fs::path bin_dir() {
  for (const char* version : {"15", "16", "17", "14"}) {
    fs::path dir = fs::path("/usr/lib/postgresql") / version / "bin";
    if (fs::exists(dir / "postgres")) return dir;
  }
  throw std::runtime_error("no PostgreSQL server found under /usr/lib/postgresql: run ./dev setup");
}

const passwd& postgres_account() {
  const passwd* account = ::getpwnam("postgres");
  if (account == nullptr) throw std::runtime_error("the user postgres does not exist: run ./dev setup");
  return *account;
}

// The command, to be run as the user postgres if we are root, and stopped if we die.
std::vector<std::string> as_server(std::vector<std::string> command) {
  std::vector<std::string> all = {"setpriv", "--pdeathsig", "QUIT"};
  if (::geteuid() == 0) all.insert(all.end(), {"--reuid", "postgres", "--regid", "postgres", "--init-groups"});
  all.push_back("--");
  all.insert(all.end(), command.begin(), command.end());
  return all;
}

pid_t spawn(const std::vector<std::string>& command, const fs::path& out, const fs::path& err) {
  std::vector<char*> argv;
  for (const auto& word : command) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  const int flags = O_WRONLY | O_CREAT | O_APPEND;
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), flags, 0644);
  posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), flags, 0644);
  // A test may have blocked or ignored signals that the server needs.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int failed = ::posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (failed != 0) throw std::runtime_error("cannot run " + command[0] + ": " + std::strerror(failed));
  return pid;
}

int wait_for(pid_t pid) {
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return -1;
  }
  return status;
}

// Waits up to 20 ms for the end of the process; true if it ended.
bool ended_within_a_poll(pid_t pid) {
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
  if (fd < 0) return true;
  pollfd entry{fd, POLLIN, 0};
  const int ready = ::poll(&entry, 1, 20);
  ::close(fd);
  return ready > 0;
}

int free_port() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  const bool ok = fd >= 0 && ::bind(fd, any, size) == 0 && ::getsockname(fd, any, &size) == 0;
  if (fd >= 0) ::close(fd);
  if (!ok) throw std::runtime_error(std::string("no free port: ") + std::strerror(errno));
  return ntohs(address.sin_port);
}

// Removes what clusters of dead programs left: a SIGKILL runs no destructor.
void sweep(const fs::path& tmp) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(tmp, fs::directory_options::skip_permission_denied, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.rfind(kPrefix, 0) != 0) continue;
    const pid_t owner = static_cast<pid_t>(std::atol(name.c_str() + std::strlen(kPrefix)));
    if (owner <= 0 || ::kill(owner, 0) == 0 || errno != ESRCH) continue;
    // Its postmaster may still be stopping.
    const long postmaster = std::atol(read_file(entry.path() / "data/postmaster.pid").c_str());
    if (postmaster > 0 && ::kill(static_cast<pid_t>(postmaster), 0) == 0) continue;
    fs::remove_all(entry.path(), ignored);
  }
}

}  // namespace

PgCluster::PgCluster(std::vector<std::string> extra_conf) {
  const fs::path tmp = fs::temp_directory_path();
  sweep(tmp);
  std::string name = (tmp / (kPrefix + std::to_string(::getpid()) + "-XXXXXX")).string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
  dir_ = name;
  if (::geteuid() == 0) {
    const passwd& account = postgres_account();
    if (::chown(dir_.c_str(), account.pw_uid, account.pw_gid) != 0) throw std::runtime_error("cannot chown " + name);
  }
  fs::permissions(dir_, fs::perms::owner_all | fs::perms::group_exec | fs::perms::others_exec);
  const std::vector<std::string> init = {(bin_dir() / "initdb").string(),
                                         "--no-sync",
                                         "--no-instructions",
                                         "-A",
                                         "trust",
                                         "-U",
                                         user(),
                                         "-E",
                                         "UTF8",
                                         "--locale",
                                         "C.UTF-8",
                                         "-D",
                                         data_dir().string()};
  if (wait_for(spawn(as_server(init), dir_ / "initdb.log", dir_ / "initdb.log")) != 0) {
    const std::string text = read_file(dir_ / "initdb.log");
    fs::remove_all(dir_);
    throw std::runtime_error("initdb failed: " + text);
  }
  std::string conf =
      "listen_addresses = '127.0.0.1'\nunix_socket_directories = '" + dir_.string() +
      "'\nfsync = off\nfull_page_writes = off\nshared_buffers = 64MB\nmax_connections = 60\nwal_level = logical\n"
      "max_wal_senders = 10\nmax_replication_slots = 10\nlog_line_prefix = '%m [%p] '\n";
  for (const auto& line : extra_conf) conf += line + "\n";
  append_conf(conf);
  try {
    start();
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(dir_, ignored);
    throw;
  }
}

PgCluster::~PgCluster() {
  stop(SIGQUIT);
  std::error_code ignored;
  fs::remove_all(dir_, ignored);
}

std::string PgCluster::log() const { return read_file(dir_ / "log"); }

void PgCluster::append_conf(std::string_view lines) {
  write_file(data_dir() / "postgresql.conf", std::string(lines) + "\n", true);
}

void PgCluster::set_hba(std::string_view lines) {
  write_file(data_dir() / "pg_hba.conf", std::string(lines) + "\n");
  reload();
}

void PgCluster::reload() {
  // The answer of pg_reload_conf() comes before the postmaster acted; its load time tells when it has.
  const std::string before = query("postgres", "SELECT pg_conf_load_time()");
  ::kill(postmaster_, SIGHUP);
  for (int i = 0; i < kStartPolls; ++i) {
    if (ended_within_a_poll(postmaster_)) throw std::runtime_error("PostgreSQL ended:\n" + log());
    try {
      if (query("postgres", "SELECT pg_conf_load_time()") != before) return;
    } catch (const std::runtime_error&) {
      return;  // the new rules refuse this very connection, so they are in force
    }
  }
  throw std::runtime_error("PostgreSQL does not reload:\n" + log());
}

void PgCluster::start() {
  if (postmaster_ > 0) return;
  for (int attempt = 1;; ++attempt) {
    if (port_ == 0) port_ = free_port();
    const std::vector<std::string> server = {(bin_dir() / "postgres").string(), "-D", data_dir().string(), "-p",
                                             std::to_string(port_)};
    postmaster_ = spawn(as_server(server), dir_ / "log", dir_ / "log");
    bool ended = false;
    for (int i = 0; i < kStartPolls && !ended; ++i) {
      // Line 8 of the pid file is what pg_ctl looks at; the pid is in line 1.
      std::istringstream pid_file(read_file(data_dir() / "postmaster.pid"));
      std::string line, first;
      for (int n = 1; std::getline(pid_file, line); ++n) {
        if (n == 1) first = line;
        if (n == 8 && line.rfind("ready", 0) == 0 && first == std::to_string(postmaster_)) return;
      }
      ended = ended_within_a_poll(postmaster_);
    }
    const std::string text = log();
    stop(SIGQUIT);
    // Somebody else may have taken the port between our look and the server's.
    const bool port_taken = text.find("could not create any TCP/IP sockets") != std::string::npos;
    if (!port_taken || attempt == kPortTries) throw std::runtime_error("PostgreSQL does not start:\n" + text);
    std::error_code ignored;
    fs::remove(dir_ / "log", ignored);
    port_ = 0;
  }
}

void PgCluster::stop(int signal) {
  if (postmaster_ <= 0) return;
  ::kill(postmaster_, signal);
  wait_for(postmaster_);
  postmaster_ = -1;
}

void PgCluster::stop_immediate() { stop(SIGQUIT); }

void PgCluster::restart() {
  stop_immediate();
  start();
}

std::string PgCluster::run_psql(std::string_view database, std::string_view sql) {
  const fs::path in = dir_ / "in.sql", out = dir_ / "out", err = dir_ / "err";
  for (const auto& file : {out, err}) fs::remove(file);
  write_file(in, sql);
  const std::vector<std::string> command = {(bin_dir() / "psql").string(),
                                            "-X",
                                            "-q",
                                            "-At",
                                            "-v",
                                            "ON_ERROR_STOP=1",
                                            "-v",
                                            "VERBOSITY=verbose",
                                            "-h",
                                            host(),
                                            "-p",
                                            std::to_string(port_),
                                            "-U",
                                            user(),
                                            "-d",
                                            std::string(database),
                                            "-f",
                                            in.string()};
  const int status = wait_for(spawn(command, out, err));
  if (status != 0) throw std::runtime_error("psql: " + read_file(err));
  return read_file(out);
}

void PgCluster::psql(std::string_view database, std::string_view sql) { run_psql(database, sql); }

std::string PgCluster::query(std::string_view database, std::string_view sql) {
  std::string text = run_psql(database, sql);
  if (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

void PgCluster::create_database(std::string_view name) {
  std::string quoted = "\"";
  for (char c : name) quoted += c == '"' ? "\"\"" : std::string(1, c);
  psql("postgres", "CREATE DATABASE " + quoted + "\"");
}

double PgCluster::cpu_seconds() const {
  double ticks = 0;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    std::ifstream stat(entry.path() / "stat");
    std::string line;
    if (!std::getline(stat, line)) continue;
    const std::size_t name = line.rfind(')');  // it may hold blanks
    if (name == std::string::npos) continue;
    std::istringstream fields(line.substr(name + 2));
    char state = 0;
    pid_t parent = 0;
    fields >> state >> parent;
    const bool is_postmaster = entry.path().filename() == std::to_string(postmaster_);
    if (!is_postmaster && parent != postmaster_) continue;
    std::string skipped;
    for (int field = 5; field < 14; ++field) fields >> skipped;
    double user = 0, system = 0, user_of_ended = 0, system_of_ended = 0;
    fields >> user >> system >> user_of_ended >> system_of_ended;
    ticks += user + system + user_of_ended + system_of_ended;
  }
  return ticks / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace millrace::test
