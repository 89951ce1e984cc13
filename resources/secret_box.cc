// Secrets at rest: XSalsa20-Poly1305 (libsodium crypto_secretbox) under one random 32-byte key, with a random nonce for
// each value, and a BLAKE2b hash keyed by a key derived from it.
//
// Stored bytes: 'm' 'r' 's' 0x01 | nonce (24) | box (16 bytes of tag and the value). The key file is "millrace-key-1 "
// and 64 hex digits, mode 0600.
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "common/check.h"
#include "common/errors.h"
#include "resources/resources.h"

namespace millrace::resources {
namespace {

constexpr std::string_view kSealedMagic{"mrs\x01", 4};
constexpr std::string_view kKeyPrefix = "millrace-key-1 ";
using Key = std::array<unsigned char, crypto_secretbox_KEYBYTES>;
static_assert(crypto_secretbox_KEYBYTES == crypto_kdf_KEYBYTES,
              "one key serves as box key and as master of the hash key");

std::string errno_text() { return std::strerror(errno); }

// A file descriptor that closes itself.
class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

class SodiumBox final : public SecretBox {
 public:
  explicit SodiumBox(const Key& key) : key_(key) {
    // A subkey of its own, so that the hash tells nothing about the box.
    crypto_kdf_derive_from_key(hash_key_.data(), hash_key_.size(), 1, "mr-hash_", key_.data());
  }
  ~SodiumBox() override {
    sodium_memzero(key_.data(), key_.size());
    sodium_memzero(hash_key_.data(), hash_key_.size());
  }

  std::string seal(const std::string& plain) override {
    std::string out(kSealedMagic);
    out.resize(kSealedMagic.size() + crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES + plain.size());
    auto* nonce = reinterpret_cast<unsigned char*>(out.data()) + kSealedMagic.size();
    randombytes_buf(nonce, crypto_secretbox_NONCEBYTES);
    crypto_secretbox_easy(nonce + crypto_secretbox_NONCEBYTES, reinterpret_cast<const unsigned char*>(plain.data()),
                          plain.size(), nonce, key_.data());
    return out;
  }

  std::string open_sealed(const std::string& sealed) override {
    constexpr std::size_t kOverhead = 4 + crypto_secretbox_NONCEBYTES + crypto_secretbox_MACBYTES;
    if (sealed.size() < kOverhead || !sealed.starts_with(kSealedMagic))
      throw Error("secret.unreadable", "the stored value is not a sealed secret");
    const auto* nonce = reinterpret_cast<const unsigned char*>(sealed.data()) + kSealedMagic.size();
    std::string plain(sealed.size() - kOverhead, '\0');
    if (crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(plain.data()), nonce + crypto_secretbox_NONCEBYTES,
                                   plain.size() + crypto_secretbox_MACBYTES, nonce, key_.data()) != 0)
      throw Error("secret.unreadable", "the value was sealed with another key, or is damaged");
    return plain;
  }

  std::string keyed_hash(const std::string& plain) override {
    std::array<unsigned char, 16> hash{};
    crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(plain.data()), plain.size(),
                       hash_key_.data(), hash_key_.size());
    std::string hex(hash.size() * 2 + 1, '\0');
    sodium_bin2hex(hex.data(), hex.size(), hash.data(), hash.size());
    hex.pop_back();
    return hex;
  }

 private:
  Key key_;
  Key hash_key_;
};

Key read_key(int fd, const std::string& file) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) throw Error("secret.key_unusable", file + ": " + errno_text());
  if (!S_ISREG(status.st_mode)) throw Error("secret.key_unusable", file + " is not a regular file");
  if ((status.st_mode & 0077) != 0) {
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", status.st_mode & 07777);
    throw Error("secret.key_unusable", file + " has mode " + mode + ": others may read it; 0600 is wanted");
  }
  char text[128];
  const ssize_t n = ::read(fd, text, sizeof text);
  if (n < 0) throw Error("secret.key_unusable", file + ": " + errno_text());
  std::string_view content(text, static_cast<std::size_t>(n));
  while (!content.empty() && (content.back() == '\n' || content.back() == '\r')) content.remove_suffix(1);
  Key key{};
  std::size_t length = 0;
  const bool ok = content.starts_with(kKeyPrefix) && content.size() == kKeyPrefix.size() + key.size() * 2 &&
                  sodium_hex2bin(key.data(), key.size(), content.data() + kKeyPrefix.size(), key.size() * 2, nullptr,
                                 &length, nullptr) == 0 &&
                  length == key.size();
  sodium_memzero(text, sizeof text);
  if (!ok) throw Error("secret.key_unusable", file + " does not hold a key");
  return key;
}

void write_all(int fd, std::string_view bytes, const std::string& file) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw Error("secret.key_unusable", file + ": " + errno_text());
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

void sync_directory(const std::string& file) {
  const auto slash = file.rfind('/');
  const Fd dir(
      ::open(slash == std::string::npos ? "." : file.substr(0, slash + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (dir.get() >= 0) ::fsync(dir.get());
}

// Written aside and renamed without replacing, so that a crash leaves a whole key or none.
void make_key(const std::string& file) {
  Key key{};
  randombytes_buf(key.data(), key.size());
  std::string text(kKeyPrefix);
  std::string hex(key.size() * 2 + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), key.data(), key.size());
  hex.back() = '\n';
  text += hex;
  const std::string aside = file + ".new." + std::to_string(::getpid());
  {
    const Fd fd(::open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (fd.get() < 0) throw Error("secret.key_unusable", aside + ": " + errno_text());
    write_all(fd.get(), text, aside);
    if (::fsync(fd.get()) != 0) throw Error("secret.key_unusable", aside + ": " + errno_text());
  }
  const int linked = ::link(aside.c_str(), file.c_str());
  const int link_errno = errno;
  ::unlink(aside.c_str());
  sodium_memzero(text.data(), text.size());
  sodium_memzero(key.data(), key.size());
  // Somebody else made it meanwhile: theirs is the key.
  if (linked != 0 && link_errno != EEXIST) throw Error("secret.key_unusable", file + ": " + std::strerror(link_errno));
  sync_directory(file);
}

}  // namespace

std::unique_ptr<SecretBox> SecretBox::open(const std::string& key_file) {
  check(sodium_init() >= 0, "libsodium starts");
  for (int tries = 0; tries < 2; ++tries) {
    const Fd fd(::open(key_file.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() >= 0) return std::make_unique<SodiumBox>(read_key(fd.get(), key_file));
    if (errno != ENOENT || tries > 0) throw Error("secret.key_unusable", key_file + ": " + errno_text());
    make_key(key_file);
  }
  throw Error("secret.key_unusable", key_file);
}

}  // namespace millrace::resources
