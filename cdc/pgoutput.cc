#include "cdc/pgoutput.h"

#include "common/byte_order.h"
#include "common/errors.h"
#include "common/time_point.h"

namespace millrace::cdc {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes.substr(1)), all_(bytes) {}

  [[noreturn]] void bad(const std::string& why) const {
    char tag[8];
    std::snprintf(tag, sizeof tag, "0x%02x", static_cast<unsigned char>(all_.front()));
    throw Error("cdc.bad_message", "message " + std::string(tag) + " of " + std::to_string(all_.size()) +
                                       " bytes, at byte " + std::to_string(all_.size() - rest_.size()) + ": " + why);
  }
  template <std::integral T>
  T integer() {
    if (rest_.size() < sizeof(T)) bad("it ends inside a number");
    const T v = from_big_endian<T>(rest_.data());
    rest_.remove_prefix(sizeof(T));
    return v;
  }
  char byte() { return static_cast<char>(integer<std::uint8_t>()); }
  std::uint32_t xid() { return integer<std::uint32_t>(); }
  Lsn lsn() { return integer<std::uint64_t>(); }
  // Saturates: a time that Unix microseconds can't hold is a server's joke.
  std::int64_t time() {
    const auto t = integer<std::int64_t>();
    return t > INT64_MAX - kPostgresEpochUs ? INT64_MAX : t + kPostgresEpochUs;
  }
  std::string_view text() {
    const auto end = rest_.find('\0');
    if (end == std::string_view::npos) bad("a name does not end");
    const auto out = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return out;
  }
  std::string_view bytes() {
    const auto n = integer<std::int32_t>();
    if (n < 0 || static_cast<std::size_t>(n) > rest_.size()) bad("a value is longer than the message");
    const auto out = rest_.substr(0, static_cast<std::size_t>(n));
    rest_.remove_prefix(static_cast<std::size_t>(n));
    return out;
  }
  void tuple(std::vector<PgValue>& out) {
    const auto n = integer<std::int16_t>();
    if (n < 0) bad("a tuple has a negative number of columns");
    for (std::int16_t i = 0; i < n; ++i) {
      PgValue v;
      v.kind = byte();
      switch (v.kind) {
        case 'n':
        case 'u':
          break;
        case 't':
        case 'b':
          v.bytes = bytes();
          break;
        default:
          bad("a column of unknown kind");
      }
      out.push_back(v);
    }
  }
  void expect(char wanted) {
    if (byte() != wanted) bad(std::string("'") + wanted + "' is missing");
  }
  bool at_end() const { return rest_.empty(); }
  void end() const {
    if (!rest_.empty()) bad(std::to_string(rest_.size()) + " bytes are left over");
  }

 private:
  std::string_view rest_;
  std::string_view all_;
};

void relation(Reader& in, PgMessage& out) {
  out.relation = in.xid();
  out.ns = in.text();
  out.name = in.text();
  out.identity = in.byte();
  const auto n = in.integer<std::int16_t>();
  if (n < 0) in.bad("a negative number of columns");
  for (std::int16_t i = 0; i < n; ++i) {
    PgColumn c;
    c.key = (in.byte() & 1) != 0;
    c.name = in.text();
    c.type = in.xid();
    c.typmod = in.integer<std::int32_t>();
    out.columns.push_back(std::move(c));
  }
}

void prepared(Reader& in, PgMessage& out) {
  out.lsn = in.lsn();
  out.end_lsn = in.lsn();
  out.time_us = in.time();
  out.xid = in.xid();
  out.name = in.text();
}

void flags(Reader& in) {
  if (in.byte() != 0) in.bad("flags of a later protocol");
}

void clear(PgMessage& m) {
  auto columns = std::move(m.columns);
  auto old_row = std::move(m.old_row), new_row = std::move(m.new_row);
  auto relations = std::move(m.relations);
  m = PgMessage();
  columns.clear();
  old_row.clear();
  new_row.clear();
  relations.clear();
  m.columns = std::move(columns);
  m.old_row = std::move(old_row);
  m.new_row = std::move(new_row);
  m.relations = std::move(relations);
}

}  // namespace

