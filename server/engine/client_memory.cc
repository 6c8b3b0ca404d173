// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/client_memory.h"

#include <algorithm>
#include <bit>

#include "server/engine/engine.h"
#include "server/engine/session.h"

namespace ouro {
namespace {

// All below 32 KiB are one class.
constexpr size_t kClassBitsFirst = 15;

uint8_t class_of(size_t bytes, size_t classes) {
  const size_t bits =
      std::clamp<size_t>(std::bit_width(bytes), kClassBitsFirst, kClassBitsFirst + classes - 1);
  return static_cast<uint8_t>(bits - kClassBitsFirst);
}

}  // namespace

void ClientMemory::apply_limit() {
  const int64_t wanted = engine_.options.maxmemory_clients;
  const auto maxmemory = static_cast<double>(engine_.options.maxmemory);
  const bool was_limited = is_limited();
  if (wanted > 0) {
    limit_bytes_ = static_cast<size_t>(wanted);
  } else if (wanted < 0 && maxmemory > 0) {
    limit_bytes_ = static_cast<size_t>(maxmemory * static_cast<double>(-wanted) / 100);
  } else {
    limit_bytes_ = kNoLimit;
  }
  limit_bytes_ = std::max(limit_bytes_, kLimitLeast);
  if (is_limited() == was_limited) return;
  // Without a limit nobody is noted, so what was counted grows old.
  for (const auto& [id, session] : engine_.clients.all()) {
    is_limited() ? note(*session) : forget(*session);
  }
}

void ClientMemory::add_noted(Session& session) {
  if (session.memory_share.noted) return;
  session.memory_share.noted = true;
  noted_.push_back(&session);
}

void ClientMemory::forget(Session& session) {
  Share& share = session.memory_share;
  if (share.noted) std::erase(noted_, &session);
  if (share.sending) std::erase(sending_, &session);
  set_class(session, kNoClass);
  counted_bytes_ -= share.bytes;
  share = {};
}

void ClientMemory::set_class(Session& session, uint8_t size_class) {
  Share& share = session.memory_share;
  if (share.size_class == size_class) return;
  if (share.size_class != kNoClass) {
    // The last of its class takes its place.
    std::vector<Session*>& left = classes_[share.size_class];
    left.back()->memory_share.place = share.place;
    left[share.place] = left.back();
    left.pop_back();
  }
  share.size_class = size_class;
  if (size_class == kNoClass) return;
  share.place = static_cast<uint32_t>(classes_[size_class].size());
  classes_[size_class].push_back(&session);
}

void ClientMemory::count(Session& session) {
  const ClientClass who = session.client_class();
  const bool counts = session.state() != EndpointState::kDoomed &&
                      (who == ClientClass::kNormal || who == ClientClass::kPubsub);
  const size_t bytes = counts ? session.claimed_bytes() : 0;
  Share& share = session.memory_share;
  counted_bytes_ += bytes - share.bytes;
  share.bytes = bytes;
  set_class(session, counts && !session.no_evict ? class_of(bytes, kClasses) : kNoClass);
}

// Those that are through with sending are no more looked at.
void ClientMemory::count_sending() {
  for (Session* session : sending_) {
    count(*session);
    session->memory_share.sending = session->output_bytes() > 0;
  }
  std::erase_if(sending_, [](const Session* session) { return !session->memory_share.sending; });
}

void ClientMemory::keep_limit() {
  if (!is_limited()) [[likely]]
    return;
  for (Session* session : std::exchange(noted_, {})) {
    session->memory_share.noted = false;
    count(*session);
    if (session->output_bytes() == 0 || session->memory_share.sending) continue;
    session->memory_share.sending = true;
    sending_.push_back(session);
  }
  if (counted_bytes_ <= limit_bytes_) [[likely]]
    return;
  count_sending();
  for (size_t closed = 0; closed < kClosedMax && has_more(); ++closed) close(*find_largest());
}

bool ClientMemory::has_more() const {
  return counted_bytes_ > limit_bytes_ && find_largest() != nullptr;
}

Session* ClientMemory::find_largest() const {
  for (size_t size_class = kClasses; size_class > 0; --size_class) {
    if (!classes_[size_class - 1].empty()) return classes_[size_class - 1].back();
  }
  return nullptr;
}

void ClientMemory::close(Session& session) {
  ++engine_.stats.evicted_clients;
  engine_.log.print(LogLevel::kNotice,
                    "closing client as all together hold more than maxmemory-clients: id=%llu "
                    "addr=%s bytes=%zu",
                    static_cast<unsigned long long>(session.id), session.peer.address.c_str(),
                    session.memory_share.bytes);
  session.doom();
}

void ClientMemory::for_each_class(FunctionRef<void(const ClassFacts&)> visit) const {
  for (size_t i = 0; i < kClasses; ++i) {
    size_t bytes = 0;
    for (const Session* session : classes_[i]) bytes += session->memory_share.bytes;
    visit({.begin = i == 0 ? 0 : size_t{1} << (kClassBitsFirst + i - 1),
           .end = i == kClasses - 1 ? SIZE_MAX : size_t{1} << (kClassBitsFirst + i),
           .clients = classes_[i].size(),
           .bytes = bytes});
  }
}

void ClientMemory::check_invariants() const {
  size_t bytes = 0;
  for (const auto& [id, session] : engine_.clients.all()) {
    const Share& share = session->memory_share;
    bytes += share.bytes;
    if (share.size_class != kNoClass) CHECK(classes_[share.size_class].at(share.place) == session);
    CHECK(share.noted == (std::count(noted_.begin(), noted_.end(), session) == 1));
    CHECK(share.sending == (std::count(sending_.begin(), sending_.end(), session) == 1));
  }
  CHECK(bytes == counted_bytes_);
}

}  // namespace ouro
