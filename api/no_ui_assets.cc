// A build without the web UI.
#include "api/ui_assets.h"

namespace millrace::api {

std::span<const UiAsset> ui_assets() { return {}; }

}  // namespace millrace::api