void PgOutputDecoder::decode(std::string_view payload, PgMessage& out) {
  clear(out);
  if (payload.empty()) throw Error("cdc.bad_message", "an empty message");
  Reader in(payload);
  out.tag = payload.front();
  out.streamed = in_stream_;
  const auto subtransaction = [&] {
    if (in_stream_) out.xid = in.xid();
  };
  switch (out.tag) {
    case 'B':
      if (in_stream_) in.bad("Begin inside a stream");
      out.lsn = in.lsn();
      out.time_us = in.time();
      out.xid = in.xid();
      break;
    case 'C':
      if (in_stream_) in.bad("Commit inside a stream");
      flags(in);
      out.lsn = in.lsn();
      out.end_lsn = in.lsn();
      out.time_us = in.time();
      break;
    case 'O':
      out.lsn = in.lsn();
      out.name = in.text();
      break;
    case 'R':
      subtransaction();
      relation(in, out);
      break;
    case 'Y':
      subtransaction();
      out.relation = in.xid();
      out.ns = in.text();
      out.name = in.text();
      break;
    case 'I':
      subtransaction();
      out.relation = in.xid();
      in.expect('N');
      in.tuple(out.new_row);
      break;
    case 'U': {
      subtransaction();
      out.relation = in.xid();
      char kind = in.byte();
      if (kind == 'K' || kind == 'O') {
        out.old_kind = kind;
        in.tuple(out.old_row);
        kind = in.byte();
      }
      if (kind != 'N') in.bad("'N' is missing");
      in.tuple(out.new_row);
      break;
    }
    case 'D':
      subtransaction();
      out.relation = in.xid();
      out.old_kind = in.byte();
      if (out.old_kind != 'K' && out.old_kind != 'O') in.bad("'K' or 'O' is missing");
      in.tuple(out.old_row);
      break;
    case 'T': {
      subtransaction();
      const auto n = in.integer<std::int32_t>();
      const char bits = in.byte();
      out.cascade = (bits & 1) != 0;
      out.restart = (bits & 2) != 0;
      for (std::int32_t i = 0; i < n; ++i) out.relations.push_back(in.xid());
      break;
    }
    case 'M':
      subtransaction();
      out.transactional = (in.byte() & 1) != 0;
      out.lsn = in.lsn();
      out.name = in.text();
      out.content = in.bytes();
      break;
    case 'S':
      if (in_stream_) in.bad("a stream inside a stream");
      out.xid = in.xid();
      out.first_segment = in.byte() == 1;
      in.end();
      in_stream_ = true;
      return;
    case 'E':
      if (!in_stream_) in.bad("the end of a stream that has not begun");
      in_stream_ = false;
      break;
    case 'c':
      if (in_stream_) in.bad("Stream Commit inside a segment");
      out.xid = in.xid();
      flags(in);
      out.lsn = in.lsn();
      out.end_lsn = in.lsn();
      out.time_us = in.time();
      break;
    case 'A':
      if (in_stream_) in.bad("Stream Abort inside a segment");
      out.xid = in.xid();
      out.subxid = in.xid();
      if (parallel_) {
        out.lsn = in.lsn();
        out.time_us = in.time();
      }
      break;
    case 'b':
      prepared(in, out);
      break;
    case 'P':
    case 'p':
    case 'K':
      flags(in);
      prepared(in, out);
      break;
    case 'r':
      flags(in);
      out.lsn = in.lsn();
      out.end_lsn = in.lsn();
      out.time_us = in.time();
      out.rollback_time_us = in.time();
      out.xid = in.xid();
      out.name = in.text();
      break;
    default:
      in.bad("no such message in protocol versions 1 to 4");
  }
  in.end();
}

namespace {

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "x'";
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out + "'";
}

std::string in_quotes(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '\'' || c == '\\' || u < 0x20 || u == 0x7f) {
      char e[8];
      std::snprintf(e, sizeof e, "\\x%02x", u);
      out += e;
    } else {
      out += c;
    }
  }
  return out + "'";
}

