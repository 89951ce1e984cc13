// How answers are written: tables for people, json, jsonl, yaml and names for programs.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace millrace::cli {

using Json = nlohmann::ordered_json;

struct Column {
  Column(std::string h, std::function<std::string(const Json&)> v, bool w = false)
      : header(std::move(h)), value(std::move(v)), wide(w) {}
  std::string header;
  std::function<std::string(const Json&)> value;
  bool wide;  // only with -o wide
};

// A column that shows the field, by JSON pointer or plain name.
Column field(std::string header, std::string name, bool wide = false);

// `form`: table (the default), wide, json, jsonl, yaml, name. `name` gives the line of -o name.
void print_list(const std::vector<Json>& items, const std::vector<Column>& columns,
                const std::function<std::string(const Json&)>& name, const std::string& form);
// One object; the default form is yaml, which reads well.
void print_object(const Json& object, const std::string& name, const std::string& form);
void print_table(const std::vector<Json>& items, const std::vector<Column>& columns, bool wide);

std::string to_yaml(const Json& json);
// Text of a scalar: strings as they are, "" for null.
std::string plain(const Json& value);
std::string plain(const Json& object, const char* name);
std::string human_bytes(double bytes);
std::string human_count(double n);  // 1,234,567

}  // namespace millrace::cli
