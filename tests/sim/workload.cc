// SPDX-License-Identifier: BSD-3-Clause
#include "sim/workload.h"

#include <algorithm>
#include <iterator>

namespace ouro {
namespace {

// K S L H Z: keys of a kind, ? of any; V: a value, N: a small number, T: seconds.
constexpr const char* kTemplates[] = {
    "SET S V",
    "SET S V EX T",
    "SET S V NX GET",
    "SET S V KEEPTTL",
    "GET S",
    "GET ?",
    "GETDEL S",
    "GETEX S EX T",
    "APPEND S V",
    "STRLEN S",
    "GETRANGE S 0 N",
    "SETRANGE S N V",
    "INCR S",
    "INCRBYFLOAT S 0.5",
    "SET S V IFNE V",
    "DELEX S IFEQ N",
    "INCREX S UBOUND N EX T ENX",
    "MSETEX 2 S V S V PX N",
    "CL.THROTTLE S 5 N 1",
    "MSET S V S V",
    "MGET S S ?",
    "DEL ?",
    "UNLINK ? ?",
    "EXISTS ? ?",
    "EXPIRE ? T",
    "PEXPIRE ? N",
    "PERSIST ?",
    "TTL ?",
    "TYPE ?",
    "RENAME ? ?",
    "COPY ? ?",
    "MOVE ? 1",
    "OBJECT ENCODING ?",
    "RANDOMKEY",
    "DBSIZE",
    "SCAN 0 COUNT N",
    "RM 0 MATCH *3 COUNT N",
    "KEYS *",
    "LPUSH L V V",
    "RPUSH L V",
    "LPOP L N",
    "RPOP L",
    "LRANGE L 0 N",
    "LINSERT L BEFORE N V",
    "LMOVE L L LEFT RIGHT",
    "LTRIM L 0 N",
    "LREM L 0 N",
    "SORT L ALPHA LIMIT 0 N",
    "HSET H N V N V",
    "HGET H N",
    "HGETALL H",
    "HDEL H N",
    "HINCRBY H N N",
    "HSCAN H 0",
    "HEXPIRE H T FIELDS 1 N",
    "HRANDFIELD H N",
    "HSETEX H PX N FIELDS 2 N V N V",
    "HGETEX H PX N FIELDS 1 N",
    "HGETDEL H FIELDS 1 N",
    "EXPIREMEMBER ? N N ms",
    "EXPIREMEMBER E N N ms",
    "EXPIREMEMBER Z N T",
    "PTTL ? N",
    "PERSIST ? N",
    "SADD E N N V",
    "SREM E N",
    "SPOP E N",
    "SMEMBERS E",
    "SINTERSTORE E E E",
    "SUNION E E",
    "SRANDMEMBER E N",
    "ZADD Z N N N V",
    "ZINCRBY Z N N",
    "ZRANGE Z 0 N WITHSCORES",
    "ZPOPMIN Z N",
    "ZRANGEBYSCORE Z -inf +inf",
    "ZUNIONSTORE Z 2 Z E",
    "ZRANK Z N",
    "PUBLISH channel V",
    "SELECT 1",
    "SELECT 0",
    "FLUSHDB",
    "FLUSHDB ASYNC",
    "SWAPDB 0 1",
    "CLIENT PAUSE N WRITE",
    "CLIENT KILL ID N",
    "COMMAND COUNT",
    "nosuch V",
    "GET",
    "LPUSH S V",
    "HSET S N V",
    "OBJECT FREQ ?",
    "WATCH ?",
    "UNWATCH",
    "TOUCH ?",
    "CONFIG GET *max*",
    "SLOWLOG GET N",
    "LATENCY RESET",
    "MEMORY DOCTOR",
    "LOLWUT",
};

}  // namespace

std::string Workload::key(const char* kind) {
  const char* kinds = "SLHEZ";
  const std::string name(1, kind[0] == '?' ? kinds[prng_.below(5)] : kind[0]);
  return name + number(6);
}

std::string Workload::value() {
  const uint64_t dice = prng_.below(200);
  // Some get memory of their own on the way in.
  const size_t size = dice == 0 ? 200'000 : dice < 4 ? 40'000 : dice < 20 ? 2000 : 20;
  std::string text(prng_.below(size), '\0');
  for (char& c : text) c = static_cast<char>('a' + prng_.below(26));
  return text;
}

Workload::Words Workload::draw_command() {
  const ByteView text = kTemplates[prng_.below(std::size(kTemplates))];
  Words words;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    const ByteView word = text.substr(at, end - at);
    at = end + 1;
    const bool is_place = word.size() == 1 && !words.empty();
    if (!is_place) {
      words.emplace_back(word);
    } else if (word == "V") {
      words.push_back(value());
    } else if (word == "N") {
      words.push_back(number(40));
    } else if (word == "T") {
      words.push_back(std::to_string(1 + prng_.below(20)));
    } else if (ByteView("SLHEZ?").find(word[0]) != ByteView::npos) {
      words.push_back(key(word.data()));
    } else {
      words.emplace_back(word);
    }
  }
  return words;
}

