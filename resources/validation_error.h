// What is thrown for a body with faults, and the list that collects all of them first.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>
#include "common/errors.h"

#include "resources/resources.h"

namespace millrace::resources {

// Code resource.invalid, or resource.unexpanded_reference when that is the only kind of fault. what() names all faults.
class ValidationError : public Error {
 public:
  explicit ValidationError(std::vector<Fault> faults, std::string_view code = "resource.invalid");
  const std::vector<Fault>& faults() const { return faults_; }

 private:
  std::vector<Fault> faults_;
};

// Faults in the order in which they were found. At most kMaxFaults are kept, so that a hostile body can't make a huge
// answer.
class Faults {
 public:
  static constexpr std::size_t kMaxFaults = 100;

  void add(std::string pointer, std::string detail);
  // `other`'s faults, with `prefix` before their pointers.
  void add_all(const std::string& prefix, const std::vector<Fault>& other);
  bool empty() const { return faults_.empty(); }
  const std::vector<Fault>& list() const { return faults_; }
  // Throws ValidationError if there are any.
  void throw_if_any() const;

 private:
  std::vector<Fault> faults_;
};

// ", not "x"": what was given instead, for the end of a fault's detail; only the beginning of what is long. Not for
// values that may be secret.
std::string instead_of(const nlohmann::json& given);

// One token of a JSON pointer, escaped (RFC 6901), with its slash.
std::string pointer_token(std::string_view name);
std::string pointer_token(std::size_t index);

}  // namespace millrace::resources
