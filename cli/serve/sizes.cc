#include "cli/serve/sizes.h"

#include <cstdlib>
#include <map>

#include "cli/context.h"

namespace millrace::serve {

std::uint64_t parse_size(const std::string& text) {
  static const std::map<std::string, double> kUnits = {{"", 1},
                                                       {"B", 1},
                                                       {"KB", 1e3},
                                                       {"MB", 1e6},
                                                       {"GB", 1e9},
                                                       {"TB", 1e12},
                                                       {"K", 1024},
                                                       {"M", 1024 * 1024},
                                                       {"G", 1024. * 1024 * 1024},
                                                       {"KIB", 1024},
                                                       {"MIB", 1024 * 1024},
                                                       {"GIB", 1024. * 1024 * 1024},
                                                       {"TIB", 1024. * 1024 * 1024 * 1024}};
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  std::string unit;
  for (; *end != '\0'; ++end) {
    if (*end != ' ') unit += static_cast<char>(std::toupper(static_cast<unsigned char>(*end)));
  }
  const auto known = kUnits.find(unit);
  if (end == text.c_str() || known == kUnits.end() || !(number >= 0) || number > 1e15) {
    throw cli::CommandError(cli::kUsage, "'" + text + "' is no size", "", "Write it as 500MiB or 2GiB.", "cli.usage");
  }
  return static_cast<std::uint64_t>(number * known->second);
}

}  // namespace millrace::serve
