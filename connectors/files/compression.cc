#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>

#include "common/errors.h"
#include "connectors/files/io.h"

namespace millrace::connectors::files {
namespace {

constexpr std::size_t kPiece = 256 << 10;
constexpr int kGzipWindow = 15 + 16;  // zlib's way to ask for gzip
constexpr int kZstdLevel = 3;

class PlainInput final : public InputFile {
 public:
  explicit PlainInput(const std::string& path) : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (file_.get() >= 0) return;
    if (errno == EACCES || errno == EPERM) throw Error("path.not_readable", path + ": " + std::strerror(errno));
    throw_errno(path);
  }
  bool read(std::string& out) override {
    out.resize(kPiece);
    for (;;) {
      const auto n = ::read(file_.get(), out.data(), out.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw_errno(path_);
      out.resize(static_cast<std::size_t>(n));
      return n > 0;
    }
  }

 private:
  std::string path_;
  Descriptor file_;
};

class GzipInput final : public InputFile {
 public:
  explicit GzipInput(const std::string& path) : path_(path), file_(path) {
    if (inflateInit2(&stream_, kGzipWindow) != Z_OK) throw Error("files.io_failed", "zlib does not start");
  }
  GzipInput(const GzipInput&) = delete;
  GzipInput& operator=(const GzipInput&) = delete;
  ~GzipInput() override { inflateEnd(&stream_); }

  bool read(std::string& out) override {
    out.clear();
    while (out.empty()) {
      // While the last piece was full, more of it may be waiting without further input.
      if (stream_.avail_in == 0 && !full_ && !more()) {
        if (inside_) throw Error("files.bad_compression", path_ + " ends in the midst of a gzip member");
        return false;
      }
      out.resize(kPiece);
      stream_.next_out = reinterpret_cast<Bytef*>(out.data());
      stream_.avail_out = static_cast<uInt>(out.size());
      inside_ = true;
      const int code = inflate(&stream_, Z_NO_FLUSH);
      if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        throw Error("files.bad_compression", path_ + ": " + (stream_.msg ? stream_.msg : "not gzip"));
      full_ = stream_.avail_out == 0;
      out.resize(out.size() - stream_.avail_out);
      if (code == Z_STREAM_END) {
        inside_ = full_ = false;
        inflateReset(&stream_);
      }
    }
    return true;
  }

 private:
  bool more() {
    if (!file_.read(in_)) return false;
    stream_.next_in = reinterpret_cast<Bytef*>(in_.data());
    stream_.avail_in = static_cast<uInt>(in_.size());
    return true;
  }

  std::string path_;
  PlainInput file_;
  std::string in_;
  z_stream stream_{};
  bool inside_ = false;  // a member has begun and not ended
  bool full_ = false;    // the last piece filled its buffer
};

class ZstdInput final : public InputFile {
 public:
  explicit ZstdInput(const std::string& path) : path_(path), file_(path), stream_(ZSTD_createDStream()) {
    if (!stream_) throw Error("files.io_failed", "zstd does not start");
  }

  bool read(std::string& out) override {
    out.clear();
    while (out.empty()) {
      if (input_.pos == input_.size && !full_) {
        if (!file_.read(in_)) {
          if (inside_) throw Error("files.bad_compression", path_ + " ends in the midst of a zstd frame");
          return false;
        }
        input_ = ZSTD_inBuffer{in_.data(), in_.size(), 0};
      }
      out.resize(kPiece);
      ZSTD_outBuffer output{out.data(), out.size(), 0};
      const std::size_t left = ZSTD_decompressStream(stream_.get(), &output, &input_);
      if (ZSTD_isError(left)) throw Error("files.bad_compression", path_ + ": " + ZSTD_getErrorName(left));
      inside_ = left != 0;
      full_ = output.pos == output.size && left != 0;
      out.resize(output.pos);
    }
    return true;
  }

 private:
  struct Free {
    void operator()(ZSTD_DStream* s) const { ZSTD_freeDStream(s); }
  };
  std::string path_;
  PlainInput file_;
  std::string in_;
  ZSTD_inBuffer input_{nullptr, 0, 0};
  std::unique_ptr<ZSTD_DStream, Free> stream_;
  bool inside_ = false, full_ = false;
};

}  // namespace

std::unique_ptr<InputFile> open_input(const std::string& path, Compression compression) {
  if (compression == Compression::gzip) return std::make_unique<GzipInput>(path);
  if (compression == Compression::zstd) return std::make_unique<ZstdInput>(path);
  return std::make_unique<PlainInput>(path);
}

std::string compressed(std::string_view bytes, Compression compression) {
  std::string out;
  if (compression == Compression::gzip) {
    z_stream stream{};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK)
      throw Error("files.io_failed", "zlib does not start");
    out.resize(deflateBound(&stream, bytes.size()));
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    stream.next_out = reinterpret_cast<Bytef*>(out.data());
    stream.avail_out = static_cast<uInt>(out.size());
    const int code = deflate(&stream, Z_FINISH);
    out.resize(stream.total_out);
    deflateEnd(&stream);
    if (code != Z_STREAM_END) throw Error("files.io_failed", "zlib does not compress");
    return out;
  }
  if (compression == Compression::zstd) {
    out.resize(ZSTD_compressBound(bytes.size()));
    const std::size_t n = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), kZstdLevel);
    if (ZSTD_isError(n)) throw Error("files.io_failed", ZSTD_getErrorName(n));
    out.resize(n);
    return out;
  }
  return std::string(bytes);
}

}  // namespace millrace::connectors::files
