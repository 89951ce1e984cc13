// The metric registry: prometheus-cpp's, reached through one small set of functions.
//
// Names follow docs/reference/metrics.md: prefix millrace_, base units, no label that grows without bound. A metric is
// made on first use and found again by name and labels; keep the reference where it is hot. Thread-safe.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace millrace {

using MetricLabels = std::map<std::string, std::string>;

class Counter {
 public:
  explicit Counter(prometheus::Counter& c) : c_(&c) {}
  void add(double n = 1);

 private:
  prometheus::Counter* c_;
};
class Gauge {
 public:
  explicit Gauge(prometheus::Gauge& g) : g_(&g) {}
  void set(double v);
  void add(double v);

 private:
  prometheus::Gauge* g_;
};
class Histogram {
 public:
  explicit Histogram(prometheus::Histogram& h) : h_(&h) {}
  void observe(double v);

 private:
  prometheus::Histogram* h_;
};

Counter metric_counter(const std::string& name, const std::string& help, const MetricLabels& labels = {});
Gauge metric_gauge(const std::string& name, const std::string& help, const MetricLabels& labels = {});
// Buckets: upper bounds in the metric's unit, ascending. The first call for a name decides them.
Histogram metric_histogram(const std::string& name, const std::string& help, const std::vector<double>& buckets,
                           const MetricLabels& labels = {});
// 100 µs to 10 s, for latencies in seconds.
const std::vector<double>& latency_buckets();

// All metrics, and process_* of this process, in the Prometheus text format 0.0.4.
std::string render_metrics();

}  // namespace millrace
