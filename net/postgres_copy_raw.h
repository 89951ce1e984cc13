// COPY without libpq's buffers: CopyData frames read off the socket and written to it as they are.
//
// libpq hands each row of a COPY out in a block of its own from malloc, and copies each row of a COPY in through its
// output buffer. Reading and writing the frames directly (PostgreSQL 15 documentation, 55.2.6 "COPY Operations", 55.7
// "Message Formats") saves both: one copy of each row on the way in, none on the way out.
//
// How the socket changes hands. A session between two statements is quiet: libpq has sent all it had (PQflush gave 0)
// and has read up to ReadyForQuery, the last message of the statement before. In that moment, and only then, RawCopy
// takes over: it sends the Query message with the COPY itself and reads every message up to and including the next
// ReadyForQuery. libpq sees none of it and finds the session just as quiet as it left it. What a server may send
// between statements (notices, parameter changes) either waits in the socket, where RawCopy reads over it, or has been
// taken whole by libpq; half a message in libpq's buffer would show as a frame of unknown type, and the session is then
// declared broken.
//
// A server sends COPY OUT in pieces of 8 KiB and wakes a reader that waits for each: some 5 us of both sides' time for
// 47 rows. So while data comes, the socket is taken off the reactor (which is woken by every piece, whether somebody
// waits for it or not) and looked at again after a third of a millisecond, in which a batch's worth gathers in the
// kernel. A stream that gives nothing for several looks is waited for in the ordinary way again.
//
// Only for sessions without TLS and without GSS encryption: there, libpq alone holds the cipher state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "common/runtime.h"
#include "net/postgres.h"

namespace millrace::net {

// What of the CopyData messages is wanted: all of them as they are, or the tuples of a binary COPY without its file
// header (in front of the first message) and trailer (a message of its own, -1 as field count).
struct CopyOutFilter {
  bool binary_rows = false;
  bool header_seen = false;
};
// Bytes of the binary file header at the front of the first message; throws postgres.bad_copy if there is none.
std::size_t binary_header_length(std::string_view message);
bool is_binary_trailer(std::string_view message);
// "COPY 123" gives 123; 0 for anything else.
std::int64_t rows_of_command_tag(std::string_view tag);

class RawCopy {
 public:
  RawCopy(Runtime runtime, asio::posix::stream_descriptor& socket);

  // All throw PostgresError. After an error of the statement everything up to ReadyForQuery has been read and quiet()
  // is true again; after any other failure it stays false.
  asio::awaitable<void> begin_out(std::string sql);
  asio::awaitable<bool> read(std::vector<char>& out, std::size_t want, CopyOutFilter& filter, std::uint32_t& taken);
  asio::awaitable<void> begin_in(std::string sql);
  asio::awaitable<void> write(std::string_view bytes);
  asio::awaitable<void> end_in();
  asio::awaitable<void> fail_in(std::string reason);

  std::int64_t rows() const { return rows_; }
  bool quiet() const { return quiet_; }

  // What the kernel may hold of ours on a Unix socket. Its default of 208 KiB wakes a sender when a quarter is left, a
  // third of a millisecond's work for a server that loads: too close to running dry on a busy machine.
  static constexpr int kSendBufferBytes = 512 << 10;
  static constexpr std::size_t kReceiveBytes = 256 << 10;
  static constexpr std::size_t kFrameBytes =
      64 << 10;  // of a CopyData message sent: the server copies frames of this size from its cache
  // A server at full speed fills in this time about what its side of a Unix socket holds (208 KiB).
  static constexpr Duration kGather = std::chrono::microseconds(300);
  static constexpr std::size_t kPlenty = 64 << 10;  // received at once: more is there already, look again at once
  static constexpr int kEmptyLooks = 4;             // in a row: then wait until the socket is readable

 private:
  asio::awaitable<void> begin(std::string sql, char expected);
  asio::awaitable<void> send(std::string bytes);
  asio::awaitable<void> send_message(char type, std::string body);
  // Receives what is there into the buffer; waits if there is nothing.
  asio::awaitable<void> receive();
  // The same without waiting; false if there was nothing.
  bool receive_now();
  asio::awaitable<void> wait(asio::posix::stream_descriptor::wait_type what);
  void take_off_reactor();
  void put_on_reactor();
  // Handles one whole message at the front of the buffer that is not CopyData. False: it is not there in full.
  bool take_control();
  void take_control(char type, std::string_view body);
  // Reads up to ReadyForQuery, dropping CopyData; throws the server's error if there was one.
  asio::awaitable<void> drain();
  [[noreturn]] void throw_statement_error();
  [[noreturn]] void socket_failed(int error, const char* doing);

  Runtime runtime_;
  asio::posix::stream_descriptor* socket_;
  const int fd_;
  bool gathers_ = false;           // COPY OUT: its data has begun to come
  std::size_t last_received_ = 0;  // bytes of one recv
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
  std::size_t payload_left_ = 0;  // of a CopyData message whose front has been given out
  bool discard_payload_ = false;
  bool quiet_ = true;
  bool ready_ = false;       // ReadyForQuery seen
  bool data_ended_ = false;  // CopyDone or an error seen
  char copy_response_ = 0;   // 'H' or 'G' seen
  std::int64_t rows_ = 0;
  std::optional<PostgresError> error_;
  bool fatal_ = false;
};

}  // namespace millrace::net
