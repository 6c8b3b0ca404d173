// SPDX-License-Identifier: BSD-3-Clause
#include "datastructs/pressed_run.h"

#include <cstdint>
#include <cstring>

#include "datastructs/base/check.h"
#include "datastructs/codec/lzf.h"

namespace ouro {

namespace {

// Smaller runs are not tried, as in Redis.
constexpr size_t kRunBytesMin = 48;
constexpr size_t kGainMin = 8;

constexpr size_t kSizeBytes = sizeof(uint32_t);
constexpr size_t kAddedBytes = sizeof(Blob) + kSizeBytes;
static_assert(kRunBytesMin > kAddedBytes + kGainMin);

}  // namespace

Blob* press_run(Heap& heap, PackedList run) noexcept {
  const ByteView text(static_cast<const char*>(run.block()), run.bytes());
  if (text.size() < kRunBytesMin) return nullptr;
  const auto size = static_cast<uint32_t>(text.size());
  std::string pressed(kSizeBytes, '\0');
  std::memcpy(pressed.data(), &size, kSizeBytes);
  if (!pack_lzf(text, text.size() - kAddedBytes - kGainMin, pressed)) return nullptr;
  return Blob::create_from(heap, pressed);
}

size_t pressed_run_bytes(const Blob& pressed) noexcept {
  uint32_t size;
  std::memcpy(&size, pressed.bytes(), kSizeBytes);
  return size;
}

// How many shared the run when it was pressed stands in its head still: no reader looks there, and
// a copy leaves it out.
PackedList open_run(const Blob& pressed, OpenedRun& into) noexcept {
  const ByteView form = pressed.view().substr(kSizeBytes);
  CHECK(unpack_lzf(form, pressed_run_bytes(pressed), into));
  return PackedList(into.data());
}

}  // namespace ouro
