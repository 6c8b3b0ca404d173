// SPDX-License-Identifier: BSD-3-Clause
// hiredis: pipelines, RESP3 types, binary values, transactions, pushes. Built and run by run.sh.
#include <hiredis/hiredis.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

namespace {

int passed = 0;
int failed = 0;

void expect(bool good, const char* what) {
  if (good) {
    ++passed;
  } else {
    ++failed;
    std::printf("FAILED %s\n", what);
  }
}

struct FreeReply {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

struct FreeContext {
  void operator()(redisContext* context) const { redisFree(context); }
};
using Client = std::unique_ptr<redisContext, FreeContext>;

Client connect(int port) {
  Client client(redisConnectWithTimeout("127.0.0.1", port, {10, 0}));
  if (!client || client->err != 0) {
    std::printf("cannot connect\n0 passed, 1 failed\n");
    std::exit(1);
  }
  redisSetTimeout(client.get(), {20, 0});
  return client;
}

template <typename... Args>
Reply call(Client& client, const char* format, Args... args) {
  Reply reply(static_cast<redisReply*>(redisCommand(client.get(), format, args...)));
  if (!reply) {
    std::printf("no reply to %s: %s\n%d passed, %d failed\n", format, client->errstr, passed,
                failed + 1);
    std::exit(1);
  }
  return reply;
}

bool is_text(const Reply& reply, int type, const char* text) {
  return reply->type == type && std::string(reply->str, reply->len) == text;
}

void strings_and_binary(Client& client) {
  expect(is_text(call(client, "SET %s %s", "key", "value"), REDIS_REPLY_STATUS, "OK"), "SET");
  expect(is_text(call(client, "GET key"), REDIS_REPLY_STRING, "value"), "GET");
  expect(call(client, "GET missing")->type == REDIS_REPLY_NIL, "GET of a missing key is nil");
  const std::string bytes("\0\r\n\xff zero", 9);
  call(client, "SET %b %b", bytes.data(), bytes.size(), bytes.data(), bytes.size());
  const Reply back = call(client, "GET %b", bytes.data(), bytes.size());
  expect(std::string(back->str, back->len) == bytes, "binary key and value");
  const std::string large(20'000'000, 'L');
  call(client, "SET large %b", large.data(), large.size());
  const Reply whole = call(client, "GET large");
  expect(std::string(whole->str, whole->len) == large, "a value of 20 MB");
  const Reply wrong = call(client, "LPUSH key x");
  expect(is_text(wrong, REDIS_REPLY_ERROR,
                 "WRONGTYPE Operation against a key holding the wrong kind of value"),
         "the error of a wrong type");
}

void pipeline(Client& client) {
  constexpr int kCount = 20'000;
  for (int i = 0; i < kCount; ++i) redisAppendCommand(client.get(), "INCR counter");
  bool in_order = true;
  for (int i = 1; i <= kCount; ++i) {
    void* raw = nullptr;
    if (redisGetReply(client.get(), &raw) != REDIS_OK) {
      in_order = false;
      break;
    }
    const Reply reply(static_cast<redisReply*>(raw));
    in_order = in_order && reply->type == REDIS_REPLY_INTEGER && reply->integer == i;
  }
  expect(in_order, "20,000 commands in one pipeline answer in order");
}

void transaction(Client& client, Client& other) {
  call(client, "SET watched 1");
  call(client, "WATCH watched");
  call(other, "SET watched 2");
  call(client, "MULTI");
  expect(is_text(call(client, "SET watched 3"), REDIS_REPLY_STATUS, "QUEUED"), "QUEUED");
  expect(call(client, "EXEC")->type == REDIS_REPLY_NIL, "a touched WATCH makes EXEC nil");
  call(client, "MULTI");
  call(client, "INCR watched");
  call(client, "LPOP watched");
  const Reply done = call(client, "EXEC");
  expect(done->type == REDIS_REPLY_ARRAY && done->elements == 2 && done->element[0]->integer == 3 &&
             done->element[1]->type == REDIS_REPLY_ERROR,
         "EXEC goes on after an error");
}

void blocking_and_pushes(Client& client, Client& other) {
  redisAppendCommand(client.get(), "BLPOP queue 10");
  int done = 0;
  while (done == 0) redisBufferWrite(client.get(), &done);
  for (;;) {
    const Reply info = call(other, "INFO clients");
    if (std::strstr(info->str, "blocked_clients:1") != nullptr) break;
  }
  call(other, "RPUSH queue job");
  void* raw = nullptr;
  redisGetReply(client.get(), &raw);
  const Reply popped(static_cast<redisReply*>(raw));
  expect(popped && popped->elements == 2 && std::strcmp(popped->element[1]->str, "job") == 0,
         "a blocked pop is served by a push");

  const Reply subscribed = call(client, "SUBSCRIBE channel");
  expect(subscribed->elements == 3 && subscribed->element[2]->integer == 1, "SUBSCRIBE");
  expect(call(other, "PUBLISH channel hello")->integer == 1, "PUBLISH counts its readers");
  redisGetReply(client.get(), &raw);
  const Reply message(static_cast<redisReply*>(raw));
  expect(message && message->elements == 3 && std::strcmp(message->element[2]->str, "hello") == 0,
         "the message arrives");
  call(client, "UNSUBSCRIBE channel");
}

void collections(Client& client) {
  call(client, "HSET hash f1 v1 f2 v2");
  const Reply hash = call(client, "HGETALL hash");
  expect(hash->elements == 4, "HGETALL");
  call(client, "ZADD zset 1.5 a 2 b");
  expect(is_text(call(client, "ZSCORE zset a"), REDIS_REPLY_STRING, "1.5"), "ZSCORE");
  call(client, "RPUSH list 1 2 3");
  const Reply list = call(client, "LRANGE list 0 -1");
  expect(list->elements == 3 && std::strcmp(list->element[2]->str, "3") == 0, "LRANGE");
  std::string cursor = "0";
  size_t seen = 0;
  for (int i = 0; i < 5000; ++i) redisAppendCommand(client.get(), "SADD big member:%d", i);
  for (int i = 0; i < 5000; ++i) {
    void* raw = nullptr;
    redisGetReply(client.get(), &raw);
    freeReplyObject(raw);
  }
  do {
    const Reply page = call(client, "SSCAN big %s COUNT 100", cursor.c_str());
    cursor = page->element[0]->str;
    seen += page->element[1]->elements;
  } while (cursor != "0");
  expect(seen >= 5000, "SSCAN sees all members");
}

}  // namespace

int main(int argc, char** argv) {
  const int port = std::atoi(argv[argc - 1]);
  Client client = connect(port);
  Client other = connect(port);
  call(client, "FLUSHALL");
  strings_and_binary(client);
  pipeline(client);
  transaction(client, other);
  blocking_and_pushes(client, other);
  collections(client);
  std::printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}
