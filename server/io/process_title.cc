// SPDX-License-Identifier: BSD-3-Clause
#include "server/io/process_title.h"

#include <bsd/unistd.h>
#include <unistd.h>

namespace ouro {

void make_room_for_title(int count, char** words) { setproctitle_init(count, words, environ); }

// The '-' leaves out the program's name, which would stand in front.
void set_process_title(const std::string& title) { setproctitle("-%s", title.c_str()); }

}  // namespace ouro
