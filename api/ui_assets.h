// The files of the web UI, as ui/build.mjs has packed them into the binary; none in a build without it.
#pragma once

#include <span>
#include <string_view>

namespace millrace::api {

struct UiAsset {
  std::string_view path;  // "/index.html", "/assets/main-3f2a.js": names under /assets/ change with their content
  std::string_view content_type;
  std::string_view identity;
  std::string_view gzip, brotli;  // empty: not worth it
};

std::span<const UiAsset> ui_assets();

}  // namespace millrace::api
