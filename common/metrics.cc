#include "common/metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <mutex>

#include <fmt/format.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace millrace {
namespace {

struct All {
  std::mutex mutex;
  prometheus::Registry registry;
  std::map<std::string, prometheus::Family<prometheus::Counter>*> counters;
  std::map<std::string, prometheus::Family<prometheus::Gauge>*> gauges;
  std::map<std::string, prometheus::Family<prometheus::Histogram>*> histograms;
};

All& all() {
  static All a;
  return a;
}

double file_count(const char* dir) {
  DIR* d = ::opendir(dir);
  if (d == nullptr) return 0;
  double n = 0;
  while (::readdir(d) != nullptr) ++n;
  ::closedir(d);
  return n - 3;  // ".", ".." and the directory's own descriptor
}

}  // namespace

void Counter::add(double n) { c_->Increment(n); }
void Gauge::set(double v) { g_->Set(v); }
void Gauge::add(double v) { g_->Increment(v); }
void Histogram::observe(double v) { h_->Observe(v); }

Counter metric_counter(const std::string& name, const std::string& help, const MetricLabels& labels) {
  All& a = all();
  std::lock_guard lock(a.mutex);
  auto& family = a.counters[name];
  if (family == nullptr) family = &prometheus::BuildCounter().Name(name).Help(help).Register(a.registry);
  return Counter(family->Add(labels));
}

Gauge metric_gauge(const std::string& name, const std::string& help, const MetricLabels& labels) {
  All& a = all();
  std::lock_guard lock(a.mutex);
  auto& family = a.gauges[name];
  if (family == nullptr) family = &prometheus::BuildGauge().Name(name).Help(help).Register(a.registry);
  return Gauge(family->Add(labels));
}

Histogram metric_histogram(const std::string& name, const std::string& help, const std::vector<double>& buckets,
                           const MetricLabels& labels) {
  All& a = all();
  std::lock_guard lock(a.mutex);
  auto& family = a.histograms[name];
  if (family == nullptr) family = &prometheus::BuildHistogram().Name(name).Help(help).Register(a.registry);
  return Histogram(family->Add(labels, buckets));
}

const std::vector<double>& latency_buckets() {
  static const std::vector<double> b = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                        0.05,   0.1,     0.25,   0.5,   1,      2.5,   5,    10};
  return b;
}

std::string render_metrics() {
  rusage use{};
  ::getrusage(RUSAGE_SELF, &use);
  {
    // A counter can only be raised: by what was used since the last look.
    static std::mutex mutex;
    static double told = 0;
    std::lock_guard lock(mutex);
    const double used =
        double(use.ru_utime.tv_sec + use.ru_stime.tv_sec) + double(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
    metric_counter("process_cpu_seconds_total", "User and system CPU time in seconds").add(used - told);
    told = used;
  }
  if (FILE* f = std::fopen("/proc/self/statm", "r")) {
    long size = 0, resident = 0;
    if (std::fscanf(f, "%ld %ld", &size, &resident) == 2)
      metric_gauge("process_resident_memory_bytes", "Resident memory in bytes")
          .set(double(resident) * double(::sysconf(_SC_PAGESIZE)));
    std::fclose(f);
  }
  metric_gauge("process_open_fds", "Open file descriptors").set(file_count("/proc/self/fd"));
  return prometheus::TextSerializer().Serialize(all().registry.Collect());
}

}  // namespace millrace
