// SPDX-License-Identifier: BSD-3-Clause
// ouro-server --check-rdb FILE: whether a snapshot is whole, down to each value in it, and if not,
// where and why. Nothing is kept of it; the caller waits.
#pragma once

#include <string>

namespace ouro {

// One line for people in `report`; false if the file is not whole or cannot be read.
bool check_snapshot(const std::string& path, std::string& report);

}  // namespace ouro
