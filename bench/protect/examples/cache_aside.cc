// SPDX-License-Identifier: BSD-3-Clause
// Cache-aside: fifty readers want a key that is not there, and one of them asks the database.
#include <hiredis/hiredis.h>

#include <atomic>
#include <future>
#include <iostream>
#include <thread>

void wait(long long ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

std::string read(redisContext* cache, const char* key, auto load) {
  const auto call = [&](const char* format, auto... words) {
    auto* reply = static_cast<redisReply*>(redisCommand(cache, format, words...));
    return std::unique_ptr<redisReply, decltype(&freeReplyObject)>(reply, freeReplyObject);
  };
  for (;; wait(5)) {
    const auto reply = call("CACHE.GET %s WAIT 2000", key);
    const std::string state = reply->element[0]->str;
    if (state == "HIT" || state == "STALE") return reply->element[1]->str;
    if (state == "ABSENT") return {};
    if (state == "BUSY") continue;
    const std::string value = load(key);
    call("SET %s %s EX 60 LEASE %lld", key, value.c_str(), reply->element[2]->integer);
    return value;
  }
}

int main(int, char** argv) {
  std::atomic<int> loads = 0;
  const auto load = [&](const char*) { return ++loads, wait(200), std::string("known"); };
  const int port = std::stoi(argv[1]);
  const auto reader = [&] { return read(redisConnect("127.0.0.1", port), "user:42", load); };
  std::future<std::string> readers[50];
  for (auto& each : readers) each = std::async(std::launch::async, reader);
  int served = 0;
  for (auto& each : readers) served += each.get() == "known";
  std::cout << served << " readers, " << loads << " load\n";
}
