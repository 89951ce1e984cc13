#include <sys/stat.h>

#include <fstream>

#include "tests/resources/resources_fixture.h"

using namespace millrace;
using namespace millrace::test;
using nlohmann::json;
using resources::Kind;
using resources::SecretBox;

TEST_CASE("the key file is made with mode 0600 and gives the same box again") {
  TempDir dir;
  const std::string sealed = SecretBox::open(dir.file("key"))->seal("hunter2");
  struct stat status{};
  REQUIRE(::stat(dir.file("key").c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
  CHECK(sealed.find("hunter2") == std::string::npos);
  CHECK(SecretBox::open(dir.file("key"))->open_sealed(sealed) == "hunter2");
}

TEST_CASE("a key file that others may read, or that is no key, is refused") {
  TempDir dir;
  SecretBox::open(dir.file("key"));
  ::chmod(dir.file("key").c_str(), 0640);
  try {
    SecretBox::open(dir.file("key"));
    FAIL("opened");
  } catch (const Error& e) {
    CHECK(std::string(e.code()) == "secret.key_unusable");
    CHECK(e.detail().find("0640") != std::string::npos);
  }
  std::ofstream(dir.file("other")) << "not a key";
  ::chmod(dir.file("other").c_str(), 0600);
  CHECK_THROWS_AS(SecretBox::open(dir.file("other")), Error);
}

TEST_CASE("a sealed value is refused with another key, cut or changed") {
  TempDir dir;
  auto box = SecretBox::open(dir.file("key"));
  std::string sealed = box->seal("hunter2");
  CHECK_THROWS_AS(SecretBox::open(dir.file("key2"))->open_sealed(sealed), Error);
  CHECK_THROWS_AS(box->open_sealed(sealed.substr(0, sealed.size() - 1)), Error);
  sealed.back() = static_cast<char>(sealed.back() ^ 1);
  CHECK_THROWS_AS(box->open_sealed(sealed), Error);
  CHECK_THROWS_AS(box->open_sealed(""), Error);
  CHECK(box->seal("a") != box->seal("a"));
  CHECK(box->keyed_hash("a") == box->keyed_hash("a"));
  CHECK(box->keyed_hash("a") != SecretBox::open(dir.file("key2"))->keyed_hash("a"));
}

TEST_CASE_METHOD(ResourcesFixture, "a secret is in no stored byte, answer, plan or export, and reaches the connector") {
  auto body = shop_body();
  body["configuration"]["api_token"] = "undescribed-token";  // no field of the specification
  const auto made = create(Kind::source, body);
  const std::string stored = everything_stored();
  CHECK(stored.find("s3cret-value") == std::string::npos);
  CHECK(stored.find("undescribed-token") == std::string::npos);
  CHECK(shown(made)["configuration"]["password"] == "**********");
  CHECK(shown(made)["configuration"]["api_token"] == "**********");
  CHECK(shown(made)["configuration"]["host"] == "db.internal");
  const std::string exported = run(resources->export_all());
  CHECK(exported.find("s3cret-value") == std::string::npos);
  CHECK(exported.find("_secret") == std::string::npos);
  const auto filled = json::parse(run(resources->configuration_with_secrets(Kind::source, made.id, 1)));
  CHECK(filled["password"] == "s3cret-value");
  CHECK(filled["api_token"] == "undescribed-token");
}

TEST_CASE_METHOD(ResourcesFixture, "a patch keeps a secret that is masked or left out, a put only one that is masked") {
  const auto made = create(Kind::source, shop_body());
  const auto password = [&](std::int64_t revision) {
    return json::parse(run(resources->configuration_with_secrets(Kind::source, made.id, revision)))
        .value("password", "none");
  };
  auto r = update(Kind::source, made.id, {{"configuration", {{"port", 5433}}}});
  CHECK(password(r.revision) == "s3cret-value");
  r = update(Kind::source, made.id, {{"configuration", {{"port", 5434}, {"password", "**********"}}}});
  CHECK(password(r.revision) == "s3cret-value");
  r = update(Kind::source, made.id, {{"configuration", {{"password", "changed"}}}});
  CHECK(password(r.revision) == "changed");
  CHECK(password(1) == "s3cret-value");

  auto body = shop_body();
  body["configuration"]["password"] = "**********";
  r = update(Kind::source, made.id, body, resources::UpdateMode::put);
  CHECK(password(r.revision) == "changed");
  body["configuration"].erase("password");
  r = update(Kind::source, made.id, body, resources::UpdateMode::put);
  CHECK(password(r.revision) == "none");
}

TEST_CASE_METHOD(ResourcesFixture,
                 "a masked secret where none is stored, and a reference to a stored one, are refused") {
  auto body = shop_body();
  body["configuration"]["password"] = "**********";
  CHECK(holds(faults_of([&] { create(Kind::source, body); }), "/configuration/password is masked"));
  const auto made = create(Kind::source, shop_body());
  const auto stored = json::parse(made.spec)["configuration"]["password"];
  auto thief = warehouse_body();
  thief["configuration"]["database"] = stored;
  CHECK(holds(faults_of([&] { create(Kind::source, thief); }), "reserved"));
}

TEST_CASE_METHOD(ResourcesFixture, "a secret in a branch is sealed, and goes when another branch is chosen") {
  auto body = shop_body();
  body["configuration"]["ssl_mode"] = {{"mode", "verify-ca"}, {"ca_certificate", "PEM-BYTES"}};
  const auto made = create(Kind::source, body);
  CHECK(everything_stored().find("PEM-BYTES") == std::string::npos);
  CHECK(shown(made)["configuration"]["ssl_mode"]["ca_certificate"] == "**********");
  const auto r = update(Kind::source, made.id, {{"configuration", {{"ssl_mode", {{"mode", "require"}}}}}});
  CHECK(shown(r)["configuration"]["ssl_mode"] == json({{"mode", "require"}}));
}
