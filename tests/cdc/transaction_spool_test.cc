#include "cdc/transaction_spool.h"

#include <catch2/catch.hpp>

#include "common/errors.h"
#include "tests/support/run.h"

using namespace millrace;
using namespace millrace::test;
using cdc::SpoolOptions;
using cdc::TransactionSpool;

namespace {

asio::awaitable<std::vector<std::string>> read_all(TransactionSpool& spool, std::uint32_t xid) {
  std::vector<std::string> out;
  spool.begin_read(xid);
  std::string block;
  while (co_await spool.next_block(xid, block)) {
    std::string_view rest = block, record;
    while (spool.next_record(xid, rest, record)) out.emplace_back(record);
  }
  co_return out;
}

asio::awaitable<void> settle(TransactionSpool& spool) { co_await spool.settle(); }

}  // namespace

TEST_CASE("a streamed transaction comes back in order without what was aborted, from memory and from disk") {
  for (const std::size_t memory : {std::size_t{1} << 20, std::size_t{64}}) {
    RealRuntime real;
    SpoolOptions options;
    options.memory_bytes = memory;
    TransactionSpool spool(real.runtime(), options);
    std::vector<std::string> want;
    for (int i = 0; i < 200; ++i) {
      const auto sub = static_cast<std::uint32_t>(10 + i % 3);
      const std::string message = "message " + std::to_string(i);
      spool.append(10, sub, message);
      spool.append(20, 20, "of another transaction");
      if (sub != 11) want.push_back(message);
      run(real, settle(spool));
    }
    spool.abort(10, 11);
    CHECK((spool.spilled_blocks() > 0) == (memory == 64));
    CHECK(spool.memory_used() <= memory + 100);
    CHECK(run(real, read_all(spool, 10)) == want);
    spool.forget(10);
    spool.abort(20, 20);
    CHECK(spool.open_transactions() == 0);
    CHECK(spool.memory_used() == 0);
    CHECK(spool.disk_used() == 0);
  }
}

TEST_CASE("open transactions larger than their bound on disk are refused by name") {
  RealRuntime real;
  SpoolOptions options;
  options.memory_bytes = 10;
  options.disk_bytes = 100;
  TransactionSpool spool(real.runtime(), options);
  spool.append(1, 1, std::string(200, 'x'));
  try {
    run(real, settle(spool));
    FAIL("it was taken");
  } catch (const Error& e) {
    CHECK(e.code() == "cdc.spill_failed");
  }
}

TEST_CASE("a transaction that never sent anything is empty") {
  RealRuntime real;
  TransactionSpool spool(real.runtime(), SpoolOptions());
  CHECK(run(real, read_all(spool, 7)).empty());
  spool.forget(8);
  spool.abort(9, 10);
}
