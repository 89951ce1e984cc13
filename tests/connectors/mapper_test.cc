#include <catch2/catch.hpp>

#include <nlohmann/json.hpp>

#include "common/errors.h"
#include "connectors/mapper.h"
#include "connectors/sealing.h"

using namespace millrace;
using namespace millrace::connectors;
using nlohmann::json;

namespace {

Field field(std::string name, Type type) {
  Field out;
  out.name = std::move(name);
  out.type = std::move(type);
  return out;
}

Schema people() {
  Schema s;
  s.fields = {field("id", Type(Kind::int32, "integer")), field("name", Type(Kind::string, "text")),
              field("age", Type(Kind::string, "text"))};
  return s;
}

std::vector<Mapper> mappers(const char* text) { return mappers_from_json(json::parse(text)); }

std::vector<std::string> row_of(const RowBatch& batch) {
  RowReader reader(batch);
  std::vector<RowReader::FieldView> fields;
  std::vector<std::string> out;
  if (reader.next(fields))
    for (const auto& f : fields) out.push_back(f.length < 0 ? "<null>" : std::string(f.bytes));
  return out;
}

RowBatch one_row(const SchemaPtr& schema, std::int32_t id, const char* name, const char* age) {
  RowBatch batch(schema, {});
  RowWriter writer(batch);
  writer.begin_row(3);
  writer.integer(id);
  name == nullptr ? writer.null() : writer.text(name);
  age == nullptr ? writer.null() : writer.text(age);
  writer.end_row();
  return batch;
}

}  // namespace

TEST_CASE("mappers that only rename touch no value") {
  const RowMapping mapping(
      people(),
      mappers(R"([{"type":"field-renaming","mapperConfiguration":{"originalFieldName":"id","newFieldName":"key"}}])"),
      true);
  CHECK_FALSE(mapping.changes_any());
  CHECK(mapping.name_after("id") == "key");
  CHECK(mapping.schema()->fields.front().name == "key");
  CHECK(mapping.schema()->fields.front().source_name == "id");
}

TEST_CASE("values are hashed, redacted and cast, and null stays null") {
  RowMapping mapping(people(), mappers(R"([
    {"type":"hashing","mapperConfiguration":{"targetField":"id","method":"MD5","fieldNameSuffix":"_h"}},
    {"type":"redact","mapperConfiguration":{"targetField":"name"}},
    {"type":"cast","mapperConfiguration":{"targetField":"age","type":"int4"}}])"),
                     true);
  std::vector<UnfitValue> unfit;
  const auto row = row_of(mapping.apply(one_row(mapping.read_schema(), 1, "ann", "41"), {}, unfit));
  CHECK(row ==
        std::vector<std::string>{"c4ca4238a0b923820dcc509a6f75849b", "***", std::string("\0\0\0\x29", 4), "<null>"});
  CHECK(unfit.empty());
  CHECK(row_of(mapping.apply(one_row(mapping.read_schema(), 1, nullptr, nullptr), {}, unfit)) ==
        std::vector<std::string>{"c4ca4238a0b923820dcc509a6f75849b", "<null>", "<null>", "<null>"});
}

TEST_CASE("a value that can't be cast is null, told in the row and handed out") {
  RowMapping mapping(people(),
                     mappers(R"([{"type":"cast","mapperConfiguration":{"targetField":"age","type":"int4"}}])"), true);
  std::vector<UnfitValue> unfit;
  const auto row = row_of(mapping.apply(one_row(mapping.read_schema(), 1, "ann", "forty"), {}, unfit));
  REQUIRE(row.size() == 4);
  CHECK(row[2] == "<null>");
  CHECK(json::parse(row[3].substr(1))[0]["field"] == "age");
  REQUIRE(unfit.size() == 1);
  CHECK(unfit[0].bytes == "forty");
}

TEST_CASE("a field whose text only its source knows is read as text") {
  Schema s = people();
  s.fields.push_back(field("tags", Type(Kind::array, "text[]")));
  const RowMapping mapping(std::move(s),
                           mappers(R"([{"type":"hashing","mapperConfiguration":{"targetField":"tags"}}])"), true);
  CHECK(mapping.read_schema()->fields.back().as_text);
  CHECK(mapping.read_schema()->fields.back().type.pg_type == "text");
}

TEST_CASE("two fields of one name, unknown fields and unknown words are refused") {
  const auto code = [](const char* text) {
    try {
      const RowMapping mapping(people(), mappers(text), true);
    } catch (const Error& e) {
      return std::string(e.code());
    }
    return std::string();
  };
  CHECK(code(R"([{"type":"field-renaming","mapperConfiguration":{"originalFieldName":"id","newFieldName":"name"}}])") ==
        "connector.mapper_invalid");
  CHECK(code(R"([{"type":"hashing","mapperConfiguration":{"targetField":"none"}}])") == "stream.field_unknown");
  CHECK(code(R"([{"type":"hashing","mapperConfiguration":{"targetField":"id","method":"CRC32"}}])") ==
        "connector.mapper_invalid");
  CHECK(code(R"([{"type":"cast","mapperConfiguration":{"targetField":"id","type":"cow"}}])") ==
        "connector.mapper_invalid");
  CHECK(code(R"([{"type":"encryption","mapperConfiguration":{"targetField":"id","publicKey":"none"}}])") ==
        "connector.mapper_invalid");
}

TEST_CASE("digests are those of the standards") {
  CHECK(hash_hex("SHA-256", "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(hash_hex("sha1", "abc") == "a9993e364706816aba3e25717850c26c9cd0d89d");
  CHECK_FALSE(is_hash_method("crc"));
}
