// curl multi, driven by Asio. curl tells which sockets it waits for (socket callback) and when it wants to be called
// next (timer callback); Asio waits for both and tells curl (curl_multi_socket_action). All of it runs on one strand.
#include "net/http_client.h"

#include <curl/curl.h>

#include <mutex>
#include <optional>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>

#include "common/check.h"
#include "common/errors.h"
#include "common/event.h"

namespace millrace::net {
namespace {

constexpr std::size_t kMaxResponseBytes = 64 << 20;  // of a collected body; beyond it the exchange fails

struct EasyDeleter {
  void operator()(CURL* c) const { curl_easy_cleanup(c); }
};
struct ListDeleter {
  void operator()(curl_slist* l) const { curl_slist_free_all(l); }
};

// curl's own start-up is not thread-safe: done once, before the first handle.
void start_curl() {
  static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
  check(done == CURLE_OK, "curl starts");
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

}  // namespace

// One request and its answer. Shared between the caller and the strand.
struct Exchange {
  explicit Exchange(HttpRequest r) : request(std::move(r)) {}
  HttpRequest request;
  HttpResponse response;
  std::unique_ptr<CURL, EasyDeleter> easy;
  std::unique_ptr<curl_slist, ListDeleter> headers;
  CURLcode outcome = CURLE_OK;
  char error_text[CURL_ERROR_SIZE] = {};
  bool too_large = false;
  std::mutex mutex;        // guards `abandoned` against on_body
  bool abandoned = false;  // the caller is gone: on_body must not be called any more
  Event done;
};

namespace {

std::size_t on_body(char* data, std::size_t, std::size_t n, void* user) {
  auto& x = *static_cast<Exchange*>(user);
  if (x.request.on_body) {
    std::lock_guard lock(x.mutex);
    if (x.abandoned) return 0;
    x.request.on_body(std::string_view(data, n));
    return n;
  }
  if (x.response.body.size() + n > kMaxResponseBytes) {
    x.too_large = true;
    return 0;
  }
  x.response.body.append(data, n);
  return n;
}

std::size_t on_header(char* data, std::size_t, std::size_t n, void* user) {
  auto& x = *static_cast<Exchange*>(user);
  std::string_view line(data, n);
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    x.response.headers.clear();  // of a 100 Continue or a redirect
  } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    x.response.headers[lower(std::string(line.substr(0, colon)))] = std::string(value);
  }
  return n;
}

}  // namespace

