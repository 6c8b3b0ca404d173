// SPDX-License-Identifier: BSD-3-Clause
// One cache for many threads: all of them want a page that takes long to make, one makes it.
#include <ouro.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <thread>

int main() {
  auto opened = ouro::SharedCache::open();
  if (opened.is_error()) return std::fprintf(stderr, "%s\n", opened.error().c_str()), 1;
  ouro::SharedCache cache = std::move(*opened);

  std::atomic<int> rendered = 0;
  const auto render = [&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    ++rendered;
    return std::string("<html>");
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const auto page = cache.get_or_load("page:1", render, 5'000);
      if (page.value_or("") == "<html>") cache.incr("served");
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::printf("served %s, rendered %d\n", cache.get("served").value_or("0").c_str(),
              rendered.load());
}
