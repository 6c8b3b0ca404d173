// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/held_name.h"

#include <cerrno>
#include <cstring>
#include <utility>

namespace ouro {

bool HeldName::take(const std::string& folder, const std::string& name, std::string& error) {
  const std::string path = folder + '/' + name;
  if (is_held() && path_ == path) return true;
  let_go();
  const int32_t lock = loop_.lock_name(folder.c_str(), name);
  if (lock == -EWOULDBLOCK) {
    error = "Another server keeps its data in " + path;
    return false;
  }
  // Some network file systems know no locks.
  if (lock < 0) {
    log_.print(LogLevel::kWarning, "%s cannot be locked: %s", path.c_str(), strerrordesc_np(-lock));
    return true;
  }
  lock_ = {lock};
  path_ = path;
  return true;
}

void HeldName::let_go() {
  if (is_held()) loop_.unlock_name(std::exchange(lock_, FileFd()));
}

}  // namespace ouro
