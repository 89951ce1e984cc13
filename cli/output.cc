#include "cli/output.h"

#include <algorithm>
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace millrace::cli {
namespace {

std::string dump(const Json& json, int indent) { return json.dump(indent, ' ', false, Json::error_handler_t::replace); }

// A string that YAML reads back as the same string without quotes.
bool plain_safe(const std::string& text) {
  if (text.empty() || text.front() == ' ' || text.back() == ' ' || text.size() > 200) return false;
  if (std::string("-?:,[]{}#&*!|>'\"%@`=<~").find(text.front()) != std::string::npos) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto u = static_cast<unsigned char>(text[i]);
    if (u < 0x20 || u == 0x7f) return false;
    if (text[i] == ':' && (i + 1 == text.size() || text[i + 1] == ' ')) return false;
    if (text[i] == '#' && i > 0 && text[i - 1] == ' ') return false;
  }
  static const std::vector<std::string> kWords = {"true", "false", "null", "yes",  "no",  "on",
                                                  "off",  "y",     "n",    ".nan", ".inf"};
  std::string lower = text;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (std::find(kWords.begin(), kWords.end(), lower) != kWords.end()) return false;
  return text.find_first_not_of("0123456789+-.:eExXoO_abcdefABCDEF") != std::string::npos;
}

void write_yaml(const Json& json, int depth, bool after_key, std::string& out) {
  const std::string indent(static_cast<std::size_t>(depth) * 2, ' ');
  if (json.is_object() && !json.empty()) {
    bool first = true;
    for (const auto& [key, value] : json.items()) {
      if (!first || after_key) out += (first ? "\n" : "") + indent;
      first = false;
      out += plain_safe(key) ? key : dump(Json(key), -1);
      out += ':';
      write_yaml(value, depth + 1, true, out);
    }
  } else if (json.is_array() && !json.empty()) {
    bool first = true;
    for (const Json& value : json) {
      if (!first || after_key) out += (first ? "\n" : "") + indent;
      first = false;
      out += "-";
      if (value.is_structured() && !value.empty()) {
        out += ' ';
        write_yaml(value, depth + 1, false, out);
      } else {
        write_yaml(value, depth + 1, true, out);
      }
    }
  } else {
    if (after_key) out += ' ';
    out +=
        json.is_string() && plain_safe(json.get_ref<const std::string&>()) ? json.get<std::string>() : dump(json, -1);
    out += '\n';
  }
}

}  // namespace

std::string to_yaml(const Json& json) {
  std::string out;
  write_yaml(json, 0, false, out);
  return out;
}

std::string plain(const Json& value) {
  if (value.is_null()) return {};
  return value.is_string() ? value.get<std::string>() : dump(value, -1);
}
std::string plain(const Json& object, const char* name) {
  const auto it = object.find(name);
  return it == object.end() ? std::string() : plain(*it);
}

Column field(std::string header, std::string name, bool wide) {
  return Column(
      std::move(header),
      [name = std::move(name)](const Json& item) {
        if (!name.starts_with('/')) return plain(item, name.c_str());
        const Json::json_pointer pointer(name);
        return item.contains(pointer) ? plain(item.at(pointer)) : std::string();
      },
      wide);
}

void print_table(const std::vector<Json>& items, const std::vector<Column>& columns, bool wide) {
  std::vector<const Column*> shown;
  for (const Column& c : columns) {
    if (wide || !c.wide) shown.push_back(&c);
  }
  std::vector<std::vector<std::string>> rows(1);
  for (const Column* c : shown) rows[0].push_back(c->header);
  for (const Json& item : items) {
    std::vector<std::string> row;
    for (const Column* c : shown) {
      std::string text = c->value(item);
      for (char& ch : text) ch = static_cast<unsigned char>(ch) < 0x20 ? ' ' : ch;
      row.push_back(std::move(text));
    }
    rows.push_back(std::move(row));
  }
  std::vector<std::size_t> widths(shown.size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line += std::string(widths[i] - row[i].size() + 2, ' ');
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    out += line + '\n';
  }
  std::cout << out;
}

void print_list(const std::vector<Json>& items, const std::vector<Column>& columns,
                const std::function<std::string(const Json&)>& name, const std::string& form) {
  if (form == "json") {
    Json array = Json::array();
    for (const Json& item : items) array.push_back(item);
    std::cout << dump(array, 2) << '\n';
  } else if (form == "jsonl") {
    for (const Json& item : items) std::cout << dump(item, -1) << '\n';
  } else if (form == "yaml") {
    for (const Json& item : items) std::cout << "---\n" << to_yaml(item);
  } else if (form == "name") {
    for (const Json& item : items) std::cout << name(item) << '\n';
  } else {
    print_table(items, columns, form == "wide");
  }
}

void print_object(const Json& object, const std::string& name, const std::string& form) {
  if (form == "json") {
    std::cout << dump(object, 2) << '\n';
  } else if (form == "jsonl") {
    std::cout << dump(object, -1) << '\n';
  } else if (form == "name") {
    std::cout << name << '\n';
  } else {
    std::cout << to_yaml(object);
  }
}

std::string human_bytes(double bytes) {
  static constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  int unit = 0;
  while (bytes >= 1024 && unit < 4) {
    bytes /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{:.0f} B", bytes) : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

std::string human_count(double n) {
  std::string digits = fmt::format("{:.0f}", n);
  for (int at = static_cast<int>(digits.size()) - 3; at > 0; at -= 3) digits.insert(static_cast<std::size_t>(at), ",");
  return digits;
}

}  // namespace millrace::cli
