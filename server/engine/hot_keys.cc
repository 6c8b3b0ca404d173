// SPDX-License-Identifier: BSD-3-Clause
#include "server/engine/hot_keys.h"

#include "server/engine/engine.h"

namespace ouro {

void HotKeys::start(const Setup& setup) {
  CHECK(!active_);
  reset();
  setup_ = setup;
  active_ = true;
  began_ = engine_.now();
  usage_began_ = usage_now();
  const auto make = [&] {
    return std::make_unique<HeavyHitters>(engine_.heap, HashSeed{engine_.prng.next()}, kCounters);
  };
  if (setup.by_time) by_time_ = make();
  if (setup.by_bytes) by_bytes_ = make();
}

void HotKeys::stop() {
  if (!active_) return;
  active_ = false;
  ended_ = setup_.duration > 0 ? std::min(engine_.now(), began_ + setup_.duration) : engine_.now();
  usage_ended_ = usage_now();
}

void HotKeys::reset() {
  by_time_ = nullptr;
  by_bytes_ = nullptr;
  began_ = 0;
  totals_ = {};
}

void HotKeys::end_if_due() {
  if (active_ && setup_.duration > 0 && engine_.now() >= began_ + setup_.duration) stop();
}

void HotKeys::note(const CommandSpec& spec, Argv argv, uint64_t nanos, uint64_t bytes) {
  end_if_due();
  if (!active_) return;
  totals_.nanos += nanos;
  totals_.bytes += bytes;
  if (setup_.sample_ratio > 1 && engine_.prng.below(setup_.sample_ratio) != 0) return;
  uint64_t keys = 0;
  const auto count = [&](size_t, KeyUse use) { keys += (use & kNotKey) == 0 ? 1 : 0; };
  if (!for_each_key(spec, argv, count).is_ok() || keys == 0) return;
  const auto add = [&](size_t at, KeyUse use) {
    if ((use & kNotKey) != 0) return;
    if (by_time_ != nullptr) by_time_->add(argv[at], nanos / keys);
    if (by_bytes_ != nullptr) by_bytes_->add(argv[at], bytes / keys);
  };
  CHECK(for_each_key(spec, argv, add).is_ok());
}

Millis HotKeys::duration() const { return (active_ ? engine_.now() : ended_) - began_; }

HotKeys::Usage HotKeys::usage_now() const {
  const HostInfo info = engine_.host.info();
  return {.user_s = info.cpu_user_s, .system_s = info.cpu_system_s};
}

HotKeys::Usage HotKeys::usage() const {
  const Usage end = active_ ? usage_now() : usage_ended_;
  return {.user_s = end.user_s - usage_began_.user_s,
          .system_s = end.system_s - usage_began_.system_s};
}

}  // namespace ouro
