#include "net/postgres_copy_raw.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include <boost/asio/use_awaitable.hpp>

#include "common/byte_order.h"
#include "common/check.h"
#include "net/postgres_errors.h"

namespace millrace::net {
namespace {

constexpr std::size_t kHead = 5;  // type and int32 length, which counts itself but not the type
constexpr std::uint32_t kMaxMessage = 0x7fffffff;
constexpr std::string_view kSignature{"PGCOPY\n\377\r\n\0", 11};

std::string head_of(char type, std::size_t body) {
  std::string head(1, type);
  append_big_endian(head, static_cast<std::int32_t>(body + 4));
  return head;
}

}  // namespace

std::size_t binary_header_length(std::string_view message) {
  if (!message.starts_with(kSignature) || message.size() < 19)
    throw Error("postgres.bad_copy", "the binary COPY does not begin with its signature");
  const auto extension = from_big_endian<std::uint32_t>(message.data() + 15);
  if (extension > message.size() - 19) throw Error("postgres.bad_copy", "the header of the binary COPY is cut");
  return 19 + extension;
}

bool is_binary_trailer(std::string_view message) {
  return message.size() == 2 && message[0] == '\xff' && message[1] == '\xff';
}

std::int64_t rows_of_command_tag(std::string_view tag) {
  const auto at = tag.rfind(' ');
  std::int64_t rows = 0;
  if (at != std::string_view::npos) std::from_chars(tag.data() + at + 1, tag.data() + tag.size(), rows);
  return rows;
}

RawCopy::RawCopy(Runtime runtime, asio::posix::stream_descriptor& socket)
    : runtime_(std::move(runtime)), socket_(&socket), fd_(socket.native_handle()) {
  int domain = 0;
  socklen_t length = sizeof domain;
  // TCP sizes its own buffers, and would stop if it were told one.
  if (::getsockopt(fd_, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain == AF_UNIX)
    ::setsockopt(fd_, SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes);
}

void RawCopy::socket_failed(int error, const char* doing) {
  if (error_) throw *error_;  // the server said why before it closed
  throw connection_lost(error == 0 ? "the server closed the connection"
                                   : std::string(doing) + ": " + std::strerror(error));
}

bool RawCopy::receive_now() {
  if (!buffer_) {
    buffer_ = std::make_unique_for_overwrite<char[]>(kReceiveBytes);
    capacity_ = kReceiveBytes;
  }
  if (begin_ == end_) begin_ = end_ = 0;
  if (begin_ > 0 && capacity_ - end_ < kReceiveBytes / 4) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == capacity_) {  // a control message (an error with a long detail) larger than the buffer
    auto larger = std::make_unique_for_overwrite<char[]>(capacity_ * 2);
    std::memcpy(larger.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    buffer_ = std::move(larger);
    capacity_ *= 2;
  }
  for (;;) {
    const ssize_t n = ::recv(fd_, buffer_.get() + end_, capacity_ - end_, MSG_DONTWAIT);
    if (n > 0) {
      last_received_ = static_cast<std::size_t>(n);
      end_ += static_cast<std::size_t>(n);
      return true;
    }
    if (n == 0) socket_failed(0, "receive");
    if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
    if (errno != EINTR) socket_failed(errno, "receive");
  }
}

void RawCopy::take_off_reactor() {
  if (socket_->is_open()) socket_->release();
}

void RawCopy::put_on_reactor() {
  if (!socket_->is_open()) socket_->assign(fd_);
}

asio::awaitable<void> RawCopy::wait(asio::posix::stream_descriptor::wait_type what) {
  put_on_reactor();
  return socket_->async_wait(what, asio::use_awaitable);
}

asio::awaitable<void> RawCopy::receive() {
  if (!gathers_) {
    while (!receive_now()) co_await wait(asio::posix::stream_descriptor::wait_read);
    co_return;
  }
  if (last_received_ < kPlenty) co_await runtime_.sleep_for(kGather);
  for (int looks = 1; !receive_now(); ++looks) {
    if (looks < kEmptyLooks) {
      co_await runtime_.sleep_for(kGather);
    } else {
      co_await wait(asio::posix::stream_descriptor::wait_read);
      take_off_reactor();
    }
  }
}

asio::awaitable<void> RawCopy::send(std::string bytes) {
  std::string_view rest = bytes;
  while (!rest.empty()) {
    const ssize_t n = ::send(fd_, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n >= 0) {
      rest.remove_prefix(static_cast<std::size_t>(n));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      co_await wait(asio::posix::stream_descriptor::wait_write);
    } else if (errno != EINTR) {
      socket_failed(errno, "send");
    }
  }
}

asio::awaitable<void> RawCopy::send_message(char type, std::string body) {
  std::string message = head_of(type, body.size());
  message += body;
  co_await send(std::move(message));
}

void RawCopy::take_control(char type, std::string_view body) {
  switch (type) {
    case 'H':
    case 'G':
    case 'W':
      copy_response_ = type;
      return;
    case 'c':
      data_ended_ = true;
      return;
    case 'C':
      data_ended_ = true;
      rows_ = rows_of_command_tag(body.substr(0, body.find('\0')));
      return;
    case 'Z':
      ready_ = true;
      return;
    case 'T':  // a statement that is no COPY
    case 'D':
    case 'I':
    case 'N':
    case 'A':
    case 'S':
      return;
    case 'E': {
      std::string_view state, message, detail, hint;
      while (!body.empty() && body.front() != '\0') {
        const char field = body.front();
        body.remove_prefix(1);
        const std::string_view value = body.substr(0, body.find('\0'));
        body.remove_prefix(std::min(body.size(), value.size() + 1));
        if (field == 'C') state = value;
        if (field == 'M') message = value;
        if (field == 'D') detail = value;
        if (field == 'H') hint = value;
        if (field == 'V') fatal_ = value != "ERROR";
      }
      if (!error_) error_ = statement_error(state, message, detail, hint);
      data_ended_ = true;
      return;
    }
    default:
      throw connection_lost(std::string("a message of type '") + type + "' in a COPY");
  }
}

bool RawCopy::take_control() {
  if (end_ - begin_ < kHead) return false;
  const char type = buffer_[begin_];
  const auto length = from_big_endian<std::uint32_t>(buffer_.get() + begin_ + 1);
  if (length < 4 || length > kMaxMessage) throw connection_lost("a message without a sensible length in a COPY");
  if (end_ - begin_ < 1 + std::size_t{length}) return false;
  const std::string_view body(buffer_.get() + begin_ + kHead, length - 4);
  begin_ += 1 + std::size_t{length};
  take_control(type, body);
  return true;
}

void RawCopy::throw_statement_error() {
  const PostgresError error = *error_;
  error_.reset();
  throw error;
}

asio::awaitable<void> RawCopy::drain() {
  while (!ready_) {
    if (payload_left_ > 0) {
      const std::size_t n = std::min(payload_left_, end_ - begin_);
      begin_ += n;
      payload_left_ -= n;
    }
    const bool is_data = payload_left_ == 0 && end_ - begin_ >= kHead && buffer_[begin_] == 'd';
    if (is_data) {
      payload_left_ = from_big_endian<std::uint32_t>(buffer_.get() + begin_ + 1) - 4;
      begin_ += kHead;
      continue;
    }
    if (payload_left_ == 0 && take_control()) continue;
    co_await receive();
  }
  gathers_ = false;
  put_on_reactor();
  quiet_ = true;
  if (error_) throw_statement_error();
}

asio::awaitable<void> RawCopy::begin(std::string sql, char expected) {
  check(quiet_, "a raw COPY begins on a quiet session");
  quiet_ = false;
  begin_ = end_ = payload_left_ = 0;
  ready_ = data_ended_ = fatal_ = false;
  copy_response_ = 0;
  rows_ = 0;
  error_.reset();
  sql += '\0';
  co_await send_message('Q', std::move(sql));
  while (copy_response_ == 0 && !ready_ && !error_)
    if (!take_control()) co_await receive();
  data_ended_ = false;  // set by the end of a statement before the COPY
  if (copy_response_ == expected) co_return;
  if (copy_response_ == 'G') co_await send_message('f', std::string("not a COPY TO STDOUT\0", 21));
  co_await drain();
  throw PostgresError("postgres.query_failed", "the statement is not the COPY that it should be", {});
}

asio::awaitable<void> RawCopy::begin_out(std::string sql) {
  co_await begin(std::move(sql), 'H');
  gathers_ = true;
  last_received_ = kPlenty;  // whatever has come is looked at first
  take_off_reactor();
}
asio::awaitable<void> RawCopy::begin_in(std::string sql) { return begin(std::move(sql), 'G'); }

asio::awaitable<bool> RawCopy::read(std::vector<char>& out, std::size_t want, CopyOutFilter& filter,
                                    std::uint32_t& taken) {
  const std::size_t start = out.size();
  const std::size_t wanted = start + want + want / 8;
  // Twice, or a caller that gathers all in one vector would have it copied with each call.
  if (wanted > out.capacity()) out.reserve(std::max(wanted, 2 * start));
  for (;;) {
    // The front of the buffer: the rest of a large message, or whole messages.
    if (payload_left_ > 0 && end_ > begin_) {
      const std::size_t n = std::min(payload_left_, end_ - begin_);
      out.insert(out.end(), buffer_.get() + begin_, buffer_.get() + begin_ + n);
      begin_ += n;
      payload_left_ -= n;
      if (payload_left_ == 0) ++taken;
    }
    if (payload_left_ == 0) {
      const char* at = buffer_.get() + begin_;
      const char* const end = buffer_.get() + end_;
      std::uint32_t rows = 0;
      while (end - at >= static_cast<std::ptrdiff_t>(kHead) && *at == 'd') {
        if (out.size() - start >= want) break;
        std::size_t length = from_big_endian<std::uint32_t>(at + 1) - 4;
        const std::size_t here = static_cast<std::size_t>(end - at) - kHead;
        if (filter.binary_rows) {
          if (!filter.header_seen) {
            if (here < std::min(length, std::size_t{19})) break;  // the header in full first
            const std::size_t header = binary_header_length({at + kHead, std::min(length, here)});
            filter.header_seen = true;
            length -= header;
            at += header;
            if (length == 0) {  // the header alone
              at += kHead;
              continue;
            }
            if (length == 2 && here >= header + 2 && is_binary_trailer({at + kHead, 2})) {
              at += kHead + 2;
              continue;
            }
            const std::size_t n = std::min(length, here - header);
            out.insert(out.end(), at + kHead, at + kHead + n);
            at += kHead + n;
            payload_left_ = length - n;
            if (payload_left_ > 0) break;
            ++rows;
            continue;
          }
          if (length == 2) {
            if (here < 2) break;
            if (is_binary_trailer({at + kHead, 2})) {
              at += kHead + 2;
              continue;
            }
          }
        }
        if (length <= here) {
          out.insert(out.end(), at + kHead, at + kHead + length);
          at += kHead + length;
          ++rows;
        } else {
          out.insert(out.end(), at + kHead, end);
          at = end;
          payload_left_ = length - here;
          break;
        }
      }
      taken += rows;
      begin_ = static_cast<std::size_t>(at - buffer_.get());
      if (payload_left_ == 0) {
        if (out.size() - start >= want) co_return true;
        if (end_ - begin_ >= kHead && buffer_[begin_] != 'd' && take_control()) {
          if (data_ended_) {
            co_await drain();
            co_return false;
          }
          continue;
        }
      }
    }
    co_await receive();
  }
}

asio::awaitable<void> RawCopy::write(std::string_view bytes) {
  // An error of the server shows here at the latest with the next batch; it would otherwise drop all that follows
  // unseen.
  while (receive_now())
    while (take_control()) {
    }
  if (error_) co_await drain();

  while (!bytes.empty()) {
    constexpr std::size_t kFrames = 8;
    std::array<char, kHead * kFrames> heads;
    std::array<iovec, 2 * kFrames> parts;
    std::size_t count = 0;
    for (std::size_t f = 0; f < kFrames && !bytes.empty(); ++f) {
      const std::size_t n = std::min(bytes.size(), kFrameBytes);
      char* head = heads.data() + kHead * f;
      head[0] = 'd';
      to_big_endian(static_cast<std::int32_t>(n + 4), head + 1);
      parts[count++] = {head, kHead};
      parts[count++] = {const_cast<char*>(bytes.data()), n};
      bytes.remove_prefix(n);
    }
    iovec* next = parts.data();
    while (count > 0) {
      msghdr message{};
      message.msg_iov = next;
      message.msg_iovlen = count;
      const ssize_t n = ::sendmsg(fd_, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n < 0) {
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) {
          const int error = errno;
          while (receive_now())  // throws at the end of the stream, with the server's last words if it left some
            while (take_control()) {
            }
          socket_failed(error, "send");
        }
        co_await wait(asio::posix::stream_descriptor::wait_write);
        continue;
      }
      auto sent = static_cast<std::size_t>(n);
      while (count > 0 && sent >= next->iov_len) {
        sent -= next->iov_len;
        ++next;
        --count;
      }
      if (count > 0) {
        next->iov_base = static_cast<char*>(next->iov_base) + sent;
        next->iov_len -= sent;
      }
    }
  }
}

asio::awaitable<void> RawCopy::end_in() {
  co_await send_message('c', {});
  co_await drain();
}

asio::awaitable<void> RawCopy::fail_in(std::string reason) {
  reason += '\0';
  co_await send_message('f', std::move(reason));
  std::exception_ptr failure;
  try {
    co_await drain();
  } catch (const PostgresError& e) {
    if (!quiet_ || e.sqlstate() != "57014") failure = std::current_exception();  // 57014: the failure we asked for
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace millrace::net
