#include "state/rocksdb_batch.h"

#include <memory>

#include "state/rocksdb_status.h"

namespace millrace::state {
namespace {

using Operation = Batch::Operation;

void erase_range(rocksdb::DB& db, const std::vector<const Batch*>& batches, const Operation& range,
                 rocksdb::WriteBatch& out) {
  rocksdb::ReadOptions options;
  options.ignore_range_deletions = true;  // none are ever written
  options.fill_cache = false;
  const rocksdb::Slice lower(range.key), upper(range.value);
  options.iterate_lower_bound = &lower;
  options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> it(db.NewIterator(options));
  for (it->SeekToFirst(); it->Valid(); it->Next()) out.Delete(it->key());
  require_ok(it->status(), "a range to be erased cannot be read");
  for (const Batch* b : batches) {
    for (const auto& op : b->operations()) {
      if (&op == &range) return;
      if (op.kind == Operation::Kind::put && op.key >= range.key && op.key < range.value) out.Delete(op.key);
    }
  }
}

}  // namespace

rocksdb::WriteBatch make_write_batch(rocksdb::DB& db, const std::vector<const Batch*>& batches) {
  std::size_t bytes = 64;
  for (const Batch* b : batches) bytes += b->bytes() + 16 * b->operations().size();
  rocksdb::WriteBatch out(bytes);
  for (const Batch* b : batches) {
    for (const auto& op : b->operations()) {
      switch (op.kind) {
        case Operation::Kind::put:
          out.Put(op.key, op.value);
          break;
        case Operation::Kind::erase:
          out.Delete(op.key);
          break;
        case Operation::Kind::erase_range:
          if (op.key < op.value) erase_range(db, batches, op, out);
          break;
      }
    }
  }
  return out;
}

}  // namespace millrace::state
