#include "resources/validation_error.h"

#include <nlohmann/json.hpp>

namespace millrace::resources {
namespace {

std::string describe_faults(const std::vector<Fault>& faults) {
  std::string text;
  for (const auto& f : faults) {
    if (!text.empty()) text += "; ";
    text += (f.pointer.empty() ? std::string("the body") : f.pointer) + " " + f.detail;
  }
  return text;
}

}  // namespace

ValidationError::ValidationError(std::vector<Fault> faults, std::string_view code)
    : Error(code, describe_faults(faults)), faults_(std::move(faults)) {}

void Faults::add(std::string pointer, std::string detail) {
  if (faults_.size() >= kMaxFaults) return;
  Fault fault;
  fault.pointer = std::move(pointer);
  fault.detail = std::move(detail);
  faults_.push_back(std::move(fault));
}

void Faults::add_all(const std::string& prefix, const std::vector<Fault>& other) {
  for (const auto& f : other) add(prefix + f.pointer, f.detail);
}

void Faults::throw_if_any() const {
  if (!faults_.empty()) throw ValidationError(faults_);
}

std::string instead_of(const nlohmann::json& given) {
  constexpr std::size_t kShown = 60;
  if (given.is_object() || given.is_array()) return std::string(", not an ") + given.type_name();
  std::string text = given.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  if (text.size() > kShown) {
    text.resize(kShown);
    text += "...";
  }
  return ", not " + text;
}

std::string pointer_token(std::string_view name) {
  std::string out = "/";
  for (char c : name) {
    if (c == '~')
      out += "~0";
    else if (c == '/')
      out += "~1";
    else
      out += c;
  }
  return out;
}

std::string pointer_token(std::size_t index) { return "/" + std::to_string(index); }

}  // namespace millrace::resources
