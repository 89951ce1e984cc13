// set_store_format DIRECTORY VERSION: writes a format version into a closed store, as a newer server would have, so
// that a black-box test can see it refused.
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>

#include <rocksdb/db.h>

#include "common/byte_order.h"
#include "state/keys.h"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  rocksdb::DB* opened = nullptr;
  auto status = rocksdb::DB::Open(rocksdb::Options(), argv[1], &opened);
  const std::unique_ptr<rocksdb::DB> db(opened);
  if (status.ok()) {
    std::string format;
    millrace::append_big_endian(format, static_cast<std::uint32_t>(std::strtoul(argv[2], nullptr, 10)));
    rocksdb::WriteOptions synced;
    synced.sync = true;
    status = db->Put(synced, millrace::state::keys::meta("format"), format);
  }
  if (!status.ok()) std::cerr << status.ToString() << '\n';
  return status.ok() ? 0 : 1;
}
