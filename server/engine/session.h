// SPDX-License-Identifier: BSD-3-Clause
// Session: a client. An Endpoint that parses commands into the engine's batch, runs them, and keeps
// what CLIENT shows.
//
// A session that waits (BLPOP), is held back by a gate, or meets an exclusive wait gives the
// commands behind it back to its reader, and parses them again when the wait is over. What it keeps
// so is bounded by client-query-buffer-limit, as in Redis.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "datastructs/base/endpoint.h"
#include "datastructs/codec/resp_reader.h"
#include "replication/feed.h"
#include "server/engine/acked_calls.h"
#include "server/engine/blocking.h"
#include "server/engine/caller.h"
#include "server/engine/client_memory.h"
#include "server/engine/due_members.h"
#include "server/engine/executor.h"
#include "server/engine/options.h"
#include "server/engine/resp_reply.h"
#include "server/engine/tracking.h"

namespace ouro {

class Engine;

// Told when a session that is not being fed has something to send or has changed its state, so that
// it is flushed this turn.
class SessionOwner {
 public:
  virtual ~SessionOwner() = default;
  virtual void on_session_active() = 0;
};

// Takes what a client sends as bytes of a protocol of its own, in place of commands, while the
// client waits (Session::is_blocked) for the end of it: the debugger of scripts.
class Dialog {
 public:
  virtual ~Dialog() = default;
  // Only keeps them: no command may run here.
  virtual void on_bytes(ByteView bytes) = 0;
  virtual bool has_input() const = 0;
  // The session has gone.
  virtual void on_left() = 0;
};

enum class ClientClass : uint8_t { kNormal, kReplica, kPubsub, kPrimary };

class Session final : public Endpoint {
 public:
  struct Peer {
    std::string address;  // "127.0.0.1:53211" or "/path:0"
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
  EndpointState state() const override;
  bool has_work() const override;
  OutBuffer& out() override { return out_; }
  uint64_t released() const override;

  // ---- for the batch and the executor
  // One command of this session: now, or later if it has to wait.
  void run(const RespReader::Command& command, const CommandSpec* spec, const Key& first_key);
  // The peer broke the protocol: the reader's text, then the end.
  void fail_protocol();
  // Parses what a full batch or a wait left unparsed.
  void parse_more();
  // The batch is over: receive buffers go back.
  void end_turn();
  // A wait has ended: the commands behind it come into the next batch.
  void resume();
  // A gate holds its command back, and lets it try again.
  void postpone();
  void end_postponement();
  // The keys that hold it back, or did so until now (due_members.h). Null if none do.
  DueKeys* due_keys() { return due_keys_.get(); }
  void set_due_keys(std::unique_ptr<DueKeys> keys) { due_keys_ = std::move(keys); }
  Wait& wait() { return wait_; }
  const Wait& wait() const { return wait_; }
  // A wait is over and answered.
  void end_wait();
  template <class Fn>
  auto with_reply(Fn&& fn) {
    return write_reply(takes_replies(), fn);
  }
  // Whatever CLIENT REPLY says: what a dialog tells answers no command.
  template <class Fn>
  auto with_dialog_reply(Fn&& fn) {
    return write_reply(state_ == EndpointState::kOpen, fn);
  }

  // ---- for commands
  Caller& caller() { return caller_; }
  const Caller& caller() const { return caller_; }
  Engine& engine() { return engine_; }
  // Writes a message that answers no command (pub/sub, MONITOR, invalidation), and has it flushed.
  template <class Fn>
  void send_out_of_band(Fn&& fn) {
    if (state_ == EndpointState::kDoomed || state_ == EndpointState::kFinishing) return;
    if (is_replica()) [[unlikely]]
      return with_reply_aside(fn);
    begin_message();
    RespReply reply(out_, resp_version_ == 3);
    fn(static_cast<Reply&>(reply));
    after_reply();
    note_memory();
    owner_.on_session_active();
  }
  // What was written since the last call leaves when all that the log has by now is safe, and what
  // the open group will add to it: a transaction may wait in the middle (exclusive.h).
  void seal();
  // The output was appended to by others than its commands: a replica's, a debugger's.
  void flush_soon() { owner_.on_session_active(); }
  // How far a replica is behind, beyond its output, may have changed: ends it if that is too much.
  void check_replica();
  // Sends what is there, then closes.
  void close_after_reply();
  // Closes at once.
  void doom();
  // The running command refuses to build an answer of at least so many bytes. If that is above this
  // client's hard output limit, it meets the end that the answer would have brought.
  void refuse_answer_of(uint64_t bytes);
  // Output limits that may last only so long, and memory that an idle client need not hold.
  void check_limits();
  void reset();  // RESET: back to a fresh connection's state

