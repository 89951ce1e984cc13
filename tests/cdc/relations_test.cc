#include "cdc/relations.h"

#include <catch2/catch.hpp>

#include "common/errors.h"
#include "connectors/row_batch.h"

using namespace millrace;
namespace c = millrace::connectors;
using cdc::PgMessage;
using cdc::PgValue;

namespace {

c::FeedStream stream(std::vector<std::string> fields, std::vector<std::string> all) {
  c::FeedStream s;
  s.stream.name = c::StreamName("public", "orders");
  auto schema = std::make_shared<c::Schema>();
  for (auto& name : fields) {
    c::Field f;
    f.name = name;
    schema->fields.push_back(f);
  }
  s.stream.schema = schema;
  s.all_fields = std::move(all);
  return s;
}

PgMessage relation(std::vector<std::string> names, char identity = 'd') {
  PgMessage m;
  m.tag = 'R';
  m.relation = 5;
  m.ns = "public";
  m.name = "orders";
  m.identity = identity;
  for (std::size_t i = 0; i < names.size(); ++i) {
    cdc::PgColumn column;
    column.name = names[i];
    column.key = i == 0 || identity == 'f';
    m.columns.push_back(column);
  }
  return m;
}

PgValue text(std::string_view v) {
  PgValue out;
  out.kind = 't';
  out.bytes = v;
  return out;
}
PgValue kind(char k) {
  PgValue out;
  out.kind = k;
  return out;
}

std::string show(std::string_view tuple) {
  std::vector<c::TupleField> fields;
  c::read_tuple(tuple, fields);
  std::string out;
  for (const auto& f : fields)
    out += (out.empty() ? "" : " ") + (f.length == c::kNullField        ? "null"
                                       : f.length == c::kUnchangedField ? "unchanged"
                                                                        : std::string(f.bytes));
  return out;
}

}  // namespace

TEST_CASE("columns are met by name, whatever their order and whatever else the table has") {
  const std::vector<c::FeedStream> streams{stream({"id", "note"}, {"id", "note", "extra"})};
  cdc::RelationCache cache(streams);
  const auto& r = cache.put(relation({"extra", "note", "id"}));
  CHECK(r.stream == 0);
  CHECK(r.unknown.empty());
  PgMessage insert;
  insert.tag = 'I';
  insert.new_row = {text("x"), text("n"), text("7")};
  c::ChangeBatch batch;
  append_change(r, insert, c::Change(), batch);
  CHECK(show(batch.row(batch.changes()[0])) == "7 n");
  CHECK(batch.changes()[0].text);
}

TEST_CASE("a column that nobody knew is told, one that the table lacked is unchanged") {
  const std::vector<c::FeedStream> streams{stream({"id", "late"}, {"id", "late"})};
  cdc::RelationCache cache(streams);
  const auto& r = cache.put(relation({"id", "new one"}));
  CHECK(r.unknown == std::vector<std::string>{"new one"});
  PgMessage insert;
  insert.tag = 'I';
  insert.new_row = {text("7"), text("x")};
  c::ChangeBatch batch;
  append_change(r, insert, c::Change(), batch);
  CHECK(show(batch.row(batch.changes()[0])) == "7 unchanged");
}

TEST_CASE("unchanged values come from the old row where the log has them, nulls of a key tuple never") {
  const std::vector<c::FeedStream> streams{stream({"id", "big"}, {"id", "big"})};
  cdc::RelationCache cache(streams);
  PgMessage update;
  update.tag = 'U';
  update.new_row = {text("8"), kind('u')};
  {
    const auto& r = cache.put(relation({"id", "big"}));
    update.old_kind = 'K';
    update.old_row = {text("7"), kind('n')};
    c::ChangeBatch batch;
    append_change(r, update, c::Change(), batch);
    CHECK(show(batch.old(batch.changes()[0])) == "7 unchanged");
    CHECK(show(batch.row(batch.changes()[0])) == "8 unchanged");
  }
  {
    const auto& r = cache.put(relation({"id", "big"}, 'f'));
    update.old_kind = 'O';
    update.old_row = {text("7"), text("large")};
    c::ChangeBatch batch;
    append_change(r, update, c::Change(), batch);
    CHECK(show(batch.row(batch.changes()[0])) == "8 large");
  }
  {
    // A key that is itself out of line: only the key tuple has it.
    const auto& r = cache.put(relation({"id", "big"}));
    update.old_kind = 'K';
    update.new_row = {kind('u'), text("b")};
    update.old_row = {text("long key"), kind('n')};
    c::ChangeBatch batch;
    append_change(r, update, c::Change(), batch);
    CHECK(show(batch.row(batch.changes()[0])) == "long key b");
  }
}

TEST_CASE("rows of another width than described, and tables that were not, are errors") {
  const std::vector<c::FeedStream> streams{stream({"id"}, {"id"})};
  cdc::RelationCache cache(streams);
  const auto& r = cache.put(relation({"id"}));
  PgMessage insert;
  insert.tag = 'I';
  insert.new_row = {text("7"), text("8")};
  c::ChangeBatch batch;
  CHECK_THROWS_AS(append_change(r, insert, c::Change(), batch), Error);
  CHECK_THROWS_AS(cache.at(99), Error);
}
