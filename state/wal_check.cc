#include "state/wal_check.h"

#include <algorithm>
#include <memory>
#include <vector>

#include <rocksdb/env.h>
#include <boost/crc.hpp>

#include "common/errors.h"

namespace millrace::state {
namespace {

constexpr std::size_t kBlock = 32 * 1024;
constexpr std::size_t kHeader = 7;
constexpr std::size_t kRecyclableHeader = 11;

enum class Piece { bad, full, first, middle, last, other };
struct Fragment {
  Piece piece = Piece::bad;
  std::size_t size = 0;  // with its header
};

std::uint32_t little_endian(std::string_view b, std::size_t n) {
  std::uint32_t v = 0;
  for (std::size_t i = n; i-- > 0;) v = (v << 8) | static_cast<unsigned char>(b[i]);
  return v;
}

std::uint32_t masked_crc32c(std::string_view bytes) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  const std::uint32_t c = crc.checksum();
  return ((c >> 15) | (c << 17)) + 0xa282ead8U;
}

// The fragment at the head of `rest`, which ends with its block.
Fragment read_fragment(std::string_view rest) {
  Fragment f;
  if (rest.size() < kHeader) return f;
  const auto type = static_cast<unsigned char>(rest[6]);
  const std::size_t header = type >= 5 && type <= 8 ? kRecyclableHeader : kHeader;
  const std::size_t size = header + little_endian(rest.substr(4), 2);
  if (type == 0 || size > rest.size()) return f;
  // The checksum covers the type, the log number if there is one, and the payload: all behind the length.
  if (masked_crc32c(rest.substr(6, size - 6)) != little_endian(rest, 4)) return f;
  static constexpr Piece kPieces[] = {Piece::bad,  Piece::full,  Piece::first,  Piece::middle, Piece::last,
                                      Piece::full, Piece::first, Piece::middle, Piece::last};
  f.piece = type <= 8 ? kPieces[type] : Piece::other;
  f.size = size;
  return f;
}

// Whether a whole fragment that begins a record lies anywhere in `bytes` (which begin at `offset` of the file).
bool record_begins_in(std::string_view bytes, std::size_t offset) {
  for (std::size_t at = 0; at + kHeader <= bytes.size(); ++at) {
    const std::size_t left_in_block = kBlock - (offset + at) % kBlock;
    const auto type = static_cast<unsigned char>(bytes[at + 6]);
    if (type != 1 && type != 2 && type != 5 && type != 6) continue;
    if (read_fragment(bytes.substr(at, left_in_block)).piece != Piece::bad) return true;
  }
  return false;
}

void require(const rocksdb::Status& status, const std::string& what) {
  if (!status.ok()) throw Error("store.unavailable", what + ": " + status.ToString());
}

// Replaces the log by what is whole of it. By way of a second file, since RocksDB's file layer cannot truncate;
// ".dbtmp" is the name that RocksDB clears away if we die in between.
void cut(rocksdb::Env* env, const std::string& directory, const std::string& path, std::string_view whole) {
  const std::string aside = directory + "/000000.dbtmp";
  std::unique_ptr<rocksdb::WritableFile> file;
  require(env->NewWritableFile(aside, &file, rocksdb::EnvOptions()), "a torn write cannot be cut off");
  require(file->Append(rocksdb::Slice(whole.data(), whole.size())), "a torn write cannot be cut off");
  require(file->Sync(), "a log cannot be synced");
  require(file->Close(), "a log cannot be closed");
  require(env->RenameFile(aside, path), "a torn write cannot be cut off");
  std::unique_ptr<rocksdb::Directory> dir;
  require(env->NewDirectory(directory, &dir), "the data directory cannot be opened");
  require(dir->Fsync(), "the data directory cannot be synced");
}

}  // namespace

