// SPDX-License-Identifier: BSD-3-Clause
// Session: a client. An Endpoint that parses commands into the engine's batch, runs them, and keeps what CLIENT shows.
//
// A session that waits (BLPOP), is paused, or meets an exclusive wait keeps the commands that came after as its own copies
// (deferred), and receives no more until they have run; the copies are bounded by client-query-buffer-limit.
#pragma once

#include <deque>
#include <set>
#include <string>

#include "datastructs/base/endpoint.h"
#include "datastructs/codec/resp_reader.h"
#include "server/engine/blocking.h"
#include "server/engine/caller.h"
#include "server/engine/executor.h"
#include "server/engine/resp_reply.h"

namespace ouro {

class Engine;

// Told when a session that is not being fed has something to send or has changed its state, so that it is flushed this turn.
class SessionOwner {
 public:
  virtual ~SessionOwner() = default;
  virtual void on_session_active() = 0;
};

enum class ClientClass : uint8_t { kNormal, kReplica, kPubsub, kPrimary };

class Session final : public Endpoint {
 public:
  struct Peer {
    std::string address;        // "127.0.0.1:53211" or "/path:0"
    std::string local_address;
    int fd = -1;
    bool is_unix = false;
    bool is_loopback = true;
  };
  Session(Engine& engine, Peer peer, SessionOwner& owner);
  ~Session() override;

  // ---- Endpoint
  void on_bytes(ByteView bytes) override;
  std::span<char> want() override { return reader_.want(); }
  void on_filled(size_t bytes) override;
  void on_closed(ByteView why) override;
  EndpointState state() const override { return state_; }
  OutBuffer& out() override { return out_; }

  // ---- for the batch and the executor
  // One command of this session: now, or later if it has to wait.
  void run(const Executor::Prepared& prepared, std::span<Blob*> blobs);
  // Parses what a full batch left unparsed.
  void parse_more();
  // After a wait has ended: the commands behind it.
  void resume(Wait ended);
  void run_deferred();
  Wait& wait() { return wait_; }
  const Wait& wait() const { return wait_; }
  template <class Fn>
  auto with_reply(Fn&& fn) {
    RespReply reply(out_, resp_version_ == 3);
    auto result = fn(static_cast<Reply&>(reply));
    after_reply();
    return result;
  }

  // ---- for commands
  Caller& caller() { return caller_; }
  const Caller& caller() const { return caller_; }
  Engine& engine() { return engine_; }
  // Writes a message that answers no command (pub/sub, MONITOR, invalidation), and has it flushed.
  template <class Fn>
  void send_out_of_band(Fn&& fn) {
    if (state_ == EndpointState::kDoomed || state_ == EndpointState::kFinishing) return;
    RespReply reply(out_, resp_version_ == 3);
    fn(static_cast<Reply&>(reply));
    after_reply();
    owner_.on_session_active();
  }
  // Sends what is there, then closes.
  void close_after_reply();
  // Closes at once.
  void doom();
  void reset();  // RESET: back to a fresh connection's state

  int resp_version() const { return resp_version_; }
  void set_resp_version(int version) { resp_version_ = version; }

  // CLIENT REPLY
  enum class ReplyMode : uint8_t { kOn, kOff, kSkipNext, kSkipThis };
  ReplyMode reply_mode = ReplyMode::kOn;

  // ---- what CLIENT LIST shows
  uint64_t id = 0;
  Peer peer;
  std::string name;
  std::string user = "default";
  bool authenticated = false;
  UnixMs created = 0;
  UnixMs last_active = 0;
  const CommandSpec* last_command = nullptr;
  bool is_monitor = false;
  bool no_evict = false;
  std::set<std::string, std::less<>> subscriptions[3];  // by PubSub::Kind
  size_t subscription_count() const {
    return subscriptions[0].size() + subscriptions[1].size() + subscriptions[2].size();
  }
  ClientClass client_class() const;
  // Query buffer bytes in use and free, output bytes, everything this client holds.
  size_t query_bytes() const { return reader_.pending_bytes(); }
  size_t memory_bytes() const;
  size_t output_bytes() const { return out_.size_bytes(); }
  bool is_blocked() const { return wait_.active; }

 private:
  void parse();
  bool must_defer() const { return wait_.active || postponed_ || !deferred_.empty(); }
  void defer(Argv argv);
  void after_reply();
  void update_state();

  Engine& engine_;
  SessionOwner& owner_;
  Caller caller_{Origin::kClient};
  RespReader reader_;
  OutBuffer out_;
  EndpointState state_ = EndpointState::kOpen;
  int resp_version_ = 2;
  Wait wait_;
  bool postponed_ = false;  // CLIENT PAUSE or an exclusive wait
  bool unparsed_ = false;
  std::deque<OwnedArgv> deferred_;
  size_t deferred_bytes_ = 0;
  Instant over_soft_since_ = 0;
};

}  // namespace ouro
