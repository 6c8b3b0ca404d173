// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/codec/owned_argv.h"

#include <cstring>
#include <new>

namespace ouro {

OwnedArgv::OwnedArgv(Heap& heap, Argv argv) : heap_(&heap), count_(argv.size()) {
  size_t bytes = argv.size() * sizeof(ByteView);
  for (const ByteView argument : argv) bytes += argument.size();
  char* block = static_cast<char*>(heap.allocate(bytes));
  views_ = reinterpret_cast<ByteView*>(block);
  char* to = block + argv.size() * sizeof(ByteView);
  for (size_t i = 0; i < argv.size(); ++i) {
    if (!argv[i].empty()) std::memcpy(to, argv[i].data(), argv[i].size());
    new (&views_[i]) ByteView(to, argv[i].size());
    to += argv[i].size();
  }
}

void OwnedArgv::reset() {
  if (views_ != nullptr) heap_->release(views_);
  views_ = nullptr;
  count_ = 0;
}

}  // namespace ouro