class HttpClient::Impl : public std::enable_shared_from_this<Impl> {
 public:
  explicit Impl(Runtime r) : runtime(std::move(r)), strand(runtime.make_strand()) {
    start_curl();
    multi_ = curl_multi_init();
    check(multi_ != nullptr, "curl makes a multi handle");
    curl_multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, &Impl::on_socket);
    curl_multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, &Impl::on_timer);
    curl_multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  }
  ~Impl() {
    closed_ = true;
    for (auto& [easy, x] : running_) curl_multi_remove_handle(multi_, easy);
    curl_multi_cleanup(multi_);
    for (auto& [fd, w] : watches_) w->descriptor.release();
  }

  // The functions below run on the strand.

  void begin(std::shared_ptr<Exchange> x) {
    const HttpRequest& r = x->request;
    x->easy.reset(curl_easy_init());
    check(x->easy != nullptr, "curl makes a handle");
    CURL* c = x->easy.get();
    curl_easy_setopt(c, CURLOPT_URL, r.url.c_str());
    curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(c, CURLOPT_HTTP_VERSION, long(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(c, CURLOPT_ERRORBUFFER, x->error_text);
    curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, &on_body);
    curl_easy_setopt(c, CURLOPT_WRITEDATA, x.get());
    curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, &on_header);
    curl_easy_setopt(c, CURLOPT_HEADERDATA, x.get());
    curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, 10'000L);
    if (r.timeout.count() > 0) curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, long(r.timeout.count() / 1000 + 1));
    if (!r.ca_file.empty()) curl_easy_setopt(c, CURLOPT_CAINFO, r.ca_file.c_str());
    if (r.insecure) {
      curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
      curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, r.method.c_str());
    if (r.method == "HEAD") curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
    if (!r.body.empty() || r.method == "POST" || r.method == "PUT" || r.method == "PATCH") {
      curl_easy_setopt(c, CURLOPT_POSTFIELDS, r.body.data());
      curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(r.body.size()));
    }
    curl_slist* list = curl_slist_append(nullptr, "Expect:");  // no wait for 100 Continue
    for (const auto& [name, value] : r.headers) list = curl_slist_append(list, (name + ": " + value).c_str());
    x->headers.reset(list);
    curl_easy_setopt(c, CURLOPT_HTTPHEADER, list);
    running_.emplace(c, std::move(x));
    curl_multi_add_handle(multi_, c);
  }

  void abandon(const std::shared_ptr<Exchange>& x) {
    if (running_.erase(x->easy.get()) != 0) curl_multi_remove_handle(multi_, x->easy.get());
  }

  void act(curl_socket_t fd, int what) {
    int left = 0;
    curl_multi_socket_action(multi_, fd, what, &left);
    while (CURLMsg* m = curl_multi_info_read(multi_, &left)) {
      if (m->msg != CURLMSG_DONE) continue;
      const auto it = running_.find(m->easy_handle);
      if (it == running_.end()) continue;
      const auto x = it->second;
      x->outcome = m->data.result;
      long status = 0;
      curl_easy_getinfo(m->easy_handle, CURLINFO_RESPONSE_CODE, &status);
      x->response.status = int(status);
      curl_multi_remove_handle(multi_, m->easy_handle);
      running_.erase(it);
      x->done.set();
    }
  }

  Runtime runtime;
  asio::any_io_executor strand;

 private:
  struct Watch {
    Watch(const asio::any_io_executor& ex, curl_socket_t fd) : descriptor(ex, fd) {}
    asio::posix::stream_descriptor descriptor;
    int wanted = 0;  // CURL_POLL_*
    bool reading = false, writing = false;
  };
  using WatchPtr = std::shared_ptr<Watch>;

  static int on_socket(CURL*, curl_socket_t fd, int what, void* user, void*) {
    static_cast<Impl*>(user)->watch(fd, what);
    return 0;
  }
  static int on_timer(CURLM*, long ms, void* user) {
    static_cast<Impl*>(user)->set_timer(ms);
    return 0;
  }

  void watch(curl_socket_t fd, int what) {
    if (closed_) return;
    auto it = watches_.find(fd);
    if (what == CURL_POLL_REMOVE) {
      if (it == watches_.end()) return;
      it->second->wanted = 0;
      it->second->descriptor.release();  // curl owns the socket and closes it
      watches_.erase(it);
      return;
    }
    if (it == watches_.end()) it = watches_.emplace(fd, std::make_shared<Watch>(strand, fd)).first;
    it->second->wanted = what;
    arm(fd, it->second);
  }

  void arm(curl_socket_t fd, const WatchPtr& w) {
    using Descriptor = asio::posix::stream_descriptor;
    if ((w->wanted & CURL_POLL_IN) != 0 && !w->reading) {
      w->reading = true;
      w->descriptor.async_wait(Descriptor::wait_read, [self = shared_from_this(), fd, w](boost::system::error_code e) {
        w->reading = false;
        self->ready(fd, w, CURL_CSELECT_IN, CURL_POLL_IN, e);
      });
    }
    if ((w->wanted & CURL_POLL_OUT) != 0 && !w->writing) {
      w->writing = true;
      w->descriptor.async_wait(Descriptor::wait_write, [self = shared_from_this(), fd, w](boost::system::error_code e) {
        w->writing = false;
        self->ready(fd, w, CURL_CSELECT_OUT, CURL_POLL_OUT, e);
      });
    }
  }

  void ready(curl_socket_t fd, const WatchPtr& w, int event, int wish, boost::system::error_code error) {
    if (error == asio::error::operation_aborted) return;
    const auto is_current = [&] {
      const auto it = watches_.find(fd);
      return it != watches_.end() && it->second == w;
    };
    if (!is_current()) return;
    if ((w->wanted & wish) != 0) act(fd, error ? CURL_CSELECT_ERR : event);
    if (is_current()) arm(fd, w);
  }

  void set_timer(long ms) {
    if (closed_) return;
    if (timer_) timer_->emit(asio::cancellation_type::terminal);
    timer_.reset();
    ++timer_number_;
    if (ms < 0) return;
    if (ms == 0) {  // curl must not be called from its own callback
      asio::post(strand, [self = shared_from_this(), n = timer_number_] {
        if (self->timer_number_ == n) self->act(CURL_SOCKET_TIMEOUT, 0);
      });
      return;
    }
    timer_ = std::make_shared<asio::cancellation_signal>();
    asio::co_spawn(strand, sleep_then_act(shared_from_this(), timer_number_, ms),
                   asio::bind_cancellation_slot(timer_->slot(), [keep = timer_](std::exception_ptr) {}));
  }

  static asio::awaitable<void> sleep_then_act(std::shared_ptr<Impl> self, std::uint64_t number, long ms) {
    co_await self->runtime.sleep_for(std::chrono::milliseconds(ms));
    if (self->timer_number_ == number) self->act(CURL_SOCKET_TIMEOUT, 0);
  }

  CURLM* multi_ = nullptr;
  bool closed_ = false;
  std::map<CURL*, std::shared_ptr<Exchange>> running_;
  std::map<curl_socket_t, WatchPtr> watches_;
  std::shared_ptr<asio::cancellation_signal> timer_;
  std::uint64_t timer_number_ = 0;
};

namespace {

[[noreturn]] void fail(const Exchange& x) {
  const std::string cause = x.too_large ? "the answer is longer than 64 MiB"
                                        : (x.error_text[0] != 0 ? x.error_text : curl_easy_strerror(x.outcome));
  const std::string detail = x.request.method + " " + x.request.url + ": " + cause;
  switch (x.outcome) {
    case CURLE_OPERATION_TIMEDOUT:
      throw Error("http.timed_out", detail);
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
      throw Error("http.tls_failed", detail);
    default:
      throw Error("http.unreachable", detail);
  }
}

}  // namespace

HttpClient::HttpClient(Runtime runtime) : impl_(std::make_shared<Impl>(std::move(runtime))) {}
HttpClient::~HttpClient() = default;

asio::awaitable<HttpResponse> HttpClient::send(HttpRequest request) {
  const auto impl = impl_;
  const auto x = std::make_shared<Exchange>(std::move(request));
  asio::post(impl->strand, [impl, x] { impl->begin(x); });
  std::exception_ptr cancelled;
  try {
    co_await x->done.wait();
  } catch (...) {
    cancelled = std::current_exception();
  }
  if (cancelled) {
    {
      std::lock_guard lock(x->mutex);
      x->abandoned = true;
    }
    asio::post(impl->strand, [impl, x] { impl->abandon(x); });
    std::rethrow_exception(cancelled);
  }
  if (x->outcome != CURLE_OK) fail(*x);
  co_return std::move(x->response);
}

}  // namespace millrace::net