  int resp_version() const { return resp_version_; }
  void set_resp_version(int version) { resp_version_ = version; }

  // Who it is. One that has not proved to be anybody is the default user, and may have to.
  enum class Login : uint8_t { kDue, kDone };
  void set_user(const AclUser& user, Login login);
  const AclUser& user() const { return *caller_.user; }
  bool authenticated() const { return authenticated_; }
  // What its user may do has changed.
  void refresh_access();

  // CLIENT REPLY; kSkip while the command runs that kSkipNext was set for.
  enum class ReplyMode : uint8_t { kOn, kOff, kSkipNext, kSkip };
  ReplyMode reply_mode = ReplyMode::kOn;
  // Whether an answer that is written now reaches the client.
  bool takes_replies() const {
    return state_ == EndpointState::kOpen &&
           (reply_mode == ReplyMode::kOn || reply_mode == ReplyMode::kSkipNext);
  }
  // A command that has waited, or was not to be answered, is over.
  void end_call();

  // ---- what CLIENT LIST shows
  uint64_t id = 0;
  Peer peer;
  std::string name;
  std::string library_name, library_version;  // CLIENT SETINFO
  // Changes one of these texts.
  void set_text(std::string& text, ByteView to);
  bool takes_redirects = false;  // CLIENT CAPA redirect
  bool reads_here = false;       // READONLY: this replica may answer its reads
  Instant created = 0;
  Instant last_active = 0;
  const CommandSpec* last_command = nullptr;
  Dialog* dialog = nullptr;  // who takes its input; null: nobody else
  enum class ScriptDebug : uint8_t { kNo, kYes, kSync };
  ScriptDebug script_debug = ScriptDebug::kNo;  // SCRIPT DEBUG
  bool is_monitor = false;
  bool no_evict = false;
  bool is_primary = false;  // shown only: what it says comes another way (primary_link.h)
  std::unique_ptr<TrackingClient> tracking;  // CLIENT TRACKING; null when it is off
  std::unique_ptr<Feed> feed;                // REPLCONF, PSYNC: it is a replica; else null
  std::unique_ptr<CallAcks> call_acks;       // CLIENT ACKS; null when nothing is said
  // The ends of the stream and of the log after its last command: what WAIT and WAITAOF wait for.
  uint64_t stream_seen = 0;
  uint64_t log_seen = 0;
  ClientMemory::Share memory_share;
  std::set<std::string, std::less<>> subscriptions[3];  // by PubSub::Kind
  size_t subscription_count() const {
    return subscriptions[0].size() + subscriptions[1].size() + subscriptions[2].size();
  }
  size_t subscription_bytes = 0;  // what they take here and in PubSub
  // One that has begun to be a replica: REPLCONF alone makes none.
  bool is_replica() const { return feed != nullptr && feed->state != Feed::State::kGreeting; }
  ClientClass client_class() const {
    if (is_replica()) return ClientClass::kReplica;
    if (is_primary) return ClientClass::kPrimary;
    return subscription_count() > 0 ? ClientClass::kPubsub : ClientClass::kNormal;
  }
  // The command that is running and input that is not parsed yet, and what the reader holds beyond
  // what came.
  size_t query_bytes() const {
    return reader_.unparsed_bytes() + (running_ == nullptr ? 0 : running_->raw.size());
  }
  size_t query_bytes_free() const;
  // The arguments of the command that runs, waits, or has not wholly come.
  size_t argument_bytes() const;
  size_t output_bytes() const { return out_.size_bytes(); }
  // Of the stream, what waits for a replica beyond that.
  size_t stream_bytes() const;
  // The output as Redis's clients know it: the chunk that is sent next is the reply buffer, what
  // stands behind it the list.
  OutBuffer::FrontChunk reply_buffer() const { return out_.front_chunk(); }
  size_t reply_list_pieces() const;
  size_t reply_list_bytes() const { return out_.claimed_bytes() - out_.front_chunk().memory_bytes; }
  // The most that the output held at the end of a turn, lately.
  size_t output_peak_bytes() const { return output_peak_; }
  // Everything that this client alone holds.
  size_t memory_bytes() const { return other_bytes() + out_.memory_bytes(); }
  // The same with stored values that its output points at: it keeps them from being freed.
  size_t claimed_bytes() const { return other_bytes() + out_.claimed_bytes(); }
  bool is_blocked() const { return wait_.active; }
  bool is_postponed() const { return postponed_; }
  // Its last reply waits for replicas (CLIENT ACKS).
  bool waits_for_acks() const { return call_acks != nullptr && call_acks->waits; }
  bool is_running() const { return running_ != nullptr || caller_.txn.executing; }

