// SPDX-License-Identifier: BSD-3-Clause
// Cache-aside in one thread: ask the cache, else the slow source, and keep what it said for a
// while.
#include <ouro.h>

#include <cstdio>

namespace {

int queries = 0;

std::optional<std::string> find_in_database(std::string_view user) {
  ++queries;
  if (user != "ada") return std::nullopt;
  return "Ada Lovelace";
}

}  // namespace

int main() {
  auto opened = ouro::Cache::open({.maxmemory_bytes = 64 << 20, .maxmemory_policy = "allkeys-lru"});
  if (opened.is_error()) return std::fprintf(stderr, "%s\n", opened.error().c_str()), 1;
  ouro::Cache cache = std::move(*opened);

  for (int request = 0; request < 3; ++request) {
    cache.tick();  // once a turn of the host's own loop
    const auto name = cache.get_or_load(
        "user:ada", [] { return find_in_database("ada"); }, 60'000);
    std::printf("%s\n", name.value_or("nobody").c_str());
    cache.zincr("visits", 1, "ada");
  }
  cache.get("user:ada", [](std::string_view name) { std::printf("%zu bytes\n", name.size()); });
  for (const auto& [who, visits] : *cache.zrange_with_scores("visits", 0, -1)) {
    std::printf("%s visited %.0f times, %d query\n", who.c_str(), visits, queries);
  }
}
