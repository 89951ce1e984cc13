#include "connectors/sealing.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <vector>

#include "common/check.h"
#include "common/errors.h"

namespace millrace::connectors {
namespace {

std::string plain_method(const std::string& method) {
  std::string out;
  for (const char c : method)
    if (c != '-' && c != '_') out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

const EVP_MD* digest_of(const std::string& method) {
  const std::string name = plain_method(method);
  if (name == "md5") return EVP_md5();
  if (name == "sha1") return EVP_sha1();
  if (name == "sha224") return EVP_sha224();
  if (name == "sha256") return EVP_sha256();
  if (name == "sha384") return EVP_sha384();
  if (name == "sha512") return EVP_sha512();
  return nullptr;
}

using Bytes = std::vector<unsigned char>;

std::string base64(const Bytes& bytes) {
  std::string out((bytes.size() + 2) / 3 * 4, '\0');
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes.data(), static_cast<int>(bytes.size()));
  return out;
}

struct KeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using KeyPtr = std::unique_ptr<EVP_PKEY, KeyFree>;

KeyPtr from_pem(const std::string& text) {
  std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free);
  return KeyPtr(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
}

KeyPtr from_der(const Bytes& der) {
  const unsigned char* at = der.data();
  return KeyPtr(d2i_PUBKEY(nullptr, &at, static_cast<long>(der.size())));
}

Bytes from_base64(std::string text) {
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
  if (text.empty() || text.size() % 4 != 0) return {};
  Bytes out(text.size() / 4 * 3);
  const int size =
      EVP_DecodeBlock(out.data(), reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (size < 0) return {};
  std::size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

Bytes from_hex(const std::string& text) {
  long length = 0;
  unsigned char* raw = OPENSSL_hexstr2buf(text.c_str(), &length);
  if (raw == nullptr) return {};
  Bytes out(raw, raw + length);
  OPENSSL_free(raw);
  return out;
}

}  // namespace

bool is_hash_method(const std::string& method) { return digest_of(method) != nullptr; }

std::string hash_hex(const std::string& method, std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  check(EVP_Digest(bytes.data(), bytes.size(), digest, &size, digest_of(method), nullptr) == 1, "a digest is made");
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    out += kDigits[digest[i] >> 4];
    out += kDigits[digest[i] & 15];
  }
  return out;
}

struct PublicKey::Key {
  KeyPtr rsa;
  std::size_t most = 0;  // bytes that go into one RSA-OAEP block

  Bytes encrypt(const unsigned char* data, std::size_t size) const {
    std::unique_ptr<EVP_PKEY_CTX, void (*)(EVP_PKEY_CTX*)> ctx(EVP_PKEY_CTX_new(rsa.get(), nullptr), EVP_PKEY_CTX_free);
    std::size_t length = 0;
    bool ok = ctx && EVP_PKEY_encrypt_init(ctx.get()) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
              EVP_PKEY_CTX_set_rsa_oaep_md(ctx.get(), EVP_sha256()) == 1 &&
              EVP_PKEY_CTX_set_rsa_mgf1_md(ctx.get(), EVP_sha256()) == 1 &&
              EVP_PKEY_encrypt(ctx.get(), nullptr, &length, data, size) == 1;
    Bytes out(length);
    ok = ok && EVP_PKEY_encrypt(ctx.get(), out.data(), &length, data, size) == 1;
    check(ok, "a value is encrypted");
    out.resize(length);
    return out;
  }
};

PublicKey::PublicKey(const std::string& text) {
  auto key = std::make_shared<Key>();
  key->rsa = from_pem(text);
  if (!key->rsa) key->rsa = from_der(from_base64(text));
  if (!key->rsa) key->rsa = from_der(from_hex(text));
  if (!key->rsa || EVP_PKEY_base_id(key->rsa.get()) != EVP_PKEY_RSA)
    throw Error("connector.mapper_invalid", "publicKey is no RSA public key (PEM, or DER in base64 or hexadecimal)");
  if (EVP_PKEY_bits(key->rsa.get()) < 2048)
    throw Error("connector.mapper_invalid", "publicKey has fewer than 2048 bits");
  key->most = static_cast<std::size_t>(EVP_PKEY_size(key->rsa.get())) - 66;
  key_ = std::move(key);
}

std::string PublicKey::seal(std::string_view plain) const {
  const auto* data = reinterpret_cast<const unsigned char*>(plain.data());
  if (plain.size() <= key_->most) return base64(key_->encrypt(data, plain.size()));
  unsigned char secret[32];
  Bytes sealed(12 + plain.size() + 16);
  check(RAND_bytes(secret, sizeof secret) == 1 && RAND_bytes(sealed.data(), 12) == 1, "random bytes are there");
  std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> ctx(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  int size = 0, more = 0;
  const bool ok = ctx && EVP_EncryptInit_ex(ctx.get(), EVP_aes_256_gcm(), nullptr, secret, sealed.data()) == 1 &&
                  EVP_EncryptUpdate(ctx.get(), sealed.data() + 12, &size, data, static_cast<int>(plain.size())) == 1 &&
                  EVP_EncryptFinal_ex(ctx.get(), sealed.data() + 12 + size, &more) == 1 &&
                  EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_GCM_GET_TAG, 16, sealed.data() + 12 + plain.size()) == 1;
  check(ok, "a value is encrypted");
  return base64(key_->encrypt(secret, sizeof secret)) + "." + base64(sealed);
}

}  // namespace millrace::connectors
