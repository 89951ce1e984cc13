// Decoder of pgoutput, the output of PostgreSQL's own logical decoding plugin: bytes to messages, nothing more.
//
// Format: PostgreSQL documentation, "Logical Replication Message Formats" (protocol versions 1 to 4; the layouts were
// checked against a server of version 15, those of version 16's parallel streaming are written from the documentation).
// All integers are big-endian; times are microseconds since 2000-01-01 UTC and given out as Unix microseconds.
//
// Inside a streamed transaction (between Stream Start and Stream Stop) most messages begin with the xid of their
// subtransaction: the decoder keeps track of that, so one decoder belongs to one connection. A Message's views point
// into the bytes given to decode().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/position.h"

namespace millrace::cdc {

using connectors::Lsn;

// A column of a tuple: 'n' null, 'u' unchanged TOAST (not sent), 't' text, 'b' binary.
struct PgValue {
  char kind = 'n';
  std::string_view bytes;
};

struct PgColumn {
  bool key = false;  // part of the replica identity; of all columns where that is full
  std::string name;
  std::uint32_t type = 0;
  std::int32_t typmod = -1;
  bool operator==(const PgColumn&) const = default;
};

// One message of any kind. Which fields hold something is told by the tag; the others keep their defaults.
struct PgMessage {
  char tag = 0;
  // Stream Start, Stream Commit, Stream Abort, Begin, the prepare family: the top-level transaction. Inside a stream,
  // Relation, Type, Insert, Update, Delete, Truncate, Message: the subtransaction.
  std::uint32_t xid = 0;
  std::uint32_t subxid = 0;    // A: what is aborted; equal to xid: all of it
  bool first_segment = false;  // S
  bool streamed = false;       // was inside a stream

  Lsn lsn = 0;      // B: of the commit; C c K: of the commit; A: of the abort, where sent; b P p: of the prepare;
                    // r: end of the prepare; O: at the origin; M: of the message
  Lsn end_lsn = 0;  // C c K b P p: after the record; r: end of the rollback
  std::int64_t time_us = 0;           // B C c K b P p, A where sent; r: of the prepare
  std::int64_t rollback_time_us = 0;  // r

  std::uint32_t relation = 0;             // R I U D: oid of the table; Y: of the type
  std::string_view ns;                    // R Y; empty for pg_catalog
  std::string_view name;                  // R table; Y type; O origin; M prefix; the prepare family: gid
  char identity = 0;                      // R: d n f i
  std::vector<PgColumn> columns;          // R
  char old_kind = 0;                      // U D: 'K' key, 'O' whole row, 0 none
  std::vector<PgValue> old_row, new_row;  // U D; I U
  bool cascade = false, restart = false;  // T
  std::vector<std::uint32_t> relations;   // T
  bool transactional = false;             // M
  std::string_view content;               // M
};

class PgOutputDecoder {
 public:
  // `parallel`: streaming 'parallel' was asked for, and Stream Abort carries where and when.
  explicit PgOutputDecoder(bool parallel = false) : parallel_(parallel) {}

  // Decodes one payload of XLogData into `out`, whose vectors are used again. Throws cdc.bad_message where the bytes
  // are no message of this protocol; the decoder is then of no more use.
  void decode(std::string_view payload, PgMessage& out);

  bool in_stream() const { return in_stream_; }
  // For messages that were kept from inside a stream and are read again later.
  void set_in_stream(bool inside) { in_stream_ = inside; }

 private:
  bool parallel_;
  bool in_stream_ = false;
};

// One line for people and for the expected events of tests: `Insert 16384 N(1, 'abc', null)`.
std::string describe(const PgMessage& message);

inline constexpr std::int64_t kPostgresEpochUs = 946'684'800'000'000;  // 2000-01-01 in microseconds since 1970

}  // namespace millrace::cdc
