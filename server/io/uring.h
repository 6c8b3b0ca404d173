// SPDX-License-Identifier: BSD-3-Clause
// Uring: one io_uring with its provided-buffer ring, without any idea of operations. UringLoop
// alone uses it.
//
// Two kinds of receive buffers, whichever the kernel has:
//   incremental (6.12)  The kernel fills a large buffer piece by piece: small messages lie densely.
//       buffer 0  [conn 7 | conn 3 | conn 12 | ..... free .....]   handed back when it is used up
//   whole (5.19)        One message takes one buffer, whatever its size. Buffers are spaced by an
//                       odd number of cache lines, since the first lines of buffers that lie a
//                       power of two apart share few cache sets.
// Either way a buffer returns to the kernel at the start of the next outer turn.
//
// Constants that are newer than the headers of liburing 2.3 stand in uring.cc; what the kernel
// lacks is done without.
#pragma once

#include <liburing.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "datastructs/base/units.h"

namespace ouro {

struct UringOptions {
  bool incremental = true;  // buffers, where the kernel has them
};

class Uring {
 public:
  // Null, and a reason, if the system refuses or lacks what a UringLoop needs.
  static std::unique_ptr<Uring> create(const UringOptions& options, std::string& why_not);
  ~Uring();
  Uring(const Uring&) = delete;
  Uring& operator=(const Uring&) = delete;

  // An entry to fill (by a prep function, and user_data); submits what is there when the queue is
  // full.
  io_uring_sqe& next_sqe();

  // Submits everything and waits for `wait_count` completions, at most that long; 0: only looks.
  // One system call.
  void submit_and_wait(unsigned wait_count, Micros at_most);
  unsigned ready() const noexcept {
    return __atomic_load_n(ring_.cq.ktail, __ATOMIC_ACQUIRE) - *ring_.cq.khead;
  }
  // Whether the kernel has taken every entry. It may be short of memory for some.
  bool has_submitted_all() const noexcept {
    return ring_.sq.sqe_tail == __atomic_load_n(ring_.sq.khead, __ATOMIC_ACQUIRE);
  }
  // ... and holds back no completion for want of room.
  bool is_settled() const noexcept {
    return has_submitted_all() &&
           (__atomic_load_n(ring_.sq.kflags, __ATOMIC_RELAXED) & IORING_SQ_CQ_OVERFLOW) == 0;
  }
  unsigned cq_tail() const noexcept { return __atomic_load_n(ring_.cq.ktail, __ATOMIC_ACQUIRE); }
  // Takes the next completion that stands before `tail`.
  bool take_cqe(unsigned tail, io_uring_cqe& cqe) noexcept;
  // Shows those before `tail` in turn; what `take` says true to is taken: take_cqe() will give it
  // out as one of user_data 0.
  template <class Take>
  void pick_cqes(unsigned tail, Take take) noexcept {
    for (unsigned at = *ring_.cq.khead; at != tail; ++at) {
      io_uring_cqe& cqe = ring_.cq.cqes[at & ring_.cq.ring_mask];
      if (take(cqe)) cqe.user_data = 0;
    }
  }

  // The bytes that a receive completion stands for. Each such completion is to be asked exactly
  // once.
  ByteView take_received(const io_uring_cqe& cqe);
  // Hands used-up buffers back to the kernel.
  void return_buffers() noexcept;
  // The same for those that were used up in nested turns; the first call of a turn begins them.
  void return_nested_buffers() noexcept;
  static constexpr uint16_t kBufferGroup = 0;

  bool skips_successes() const noexcept { return (ring_.features & IORING_FEAT_CQE_SKIP) != 0; }
  bool is_incremental() const noexcept { return incremental_; }

 private:
  Uring() = default;
  int set_up_ring();
  enum class Buffers : uint8_t { kWhole, kIncremental };
  int set_up_buffers(Buffers kind);
  unsigned publish_sqes() noexcept;
  char* buffer_start(uint32_t id) const noexcept { return buffers_ + id * buffer_stride_; }
  void provide(uint32_t id) noexcept;

  io_uring ring_{};
  bool ring_is_up_ = false;
  bool incremental_ = false;
  io_uring_buf_ring* buffer_ring_ = nullptr;
  size_t buffer_ring_bytes_ = 0;
  char* buffers_ = nullptr;
  size_t buffers_bytes_ = 0;
  uint32_t buffer_count_ = 0;  // a power of two
  size_t buffer_bytes_ = 0;
  size_t buffer_stride_ = 0;
  std::vector<uint32_t> used_;   // by buffer: bytes that the kernel has filled
  std::vector<uint16_t> spent_;  // buffers to return
  size_t kept_ = 0;  // of them, bytes of the outer turn: not to be returned before it ends
};

}  // namespace ouro
