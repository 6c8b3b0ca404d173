// SPDX-License-Identifier: BSD-3-Clause
// ListpackWriter: builds a listpack (packed_reader.h has the layout) in a buffer of its own, as
// Redis does: text that reads like a number is one, each in the fewest bytes.
// Not here: how large one may grow; what is packed here is at most a few hundred KiB, or one
// element.
#pragma once

#include <string>

#include "datastructs/base/units.h"

namespace ouro {

class ListpackWriter {
 public:
  ListpackWriter() { clear(); }
  // Begins another one in the same buffer.
  void clear();

  void append(ByteView text);
  void append(int64_t number);
  // The listpack, ended; only clear() may follow. Valid until then.
  ByteView finish();
  size_t bytes() const { return out_.size(); }

 private:
  void append_text(ByteView text);
  void end_entry(size_t begin);

  std::string out_;
  size_t elements_ = 0;
};

}  // namespace ouro
