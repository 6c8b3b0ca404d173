// SPDX-License-Identifier: BSD-3-Clause
// HeldName: a file that one server alone writes to, since two would write over each other's.
// Several servers share a folder if their files have other names. A name is taken when the file is
// to be written for the first time; a server that keeps nothing needs none.
#pragma once

#include <string>

#include "datastructs/base/log.h"
#include "server/io/loop.h"

namespace ouro {

class HeldName {
 public:
  HeldName(Loop& loop, Logger& log) : loop_(loop), log_(log) {}
  ~HeldName() { let_go(); }
  HeldName(const HeldName&) = delete;
  HeldName& operator=(const HeldName&) = delete;

  // `name` of the folder, in place of the one before; nothing happens if it is that one. False with
  // a text if another server has it.
  bool take(const std::string& folder, const std::string& name, std::string& error);
  void let_go();
  bool is_held() const { return lock_.is_open(); }

 private:
  Loop& loop_;
  Logger& log_;
  FileFd lock_;
  std::string path_;
};

}  // namespace ouro
