// A throw-away PostgreSQL 15 cluster for one test program.
//
// The constructor makes a data directory under the system's temporary directory, starts a postmaster on a free port of
// 127.0.0.1 and on a Unix socket, and returns when it accepts connections; the destructor stops it and removes the
// directory. A server can't run as root, so as root everything of the server runs as the user `postgres`. If the test
// program dies the kernel stops the postmaster (parent death signal), and the next cluster sweeps what it left.
//
// fsync is off unless `extra_conf` says otherwise. Any local user may connect as any role without a password (trust);
// set_hba() changes that. Making one costs about a second: share one in a program, with a database for each test.
//
// Not thread-safe. start() and restart() are to be called on the thread that outlives the cluster: the kernel counts
// the end of that thread as the parent's death.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::test {

class PgCluster {
 public:
  // `extra_conf`: lines for postgresql.conf, such as "wal_level = logical". Throws std::runtime_error with the server's
  // log if it doesn't start.
  explicit PgCluster(std::vector<std::string> extra_conf = {});
  ~PgCluster();
  PgCluster(const PgCluster&) = delete;
  PgCluster& operator=(const PgCluster&) = delete;

  std::string host() const { return dir_.string(); }  // the directory of the Unix socket; TCP is 127.0.0.1
  int port() const { return port_; }
  std::string user() const { return "postgres"; }  // the superuser
  std::filesystem::path data_dir() const { return dir_ / "data"; }
  // The whole log of the server so far.
  std::string log() const;

  // Runs statements one by one, each in its own transaction unless they say otherwise, stopping at the first error:
  // std::runtime_error with psql's stderr.
  void psql(std::string_view database, std::string_view sql);
  // The same, and returns what psql prints unaligned and without headers (-At), without the last line feed.
  std::string query(std::string_view database, std::string_view sql);
  void create_database(std::string_view name);
  // Replaces pg_hba.conf and reloads it, so that tests may ask for passwords or TLS.
  void set_hba(std::string_view lines);
  void reload();

  void start();
  void stop_immediate();  // as a crash: no checkpoint, the next start recovers
  void restart();         // immediate stop and start; same port
  // Adds lines to postgresql.conf; they count from the next start or reload.
  void append_conf(std::string_view lines);
  // CPU time, in seconds, that all processes of the server have taken so far: what a benchmark takes differences of.
  double cpu_seconds() const;

 private:
  std::string run_psql(std::string_view database, std::string_view sql);
  void stop(int signal);

  std::filesystem::path dir_;
  int port_ = 0;
  pid_t postmaster_ = -1;
};

}  // namespace millrace::test