std::string row_text(char kind, const std::vector<PgValue>& row) {
  std::string out = std::string(1, kind) + "(";
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (i > 0) out += ", ";
    switch (row[i].kind) {
      case 'n':
        out += "null";
        break;
      case 'u':
        out += "unchanged";
        break;
      case 't':
        out += in_quotes(row[i].bytes);
        break;
      default:
        out += hex(row[i].bytes);
    }
  }
  return out + ")";
}

// Years 1970 to 9999; what lies outside is told as the number that it is.
std::string moment(std::int64_t us) {
  return us >= 0 && us < 253'402'300'800'000'000 ? format_time(from_micros(us)) : std::to_string(us);
}

}  // namespace

std::string describe(const PgMessage& m) {
  using connectors::format_lsn;
  const std::string xid = std::to_string(m.xid), in = m.streamed && m.tag != 'E' ? " in " + xid : "";
  const std::string rel = " " + std::to_string(m.relation);
  std::string out;
  switch (m.tag) {
    case 'B':
      return "Begin " + xid + " " + format_lsn(m.lsn) + " " + moment(m.time_us);
    case 'C':
      return "Commit " + format_lsn(m.lsn) + " end " + format_lsn(m.end_lsn) + " " + moment(m.time_us);
    case 'O':
      return "Origin " + format_lsn(m.lsn) + " " + in_quotes(m.name);
    case 'R':
      out = "Relation" + rel + in + " " + in_quotes(m.ns) + "." + in_quotes(m.name) + " identity " + m.identity + " (";
      for (std::size_t i = 0; i < m.columns.size(); ++i) {
        const auto& c = m.columns[i];
        out += (i > 0 ? ", " : "") + in_quotes(c.name) + " " + std::to_string(c.type) + "/" + std::to_string(c.typmod) +
               (c.key ? " key" : "");
      }
      return out + ")";
    case 'Y':
      return "Type" + rel + in + " " + in_quotes(m.ns) + "." + in_quotes(m.name);
    case 'I':
      return "Insert" + rel + in + " " + row_text('N', m.new_row);
    case 'U':
      return "Update" + rel + in + " " + (m.old_kind != 0 ? row_text(m.old_kind, m.old_row) + " " : "") +
             row_text('N', m.new_row);
    case 'D':
      return "Delete" + rel + in + " " + row_text(m.old_kind, m.old_row);
    case 'T':
      out = "Truncate" + in;
      for (const auto r : m.relations) out += " " + std::to_string(r);
      return out + (m.cascade ? " cascade" : "") + (m.restart ? " restart" : "");
    case 'M':
      return "Message" + in + (m.transactional ? " transactional " : " ") + format_lsn(m.lsn) + " " +
             in_quotes(m.name) + " " + in_quotes(m.content);
    case 'S':
      return "StreamStart " + xid + (m.first_segment ? " first" : "");
    case 'E':
      return "StreamStop";
    case 'c':
      return "StreamCommit " + xid + " " + format_lsn(m.lsn) + " end " + format_lsn(m.end_lsn) + " " +
             moment(m.time_us);
    case 'A':
      return "StreamAbort " + xid + " " + std::to_string(m.subxid) +
             (m.lsn != 0 ? " " + format_lsn(m.lsn) + " " + moment(m.time_us) : "");
    case 'r':
      return "RollbackPrepared " + xid + " " + in_quotes(m.name) + " " + format_lsn(m.lsn) + " end " +
             format_lsn(m.end_lsn) + " " + moment(m.time_us) + " " + moment(m.rollback_time_us);
    default:
      break;
  }
  const char* name = m.tag == 'b'   ? "BeginPrepare"
                     : m.tag == 'P' ? "Prepare"
                     : m.tag == 'p' ? "StreamPrepare"
                                    : "CommitPrepared";
  return std::string(name) + " " + xid + " " + in_quotes(m.name) + " " + format_lsn(m.lsn) + " end " +
         format_lsn(m.end_lsn) + " " + moment(m.time_us);
}

}  // namespace millrace::cdc