 private:
  // Input that waits for room in the batch is read up to here: enough for a batch of its own. What
  // the loop has received already comes on top.
  static constexpr size_t kBacklogBytesMax = 64_KiB;

  template <class Fn>
  auto write_reply(bool is_taken, Fn&& fn) {
    if (!is_taken) {
      NullReply nowhere;
      return fn(static_cast<Reply&>(nowhere));
    }
    if (is_replica()) [[unlikely]]
      return with_reply_aside(fn);
    begin_output();
    note_reply();
    RespReply reply(out_, resp_version_ == 3);
    auto result = fn(static_cast<Reply&>(reply));
    seal();
    note_stream();
    after_reply();
    note_memory();
    return result;
  }

  // A replica's output is the stream, where an answer or a message has no place: as in Redis it
  // ends the link.
  template <class Fn>
  auto with_reply_aside(Fn&& fn) {
    AsideReply aside(*this);
    return fn(static_cast<Reply&>(aside.reply));
  }
  struct AsideReply {
    explicit AsideReply(Session& owner);
    ~AsideReply();
    Session& session;
    OutBuffer out;
    RespReply reply;
  };

  void parse();
  void queue_for_batch();
  bool holds_input() const;
  void take_held();
  void note_fed();
  void note_held_input();
  Executor::Outcome run_unanswered(const Executor::Prepared& prepared);
  bool must_wait() const;
  bool may_end_auth(const RespReader::Command& command) const;
  bool needs_auth() const { return (caller_.gates & Gate::kAuth) != 0; }
  const OutputLimit& output_limit() const;
  bool begin_output();
  void note_reply() {
    if (call_acks != nullptr && !caller_.txn.executing) [[unlikely]]
      call_acks->reply_at = out_.stream_end();
  }
  void begin_message();
  bool waits_for_log(const CommandSpec* spec, Executor::Outcome outcome, uint64_t log_end) const;
  void note_stream();
  void end_skip();
  void note_call(Executor::Outcome outcome);
  void after_reply();
  void check_output(const OutputLimit& limit, size_t bytes);
  void shrink_output();
  void check_missed(size_t hard_bytes);
  void note_memory();
  void leave_engine();
  size_t text_bytes() const {
    return name.capacity() + library_name.capacity() + library_version.capacity();
  }
  size_t other_bytes() const;

  Engine& engine_;
  SessionOwner& owner_;
  Caller caller_{Origin::kClient};
  RespReader reader_;
  OutBuffer out_;
  EndpointState state_ = EndpointState::kOpen;  // never kNotReading: see state()
  int resp_version_ = 2;
  HeapShare texts_;  // text_bytes()
  bool authenticated_ = false;
  Wait wait_;
  bool postponed_ = false;  // a gate holds its command back
  std::unique_ptr<DueKeys> due_keys_;
  size_t batched_ = 0;                        // commands in the batch
  bool last_may_end_auth_ = false;            // the last of them: see may_end_auth()
  bool unparsed_ = false;                     // input waits for the next batch
  bool queued_ = false;                       // among the batch's unfinished sessions
  bool fed_ = false;                          // in the batch's list of this turn
  std::vector<RespReader::Command> skipped_;  // of this turn, behind a wait
  const RespReader::Command* running_ = nullptr;
  // What came while its own script was busy: the reader holds the words of that command.
  std::string held_;
  Instant over_soft_since_ = 0;
  uint64_t refused_bytes_ = 0;  // see refuse_answer_of()
  // Where the output begins that waits for seal(): a command runs that may leave effects.
  uint64_t unsealed_from_ = 0;
  bool unsealed_ = false;
  uint64_t sent_seen_ = 0;  // by the last check_limits()
  bool was_sending_ = false;
  size_t output_peak_ = 0;
  Instant output_peak_at_ = 0;
};

}  // namespace ouro
