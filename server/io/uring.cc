// SPDX-License-Identifier: BSD-3-Clause
#include "server/io/uring.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "datastructs/base/check.h"

namespace ouro {
namespace {

// Newer than liburing 2.3; values from the kernel's user interface.
constexpr uint16_t kBuffersIncremental = 2;      // 6.12: IOU_PBUF_RING_INC
constexpr uint32_t kCqeBufferHasMore = 1U << 4;  // 6.12: IORING_CQE_F_BUF_MORE
constexpr uint32_t kNewTaskWorkFlags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;

constexpr unsigned kSubmissions = 1024;
// A completion that finds no room ends its multishot operation, which then costs a re-arm: room for
// a burst.
constexpr unsigned kCompletions = 16384;

// Incremental: 1 MiB in all. It is filled round and round, so a larger ring only spoils the cache.
constexpr uint32_t kLargeBuffers = 16;
constexpr size_t kLargeBufferBytes = 64_KiB;
// Whole: as many messages a turn as there are buffers.
constexpr uint32_t kSmallBuffers = 256;
constexpr size_t kSmallBufferBytes = 16_KiB;
constexpr size_t kSmallBufferSpacing = 3 * size_t{64};

size_t round_to_page(size_t bytes) {
  const size_t page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return (bytes + page - 1) / page * page;
}

char* map_pages(size_t bytes) {
  void* const pages =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? nullptr : static_cast<char*>(pages);
}

}  // namespace

std::unique_ptr<Uring> Uring::create(const UringOptions& options, std::string& why_not) {
  std::unique_ptr<Uring> uring(new Uring);
  if (const int error = uring->set_up_ring(); error != 0) {
    why_not = std::string("io_uring_setup: ") + strerrordesc_np(error);
    return nullptr;
  }
  if ((uring->ring_.features & IORING_FEAT_EXT_ARG) == 0 ||
      (uring->ring_.features & IORING_FEAT_NODROP) == 0) {
    why_not = "the kernel's io_uring cannot wait with a timeout or drops completions (needs 5.11)";
    return nullptr;
  }
  // EINVAL: an older kernel, which has whole ones only. Any other error is the reason to tell.
  int error = options.incremental ? uring->set_up_buffers(Buffers::kIncremental) : EINVAL;
  if (error == EINVAL) error = uring->set_up_buffers(Buffers::kWhole);
  if (error != 0) {
    why_not = std::string("provided-buffer ring: ") + strerrordesc_np(error);
    return nullptr;
  }
  return uring;
}

int Uring::set_up_ring() {
  // From the best mode downwards. All of them: a failed entry does not stop the others.
  constexpr uint32_t kModes[] = {kNewTaskWorkFlags, IORING_SETUP_COOP_TASKRUN, 0};
  int error = 0;
  for (const uint32_t mode : kModes) {
    io_uring_params params{};
    params.flags = mode | IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
    params.cq_entries = kCompletions;
    error = -io_uring_queue_init_params(kSubmissions, &ring_, &params);
    if (error == 0) {
      ring_is_up_ = true;
      // Entries are published by publish_sqes(), which relies on the identity here.
      for (unsigned i = 0; i < ring_.sq.ring_entries; ++i) ring_.sq.array[i] = i;
      return 0;
    }
    if (error != EINVAL) return error;
  }
  return error;
}

int Uring::set_up_buffers(Buffers kind) {
  const bool incremental = kind == Buffers::kIncremental;
  const uint32_t count = incremental ? kLargeBuffers : kSmallBuffers;
  const size_t bytes = incremental ? kLargeBufferBytes : kSmallBufferBytes;
  const size_t stride = incremental ? bytes : bytes + kSmallBufferSpacing;
  const size_t ring_bytes = round_to_page(count * sizeof(io_uring_buf));
  char* const ring = map_pages(ring_bytes);
  if (ring == nullptr) return ENOMEM;
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<uint64_t>(ring);
  registration.ring_entries = count;
  registration.bgid = kBufferGroup;
  registration.pad = incremental ? kBuffersIncremental : uint16_t{0};  // "flags" since 6.4
  if (const int error = io_uring_register_buf_ring(&ring_, &registration, 0); error != 0) {
    ::munmap(ring, ring_bytes);
    return -error;
  }
  buffer_ring_ = reinterpret_cast<io_uring_buf_ring*>(ring);
  buffer_ring_bytes_ = ring_bytes;
  buffers_bytes_ = round_to_page(count * stride);
  buffers_ = map_pages(buffers_bytes_);
  if (buffers_ == nullptr) return ENOMEM;
  incremental_ = incremental;
  buffer_count_ = count;
  buffer_bytes_ = bytes;
  buffer_stride_ = stride;
  used_.assign(count, 0);
  for (uint32_t id = 0; id < count; ++id) spent_.push_back(static_cast<uint16_t>(id));
  return_buffers();
  return 0;
}

Uring::~Uring() {
  if (ring_is_up_) io_uring_queue_exit(&ring_);
  if (buffer_ring_ != nullptr) ::munmap(buffer_ring_, buffer_ring_bytes_);
  if (buffers_ != nullptr) ::munmap(buffers_, buffers_bytes_);
}

io_uring_sqe& Uring::next_sqe() {
  io_uring_sqe* sqe = io_uring_get_sqe(&ring_);
  while (sqe == nullptr) {
    submit_and_wait(0, 0);
    sqe = io_uring_get_sqe(&ring_);
  }
  return *sqe;
}

// Makes the filled entries visible to the kernel; returns how many it has not taken yet.
unsigned Uring::publish_sqes() noexcept {
  io_uring_sq& sq = ring_.sq;
  sq.sqe_head = sq.sqe_tail;
  __atomic_store_n(sq.ktail, sq.sqe_tail, __ATOMIC_RELEASE);
  return sq.sqe_tail - __atomic_load_n(sq.khead, __ATOMIC_ACQUIRE);
}

void Uring::submit_and_wait(unsigned wait_count, Micros at_most) {
  const unsigned submit_count = publish_sqes();
  struct __kernel_timespec timeout {};
  timeout.tv_sec = at_most / 1'000'000;
  timeout.tv_nsec = at_most % 1'000'000 * 1000;
  io_uring_getevents_arg arguments{};
  arguments.ts = reinterpret_cast<uint64_t>(&timeout);
  // Deferred task work runs only when events are asked for, so they always are.
  unsigned flags = IORING_ENTER_GETEVENTS;
  void* extra = nullptr;
  size_t extra_bytes = _NSIG / 8;
  if (wait_count != 0) {
    flags |= IORING_ENTER_EXT_ARG;
    extra = &arguments;
    extra_bytes = sizeof arguments;
  }
  const int error = -io_uring_enter2(static_cast<unsigned>(ring_.ring_fd), submit_count, wait_count,
                                     flags, static_cast<sigset_t*>(extra), extra_bytes);
  // ETIME: nothing came. EINTR: a signal for another handler. EBUSY: completions must be taken
  // first. EAGAIN, ENOMEM: the kernel has no memory for a request now. In each case the entries not
  // taken yet are submitted by the next call.
  const bool is_passing = error <= 0 || error == ETIME || error == EINTR || error == EBUSY ||
                          error == EAGAIN || error == ENOMEM;
  // Operations whose completions the kernel has lost never end.
  const bool has_lost_completions = error == EBADR;
  CHECK(!has_lost_completions);
  CHECK(is_passing);
}

bool Uring::take_cqe(unsigned tail, io_uring_cqe& cqe) noexcept {
  const unsigned head = *ring_.cq.khead;
  // A nested turn may have gone beyond `tail`.
  if (static_cast<int>(tail - head) <= 0) return false;
  const io_uring_cqe& entry = ring_.cq.cqes[head & ring_.cq.ring_mask];
  std::memcpy(&cqe, &entry, sizeof cqe);
  __atomic_store_n(ring_.cq.khead, head + 1, __ATOMIC_RELEASE);
  return true;
}

ByteView Uring::take_received(const io_uring_cqe& cqe) {
  if ((cqe.flags & IORING_CQE_F_BUFFER) == 0) return {};
  const uint32_t id = cqe.flags >> IORING_CQE_BUFFER_SHIFT;
  CHECK(id < buffer_count_);
  const size_t bytes = cqe.res > 0 ? static_cast<size_t>(cqe.res) : 0;
  const ByteView view(buffer_start(id) + used_[id], bytes);
  used_[id] += static_cast<uint32_t>(bytes);
  CHECK(used_[id] <= buffer_bytes_);
  if (!incremental_ || (cqe.flags & kCqeBufferHasMore) == 0) {
    spent_.push_back(static_cast<uint16_t>(id));
  }
  return view;
}

void Uring::provide(uint32_t id) noexcept {
  const uint16_t tail = buffer_ring_->tail;
  io_uring_buf& entry = buffer_ring_->bufs[tail & (buffer_count_ - 1)];
  // The fields one by one: the ring's tail lies in the first entry's last two bytes.
  entry.addr = reinterpret_cast<uint64_t>(buffer_start(id));
  entry.len = static_cast<uint32_t>(buffer_bytes_);
  entry.bid = static_cast<uint16_t>(id);
  used_[id] = 0;
  __atomic_store_n(&buffer_ring_->tail, static_cast<uint16_t>(tail + 1), __ATOMIC_RELEASE);
}

void Uring::return_buffers() noexcept {
  for (const uint16_t id : spent_) provide(id);
  spent_.clear();
  kept_ = 0;
}

void Uring::return_nested_buffers() noexcept {
  // The buffer that is used up next may hold bytes of the outer turn, too.
  if (kept_ == 0) kept_ = spent_.size() + 1;
  if (spent_.size() <= kept_) return;
  for (size_t i = kept_; i < spent_.size(); ++i) provide(spent_[i]);
  spent_.resize(kept_);
}

}  // namespace ouro