WalScan scan_wal(std::string_view bytes) {
  WalScan scan;
  bool inside = false;  // of a record whose first fragment was seen
  std::size_t at = 0;
  while (at < bytes.size()) {
    const std::size_t left_in_block = kBlock - at % kBlock;
    const auto rest = bytes.substr(at, left_in_block);
    if (left_in_block < kHeader && rest.find_first_not_of('\0') == std::string_view::npos) {
      at += rest.size();
      if (!inside) scan.whole_bytes = at;
      continue;
    }
    const Fragment f = read_fragment(rest);
    const bool continues = f.piece == Piece::middle || f.piece == Piece::last;
    if (f.piece == Piece::bad || continues != inside) {
      // A first or full fragment here is itself a record that begins behind the one that never ended.
      scan.whole = false;
      scan.record_begins_behind = record_begins_in(bytes.substr(at), at);
      return scan;
    }
    at += f.size;
    inside = f.piece == Piece::first || f.piece == Piece::middle;
    if (!inside) {
      scan.whole_bytes = at;
      ++scan.records;
    }
  }
  scan.whole = !inside;
  return scan;
}

namespace {

// All *.log files, oldest first.
std::vector<std::string> find_logs(rocksdb::Env* env, const std::string& directory) {
  std::vector<std::string> children;
  const auto listed = env->GetChildren(directory, &children);
  if (!listed.IsNotFound()) require(listed, "the data directory cannot be listed");
  std::vector<std::pair<std::uint64_t, std::string>> logs;
  for (const auto& name : children) {
    const auto digits = name.find_first_not_of("0123456789");
    if (digits == 0 || digits == std::string::npos || name.substr(digits) != ".log") continue;
    logs.emplace_back(std::stoull(name.substr(0, digits)), directory + "/" + name);
  }
  std::sort(logs.begin(), logs.end());
  std::vector<std::string> paths;
  for (auto& [_, path] : logs) paths.push_back(std::move(path));
  return paths;
}

std::uint64_t check_and_cut_wals(rocksdb::Env* env, const std::string& directory) {
  std::string torn, torn_content;  // the log with a bad place
  std::uint64_t torn_at = 0;
  const auto refuse = [&] {
    throw Error("store.corrupt",
                torn + " is damaged at byte " + std::to_string(torn_at) + ", and acknowledged data lies behind it");
  };
  for (const auto& path : find_logs(env, directory)) {
    std::string bytes;
    require(rocksdb::ReadFileToString(env, path, &bytes), "a log cannot be read");
    if (!torn.empty() && !bytes.empty()) refuse();  // all of a log is synced before the next one is written
    const WalScan scan = scan_wal(bytes);
    if (scan.whole) continue;
    torn = path;
    torn_at = scan.whole_bytes;
    if (scan.record_begins_behind) refuse();
    torn_content = std::move(bytes);
  }
  if (torn.empty()) return 0;
  cut(env, directory, torn, std::string_view(torn_content).substr(0, torn_at));
  return torn_content.size() - torn_at;
}

std::uint64_t cut_manifest(rocksdb::Env* env, const std::string& directory) {
  std::string name;
  const auto found = rocksdb::ReadFileToString(env, directory + "/CURRENT", &name);
  if (found.IsNotFound() || found.IsPathNotFound()) return 0;
  require(found, "CURRENT cannot be read");
  while (!name.empty() && name.back() == '\n') name.pop_back();
  const std::string path = directory + "/" + name;
  std::string bytes;
  if (!rocksdb::ReadFileToString(env, path, &bytes).ok()) return 0;  // RocksDB says what is wrong
  const WalScan scan = scan_wal(bytes);
  if (scan.whole || scan.record_begins_behind) return 0;
  cut(env, directory, path, std::string_view(bytes).substr(0, scan.whole_bytes));
  return bytes.size() - scan.whole_bytes;
}

}  // namespace

std::uint64_t check_and_cut_logs(rocksdb::Env* env, const std::string& directory) {
  return check_and_cut_wals(env, directory) + cut_manifest(env, directory);
}

}  // namespace millrace::state
