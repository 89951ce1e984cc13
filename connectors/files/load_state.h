// What a files destination keeps of a stream: its directories, fence and checkpoints. Blocking; all but the paths are
// called under the stream's lock.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "connectors/destination.h"

namespace millrace::connectors::files {

struct LoadRow {
  LoadRow() = default;
  std::int64_t generation = -1, attempt = 0, rows = 0;
  std::string token;
  bool finished = false, published = false;
  std::optional<StoredState> state;  // that the last published load left
};

struct Part {
  std::string file;
  std::int64_t size = 0;  // bytes that count
};

struct SplitRow {
  SplitRow() = default;
  std::int64_t rows = 0;
  std::string state;
  bool complete = false;
  std::vector<Part> parts;  // one for each attempt that committed something
};

// Places of one stream below the destination's directory.
struct Places {
  Places(const std::string& root, const StreamTarget& target);
  std::string state;  // .millrace/<hash>
  std::string lock;
  std::string stage;   // files of this generation
  std::string splits;  // their checkpoints
  std::string former;
  std::string final;  // what readers see
};

// A name as one part of a path: no "/", and not hidden from the source.
std::string escaped_name(const std::string& name);
std::string unescaped_name(const std::string& name);

LoadRow read_load(const Places& places);
void write_load(const Places& places, const LoadRow& row);
// Throws destination.fenced.
LoadRow require_fence(const Places& places, const StreamTarget& target, const std::string& token);

std::optional<SplitRow> read_split(const Places& places, const std::string& split);
void write_split(const Places& places, const std::string& split, const SplitRow& row);
std::map<std::string, SplitRow> read_splits(const Places& places);
std::map<std::string, Checkpoint> checkpoints(const Places& places);

// True if this load takes the place of all files.
bool replaces(const StreamTarget& target);

// True if the final directory is this stream's, or empty or not there; false if it is somebody's and may be taken over.
// Throws destination.not_ours.
bool may_write(const Places& places, const StreamTarget& target);

}  // namespace millrace::connectors::files
