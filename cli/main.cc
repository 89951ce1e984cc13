#include "cli/app.h"

int main(int argc, char** argv) { return millrace::cli::run(argc, argv, millrace::serve::Hooks()); }
