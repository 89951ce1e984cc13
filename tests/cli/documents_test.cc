// Resource files: places of faults, expansion of references, and YAML out.
#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "cli/documents.h"
#include "cli/output.h"

namespace millrace::test {
namespace {

using cli::Json;

class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "millrace-cli-test-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ + "/" + name) << text;
    return path_ + "/" + name;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string fault_of(const std::vector<std::string>& files) {
  try {
    cli::load_documents(files, false);
  } catch (const cli::DocumentFaults& e) {
    CHECK(e.exit_code == cli::kFailed);
    return e.detail;
  }
  return "none";
}

Json load(const std::string& text) {
  const Folder folder;
  return cli::load_documents({folder.write("a.yaml", text)}, false).list;
}

}  // namespace

TEST_CASE("documents of several files and directories come in one list, in the order of their names") {
  const Folder folder;
  folder.write("b.yaml", "name: b1\n---\nname: b2\n");
  folder.write("a.json", "[{\"name\": \"a1\"}, {\"name\": \"a2\"}]");
  folder.write("readme.txt", "not a document");
  const cli::Documents documents = cli::load_documents({folder.path()}, false);
  REQUIRE(documents.list.size() == 4);
  CHECK(documents.list[0]["name"] == "a1");
  CHECK(documents.list[3]["name"] == "b2");
  CHECK(documents.locate("/3/name").ends_with("b.yaml:3:1"));
  CHECK(documents.locate("/3/name/deeper").ends_with("b.yaml:3:1"));
}

TEST_CASE("scalars are typed by YAML 1.2's core schema: no is a word, quotes make strings") {
  const Json one = load("a: no\nb: 12\nc: '12'\nd: 1.5\ne: true\nf: ~\ng: 0123\nh: on\ni: \"\"\n")[0];
  CHECK(one["a"] == "no");
  CHECK(one["b"] == 12);
  CHECK(one["c"] == "12");
  CHECK(one["d"] == 1.5);
  CHECK(one["e"] == true);
  CHECK(one["f"].is_null());
  CHECK(one["h"] == "on");
  CHECK(one["i"] == "");
}

TEST_CASE("broken YAML is told with file, line and column") {
  const Folder folder;
  CHECK(fault_of({folder.write("x.yaml", "a: 1\nb: [1, 2\nc: 3\n")}).find("x.yaml:3:") != std::string::npos);
}

TEST_CASE("faults of all files are told at once") {
  const Folder folder;
  const std::string text = fault_of(
      {folder.write("x.yaml", "a: [\n"), folder.write("y.yaml", "k: 1\nk: 2\n"), folder.path() + "/missing.yaml"});
  CHECK(text.find("x.yaml:") != std::string::npos);
  CHECK(text.find("y.yaml:2:1: the key 'k' stands here twice") != std::string::npos);
  CHECK(text.find("missing.yaml: the file cannot be read") != std::string::npos);
}

TEST_CASE("references to the environment and to files are expanded, others are left") {
  const Folder folder;
  ::setenv("MILLRACE_CLI_TEST", "secret: x", 1);
  const std::string file = folder.write("word", "from a file\n");
  const Json one = load("a: ${env:MILLRACE_CLI_TEST}\nb: pre-${env:MILLRACE_CLI_TEST}-post\nc: ${file:" + file +
                        "}\nd: ${SOURCE_NAMESPACE}\ne: ${secret:NAME}\n")[0];
  CHECK(one["a"] == "secret: x");
  CHECK(one["b"] == "pre-secret: x-post");
  CHECK(one["c"] == "from a file");
  CHECK(one["d"] == "${SOURCE_NAMESPACE}");
  CHECK(one["e"] == "${secret:NAME}");
}

TEST_CASE("a reference without a value is a fault with its place, or a placeholder where that is allowed") {
  const Folder folder;
  ::unsetenv("MILLRACE_CLI_TEST_NONE");
  const std::string file = folder.write("x.yaml", "a: 1\nb: ${env:MILLRACE_CLI_TEST_NONE}\n");
  CHECK(fault_of({file}).find("x.yaml:2:4: the environment variable MILLRACE_CLI_TEST_NONE is not set") !=
        std::string::npos);
  CHECK(cli::load_documents({file}, true).missing == std::vector<std::string>{"${env:MILLRACE_CLI_TEST_NONE}"});
}

TEST_CASE("a value that is one reference takes the type that the spec wants there") {
  const Folder folder;
  ::setenv("MILLRACE_CLI_TEST", "5432", 1);
  cli::Documents documents = cli::load_documents({folder.write("x.yaml", R"(
kind: Source
spec:
  connector: postgres
  configuration: {port: "${env:MILLRACE_CLI_TEST}", password: "${env:MILLRACE_CLI_TEST}", deep: {size: "${env:MILLRACE_CLI_TEST}"}}
)")},
                                                 false);
  const Json schema = Json::parse(R"({"properties":{"port":{"type":"integer"},"password":{"type":"string"},
    "deep":{"oneOf":[{"properties":{"other":{}}},{"properties":{"size":{"type":["null","integer"]}}}]}}})");
  cli::apply_types(documents, [&schema](const std::string& kind, const std::string& connector) {
    CHECK(kind == "Source");
    CHECK(connector == "postgres");
    return schema;
  });
  const Json& configuration = documents.list[0]["spec"]["configuration"];
  CHECK(configuration["port"] == 5432);
  CHECK(configuration["password"] == "5432");
  CHECK(configuration["deep"]["size"] == 5432);
}

TEST_CASE("aliases that multiply are stopped") {
  const Folder folder;
  std::string text = "a0: &a0 [1,1,1,1,1,1,1,1,1,1]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) text += (k == 0 ? "" : ",") + before;
    text += "]\n";
  }
  CHECK(fault_of({folder.write("x.yaml", text)}).find("too many values") != std::string::npos);
}

TEST_CASE("faults of the server are told with their places, and no value of a configuration is shown") {
  const Folder folder;
  const cli::Documents documents = cli::load_documents(
      {folder.write("x.yaml", "kind: Sauce\nspec:\n  configuration:\n    password: hunter2\n")}, false);
  const cli::DocumentFaults faults =
      cli::located_faults(documents, {{"/0/kind", "must be one of Source"},
                                      {"/0/spec/configuration/password", "must be a number"},
                                      {"/0/spec/x", "is required"}});
  CHECK(faults.detail.find("x.yaml:1:1: kind: must be one of Source, not 'Sauce'") != std::string::npos);
  CHECK(faults.detail.find("x.yaml:4:5: spec/configuration/password: must be a number") != std::string::npos);
  CHECK(faults.detail.find("x.yaml:2:1: spec/x: is required") != std::string::npos);
  CHECK(faults.detail.find("hunter2") == std::string::npos);
}

TEST_CASE("YAML that is written reads back the same") {
  const Json value = Json::parse(
      R"({"a":"x","b":"yes","c":"1","d":1.5,"e":[1,"two",{"f":[],"g":{}}],"h":null,"i":"a: b","j":"line\nline",
    "k":"- x","l":"","m":[[1,2],[3]],"n n":"# c","o":"2026-01-01","p":"0x1f","q":"trailing ","r":"${env:X}"})");
  const Folder folder;
  ::setenv("X", "${env:X}", 1);
  CHECK(cli::load_documents({folder.write("x.yaml", cli::to_yaml(value))}, false).list[0] == value);
}

}  // namespace millrace::test
