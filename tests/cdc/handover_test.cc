#include "cdc/handover.h"

#include <catch2/catch.hpp>

#include "common/errors.h"

using namespace millrace;
using cdc::TransactionSnapshot;

TEST_CASE("a snapshot sees what had ended before it and nothing else") {
  const TransactionSnapshot s("100:110:101,105");
  CHECK(s.sees(99));
  CHECK(s.sees(100));
  CHECK_FALSE(s.sees(101));
  CHECK(s.sees(102));
  CHECK_FALSE(s.sees(105));
  CHECK(s.sees(109));
  CHECK_FALSE(s.sees(110));
  CHECK_FALSE(s.sees(4000));
  CHECK(TransactionSnapshot("5:5:").sees(4));
  CHECK_FALSE(TransactionSnapshot("5:5:").sees(5));
}

TEST_CASE("transaction ids of the wire are placed in the right epoch, also beside a wrap-around") {
  const std::uint64_t wrap = 1ULL << 32;
  const TransactionSnapshot after(std::to_string(3 * wrap + 5) + ":" + std::to_string(3 * wrap + 9) + ":");
  CHECK(after.sees(4));
  CHECK(after.sees(0xfffffff0));  // shortly before the wrap
  CHECK_FALSE(after.sees(20));    // shortly after the snapshot
  const TransactionSnapshot before(std::to_string(3 * wrap - 9) + ":" + std::to_string(3 * wrap - 5) + ":");
  CHECK_FALSE(before.sees(3));  // after the wrap
  CHECK(before.sees(0xffffff00));
  CHECK(TransactionSnapshot("700:705:").sees(3));
}

TEST_CASE("the state of a load comes back as it was, and foreign states are refused") {
  cdc::LoadState s;
  s.slot = "millrace";
  s.system = "7312345678901234567";
  s.lsn = 0x1600000028;
  s.snapshot = "1:2:";
  const std::string text = cdc::to_json(s);
  CHECK(
      text ==
      R"({"lsn":"16/28","slot":"millrace","snapshot":"1:2:","state_type":"cdc","system":"7312345678901234567","version":1})");
  const auto back = cdc::load_state_from_json(text);
  CHECK(back.slot == s.slot);
  CHECK(back.system == s.system);
  CHECK(back.lsn == s.lsn);
  CHECK(back.snapshot == s.snapshot);
  CHECK_THROWS_AS(cdc::load_state_from_json(R"({"state_type":"cursor_based"})"), Error);
  CHECK_THROWS_AS(cdc::load_state_from_json("nonsense"), Error);
  CHECK_THROWS_AS(TransactionSnapshot("1:"), Error);
}

TEST_CASE("positions are written and read as PostgreSQL does") {
  CHECK(connectors::format_lsn(0x16B374D848) == "16/B374D848");
  CHECK(connectors::format_lsn(0) == "0/0");
  CHECK(connectors::parse_lsn("16/B374D848") == 0x16B374D848ULL);
  CHECK(connectors::parse_lsn("ffffffff/FFFFFFFF") == ~0ULL);
  for (const char* bad : {"", "16", "16/", "/1", "1/2/3", "x/1", "1 /2", "100000000/1"})
    CHECK_FALSE(connectors::parse_lsn(bad).has_value());
}