Workload::Words Workload::draw_blocking() {
  const std::string timeout = "0." + number(3) + number(10) + "1";
  switch (prng_.below(4)) {
    case 0:
      return {"BLPOP", key("L"), key("L"), timeout};
    case 1:
      return {"BLMOVE", key("L"), key("L"), "LEFT", "RIGHT", timeout};
    case 2:
      return {"BZPOPMIN", key("Z"), timeout};
    default:
      return {"BRPOP", key("L"), timeout};
  }
}

void Workload::add(WorkUnit& unit, const Words& words, std::optional<std::string> reply) {
  unit.bytes += "*" + std::to_string(words.size()) + "\r\n";
  std::string command;
  for (const std::string& word : words) {
    command += word.substr(0, 20) + " ";
    unit.bytes += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
  }
  unit.replies.push_back({.command = std::move(command), .text = std::move(reply)});
}

// Read your own writes, whatever the others do.
void Workload::add_own(WorkUnit& unit, uint64_t client) {
  const std::string name = "own:" + std::to_string(client);
  const std::string text = value();
  add(unit, {"SELECT", "2"}, "+OK\r\n");
  add(unit, {"SET", name, text}, "+OK\r\n");
  add(unit, {"APPEND", name, "."}, ":" + std::to_string(text.size() + 1) + "\r\n");
  add(unit, {"GET", name}, "$" + std::to_string(text.size() + 1) + "\r\n" + text + ".\r\n");
  add(unit, {"DEL", name}, ":1\r\n");
  add(unit, {"SELECT", "0"}, "+OK\r\n");
}

void Workload::add_transaction(WorkUnit& unit) {
  add(unit, {"MULTI"}, "+OK\r\n");
  for (uint64_t i = prng_.below(5); i > 0; --i) add(unit, draw_command());
  if (prng_.below(8) == 0) return add(unit, {"DISCARD"});
  add(unit, {"EXEC"});
}

WorkUnit Workload::draw(uint64_t client) {
  WorkUnit unit;
  switch (with_own_ ? prng_.below(12) : 1 + prng_.below(11)) {
    case 0:
      add_own(unit, client);
      break;
    case 1:
      add_transaction(unit);
      break;
    case 2:
      add(unit, draw_blocking());
      break;
    case 3:
      // Answered by pushes alone.
      add(unit, {prng_.below(2) == 0 ? "SUBSCRIBE" : "UNSUBSCRIBE", "channel"});
      unit.replies.pop_back();
      break;
    default:
      for (uint64_t i = 1 + prng_.below(4); i > 0; --i) add(unit, draw_command());
  }
  // Tells where in the stream of replies we are.
  const std::string token = std::to_string(client) + "#" + std::to_string(++sequence_);
  const std::string reply = "$" + std::to_string(token.size()) + "\r\n" + token + "\r\n";
  if (prng_.below(4) == 0) {
    unit.bytes += "ECHO " + token + "\r\n";
    unit.replies.push_back({.command = "ECHO " + token, .text = reply});
  } else {
    add(unit, {"ECHO", token}, reply);
  }
  return unit;
}

}  // namespace ouro
