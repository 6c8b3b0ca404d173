// SPDX-License-Identifier: BSD-3-Clause
// Relaunch: this process begins anew, in place: the same program, arguments and environment,
// nothing else of what it was. What is needed for that is taken at its start, before words of the
// command line, the folder or the program's file are others.
#pragma once

#include <string>
#include <vector>

#include "datastructs/base/units.h"

namespace ouro {

class Relaunch {
 public:
  Relaunch(int count, char** words);

  // 0 if the program can be run, or an errno.
  int check() const;
  // Whoever is connected sees the end at once, the beginning comes after `delay`. Nothing is
  // flushed, saved or said. If it does not succeed the process ends with code 1.
  [[noreturn]] void run(Millis delay) const;

 private:
  std::string executable_;
  std::vector<std::string> words_;
  std::string folder_;
};

}  // namespace ouro
