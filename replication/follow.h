// SPDX-License-Identifier: BSD-3-Clause
// Follow: a replica's side of the talk with its primary. Handshake, then a snapshot or none, then
// the stream.
//
//      PING, AUTH, REPLCONF ... --PSYNC id offset--> +FULLRESYNC id at --> snapshot --> stream
//                                              \---> +CONTINUE [id] --------------------^
//
// Everything is decided here and done by the sink: what a snapshot is loaded into, what a command
// does. Bytes of the stream count when what they say has been done: a command that has come in part
// is none yet, and what stands between MULTI and EXEC is done at once, whole. So applied() is
// always at a place where the data are those of some moment of the primary's.
//
// Errors: fails once, with a reason for the log, and is to be closed then. A refusal that passes
// (-LOADING, -NOMASTERLINK, -BUSY) is a reason to come back, as all are. Nothing is allocated by
// what a length claims. The same comes of the same bytes wherever they are cut. Source: WIRE.md 1.1
// to 1.4, checked against Redis 7.0.15. Its SYNC, for servers before 2.8, is not spoken: what
// follows it has no offsets. Cost of the stream: commands are read where they lie; only what is
// torn is copied.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "datastructs/base/endpoint.h"
#include "datastructs/base/function_ref.h"
#include "datastructs/base/result.h"
#include "persistence/aof_scanner.h"
#include "replication/ballot.h"
#include "replication/history.h"

namespace ouro {

class FollowSink {
 public:
  virtual ~FollowSink() = default;
  // The data to come are those of `id` at `offset`; what we have is nobody's any more.
  virtual void on_full_sync(const ReplicationId& id, uint64_t offset) = 0;
  // Its bytes, if it says how many.
  virtual void on_snapshot_begin(std::optional<uint64_t> bytes) = 0;
  // Whether more of it may come now.
  virtual bool takes_snapshot() const = 0;
  // False: it cannot be taken in. The reason is the sink's to tell.
  [[nodiscard]] virtual bool on_snapshot(ByteView bytes) = 0;
  // All of it has come. Follow::on_loaded() says when it is in its place.
  [[nodiscard]] virtual bool on_snapshot_end() = 0;
  // The stream goes on where we are; under another id if there is one.
  virtual void on_partial_sync(const ReplicationId* id) = 0;
  // What `commands` applies belongs together.
  virtual void apply_together(FunctionRef<void()> commands) = 0;
  // One command of the stream, as it was executed by the primary. `raw`: the same as it came.
  virtual void apply(DbIndex db, Argv argv, ByteView raw) = 0;
  // One command or one group of them has been applied, by these bytes; `db` is selected behind it.
  virtual void on_applied(ByteView bytes, DbIndex db) = 0;
  // A ballot begins here in the stream.
  virtual void on_marker(const Ballot& ballot) = 0;
  // Whether what was applied may be acknowledged; if so, it will be.
  virtual bool may_acknowledge() = 0;
  // How far the stream is on our own disk; none if it is not kept there.
  virtual std::optional<uint64_t> durable() const = 0;
  // For the log: an answer that we can do without.
  virtual void on_remark(const std::string& text) = 0;
};

class Follow final : public Endpoint {
 public:
  enum class State : uint8_t { kHandshake, kWaiting, kSnapshot, kLoading, kStream, kFailed };
  struct Introduction {
    std::string user = {}, password = {};  // empty: none
    uint16_t port = 0;                     // what others reach us at
    std::string announced_ip = {};
    // What we have: none asks for everything. `db`: selected where the stream goes on.
    std::optional<History> history = {};
    DbIndex db = 0;
    bool asks_to_take_over = false;  // PSYNC ... FAILOVER
    // Of semi-sync-members. The primary is followed only if it leads (unless what it has is to be
    // fetched, or it is about to), by `least` or a higher ballot.
    struct Membership {
      std::string member;
      Millis lease;
      Ballot least;
      bool must_lead;
      Ballot promised;
    };
    std::optional<Membership> membership = {};
  };

  Follow(Heap& heap, Introduction introduction, FollowSink& sink);

  // ---- Endpoint
  void on_bytes(ByteView bytes) override;
  void on_closed(ByteView why) override;
  EndpointState state() const override;
  OutBuffer& out() override { return out_; }

  // The snapshot is in its place: the stream may come. Not from inside a call of the sink.
  void on_loaded();
  // Says how far we are: once a second, when asked by the primary, and when the stream is silent.
  void send_ack();
  // While a long load goes on, so that the primary does not think us dead.
  void send_newline();

  State talk() const { return talk_; }
  // Of our primary's stream, once there is one.
  uint64_t applied() const { return applied_; }
  // What the primary was told last, and of our disk.
  uint64_t applied_told() const { return applied_told_; }
  uint64_t durable_told() const { return durable_told_; }
  // Of what came, a command that is there in part.
  size_t kept_bytes() const { return kept_.size(); }
  const std::string& problem() const { return problem_; }
  // It gave no data, and said so; if it asks to be asked again soon, that is none.
  bool was_refused() const { return was_refused_; }
  bool is_to_try_again() const { return is_to_try_again_; }
  // What it sends is not what stands behind what we have.
  bool is_out_of_place() const { return is_out_of_place_; }
  // Where its log ended when we came, if it told, and whether it leads itself.
  const LogEnd& primary_end() const { return primary_end_; }
  bool primary_leads() const { return primary_leads_; }

 private:
  // What is asked before the data, in this order; each has one line as an answer.
  enum class Question : uint8_t {
    kPing,
    kAuth,
    kPort,
    kAddress,
    kAbilities,
    kMember,
    kBallot,
    kData
  };

  void say(std::initializer_list<ByteView> words);
  void ask(Question question, std::initializer_list<ByteView> words);
  void introduce();
  void ask_for_data();
  void on_answer(ByteView line);
  void on_ballot_answer(ByteView line);
  void on_data_answer(ByteView line);
  void on_full_sync(ByteView words);
  void on_partial_sync(ByteView id);
  void on_snapshot_header(ByteView line);
  size_t take(ByteView bytes);
  size_t take_line(ByteView bytes);
  size_t take_snapshot(ByteView bytes);
  size_t take_until_mark(ByteView bytes);
  size_t take_stream(ByteView bytes);
  void end_snapshot();
  void apply_group(ByteView bytes);
  void apply_command(ByteView item, std::span<const AofScanner::Place> words);
  void fail(std::string problem);

  OutBuffer out_;
  Introduction introduction_;
  FollowSink& sink_;
  State talk_ = State::kHandshake;
  std::vector<Question> questions_;  // that have no answer yet
  uint64_t applied_ = 0;
  uint64_t applied_told_ = 0;
  uint64_t durable_told_ = 0;
  std::string problem_;
  bool was_refused_ = false;
  bool is_to_try_again_ = false;
  bool is_out_of_place_ = false;
  LogEnd primary_end_;
  bool primary_leads_ = false;
  std::string kept_;  // came, and could not be taken yet

  // ---- of the snapshot
  std::optional<uint64_t> bytes_left_;  // none: it ends with mark_
  std::string mark_;

  // ---- of the stream
  AofScanner scanner_;
  size_t group_bytes_ = 0;  // whole commands behind an open MULTI, at the front of what is kept
  bool in_group_ = false;
  DbIndex db_ = 0;
  std::vector<ByteView> argv_;
};

}  // namespace ouro
