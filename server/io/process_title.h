// SPDX-License-Identifier: BSD-3-Clause
// What ps shows in place of the command line. The words that main was given and the environment are
// moved away, and where they were becomes room for a title: libbsd's setproctitle(3).
#pragma once

#include <string>

namespace ouro {

// First of all in main, before anything keeps a pointer to a word of it but words[0].
void make_room_for_title(int count, char** words);
// A title longer than the room is cut.
void set_process_title(const std::string& title);

}  // namespace ouro
