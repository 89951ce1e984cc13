#include "state/memory_log.h"

#include <boost/crc.hpp>

#include "common/byte_order.h"
#include "common/errors.h"

namespace millrace::state {
namespace {

constexpr std::size_t kHeader = 8;

std::uint32_t checksum(std::string_view bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  return crc.checksum();
}

void append_bytes(std::string& out, std::string_view bytes) {
  append_big_endian(out, static_cast<std::uint32_t>(bytes.size()));
  out += bytes;
}

std::string take_bytes(std::string_view& rest) {
  if (rest.size() < 4) throw Error("store.corrupt", "an operation of the log is cut short");
  const auto n = from_big_endian<std::uint32_t>(rest.data());
  rest.remove_prefix(4);
  if (rest.size() < n) throw Error("store.corrupt", "an operation of the log is cut short");
  std::string out(rest.substr(0, n));
  rest.remove_prefix(n);
  return out;
}

Batch::Operation take_operation(std::string_view& rest) {
  Batch::Operation op;
  switch (rest[0]) {
    case 1:
      op.kind = Batch::Operation::Kind::put;
      break;
    case 2:
      op.kind = Batch::Operation::Kind::erase;
      break;
    case 3:
      op.kind = Batch::Operation::Kind::erase_range;
      break;
    default:
      throw Error("store.corrupt", "the log holds an unknown operation");
  }
  rest.remove_prefix(1);
  op.key = take_bytes(rest);
  op.value = take_bytes(rest);
  return op;
}

// The whole record at the head of `rest`; empty if it is torn.
std::string_view whole_record(std::string_view rest) {
  if (rest.size() < kHeader) return {};
  const std::size_t size = kHeader + from_big_endian<std::uint32_t>(rest.data());
  if (size == kHeader || rest.size() < size) return {};
  const auto payload = rest.substr(kHeader, size - kHeader);
  if (checksum(payload) != from_big_endian<std::uint32_t>(rest.data() + 4)) return {};
  return rest.substr(0, size);
}

}  // namespace

std::string encode_record(const std::vector<const Batch*>& batches) {
  std::string payload;
  for (const Batch* batch : batches) {
    for (const auto& op : batch->operations()) {
      switch (op.kind) {
        case Batch::Operation::Kind::put:
          payload.push_back(1);
          break;
        case Batch::Operation::Kind::erase:
          payload.push_back(2);
          break;
        case Batch::Operation::Kind::erase_range:
          payload.push_back(3);
          break;
      }
      append_bytes(payload, op.key);
      append_bytes(payload, op.value);
    }
  }
  std::string record;
  record.reserve(kHeader + payload.size());
  append_big_endian(record, static_cast<std::uint32_t>(payload.size()));
  append_big_endian(record, checksum(payload));
  record += payload;
  return record;
}

LogReplay replay_log(std::string_view log, const std::function<void(const Batch::Operation&)>& apply) {
  LogReplay replay;
  while (!log.empty()) {
    const auto record = whole_record(log);
    if (record.empty()) {
      // Is there a whole record anywhere behind? Then this one had been synced, and its damage is not a tear.
      for (std::size_t at = 1; at < log.size(); ++at)
        if (!whole_record(log.substr(at)).empty())
          throw Error("store.corrupt", "record " + std::to_string(replay.records + 1) + " of the log is damaged");
      replay.dropped_bytes = log.size();
      return replay;
    }
    auto rest = record.substr(kHeader);
    while (!rest.empty()) apply(take_operation(rest));
    log.remove_prefix(record.size());
    ++replay.records;
  }
  return replay;
}

}  // namespace millrace::state
