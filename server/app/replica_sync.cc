// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/replica_sync.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "persistence/snapshot_writer.h"
#include "server/engine/session.h"

namespace ouro {

// ---- when

bool ReplicaSync::may_begin() const {
  // A moment inside a transaction that waits is none.
  return !is_stopped_ && engine_.replication.has_stream() && !engine_.exclusive.active() &&
         !engine_.persistence.loading.active;
}

// A part of a snapshot goes to who takes it without a length, however others are served.
bool ReplicaSync::takes_file(const Session& session) const {
  const Feed& feed = *session.feed;
  const bool is_diskless =
      engine_.options.replication.repl_diskless_sync || feed.wants_functions_alone;
  return !feed.takes_eof || !is_diskless;
}

// Those who wait and want the same as the one that has waited longest.
std::vector<Session*> ReplicaSync::next_group() const {
  std::vector<Session*> group;
  for (Session* session : engine_.replication.replicas()) {
    if (session->feed->state != Feed::State::kWaiting) continue;
    const bool fits = group.empty() || (takes_file(*session) == takes_file(*group[0]) &&
                                        session->feed->wants_functions_alone ==
                                            group[0]->feed->wants_functions_alone);
    if (fits) group.push_back(session);
  }
  return group;
}

Instant ReplicaSync::due() const {
  if (part_ == Part::kWalking) return has_room() ? walk_due() : kNever;
  if (part_ == Part::kSaving) return file_->due();
  if (part_ != Part::kIdle || !may_begin()) return kNever;
  const std::vector<Session*> group = next_group();
  if (group.empty()) return kNever;
  const ReplicationOptions& options = engine_.options.replication;
  const uint64_t enough = options.repl_diskless_sync_max_replicas;
  if (takes_file(*group[0]) || (enough > 0 && group.size() >= enough)) return loop_.now();
  return group[0]->feed->asked_at + options.repl_diskless_sync_delay_seconds * 1'000'000;
}

bool ReplicaSync::turn() {
  if (part_ == Part::kIdle) return begin_if_due();
  drop_departed();
  drop_stuck();
  switch (part_) {
    case Part::kWalking:
      return go_on_walking();
    case Part::kSaving:
      return go_on_saving();
    case Part::kReading:
      return go_on_reading();
    case Part::kIdle:
    case Part::kPlacing:
    case Part::kOpening:
    case Part::kClosing:
      break;
  }
  return false;
}

bool ReplicaSync::begin_if_due() {
  if (due() > loop_.now()) return false;
  begin(next_group());
  return true;
}

// ---- the beginning

void ReplicaSync::begin(std::span<Session* const> group) {
  const bool uses_file = takes_file(*group[0]);
  engine_.log.print(LogLevel::kNotice, "Starting BGSAVE for SYNC with target: %s",
                    uses_file ? "disk" : "replicas sockets");
  began_ = loop_.now();
  ++engine_.persistence.views_begun;
  engine_.persistence.syncs_replicas = true;
  // The moment: what comes after it is in the stream, and in the snapshot nothing of it.
  answer(group);
  const SnapshotFacts facts = snapshot_facts(engine_, SnapshotUse::kReplica);
  if (uses_file) return begin_file(facts);
  if (group[0]->feed->wants_functions_alone) {
    chunk_ = functions_snapshot(facts);
  } else {
    writer_ = make_writer(facts);
  }
  begin_walk();
}

void ReplicaSync::answer(std::span<Session* const> group) {
  for (Session* session : group) {
    engine_.replication.begin_feed(*session);
    receivers_.push_back({.id = session->id, .session = session, .moved_at = began_});
    // For as long as it is connected.
    if (engine_.options.replication.repl_disable_tcp_nodelay)
      loop_.tune({session->peer.fd}, {.no_delay = false});
    if (!session->feed->speaks_psync) continue;
    session->out().append("+FULLRESYNC " + engine_.replication.history().id + " " +
                          std::to_string(session->feed->begins_at) + "\r\n");
    session->flush_soon();
  }
}

std::unique_ptr<FrozenWriter> ReplicaSync::make_writer(const SnapshotFacts& facts) {
  const auto packing =
      engine_.options.rdbcompression ? RdbWriter::Packing::kLzfBounded : RdbWriter::Packing::kNone;
  return std::make_unique<SnapshotWriter>(
      engine_.dbs, facts,
      SnapshotWriter::Options{
          .packing = packing, .checksum = options_.rdbchecksum, .hints = &hints_});
}

void ReplicaSync::begin_walk() {
  part_ = Part::kWalking;
  begin_sending(Feed::State::kWalk);
  mark_ = make_replication_id(engine_.prng);
  deliver("$EOF:" + mark_ + "\r\n");
}

void ReplicaSync::begin_file(const SnapshotFacts& facts) {
  part_ = Part::kSaving;
  is_kept_ = false;
  path_ = snapshots_.path_of_sync();
  file_ = std::make_unique<SnapshotFile>(
      SnapshotFile::Setup{.loop = loop_,
                          .path = path_,
                          .syncs_in_parts = options_.rdb_save_incremental_fsync,
                          .key_delay = options_.rdb_key_save_delay},
      make_writer(facts));
}

// ---- who is there

void ReplicaSync::drop_departed() {
  if (receivers_.empty()) return;
  const std::vector<Session*>& replicas = engine_.replication.replicas();
  std::erase_if(receivers_, [&](const Receiver& receiver) {
    const auto found = std::find(replicas.begin(), replicas.end(), receiver.session);
    return found == replicas.end() || (*found)->id != receiver.id;
  });
  // With save points a file is made for its own sake, too.
  const bool is_useful = part_ == Part::kSaving && snapshots_.has_save_points() && !is_stopped_;
  if (receivers_.empty() && !is_useful) give_up();
}

// Outside of turns a session may have gone a moment ago. False if none is left, and the end is
// under way.
bool ReplicaSync::has_receivers() {
  drop_departed();
  return !receivers_.empty();
}

// One that takes nothing holds up the others.
void ReplicaSync::drop_stuck() {
  const Micros timeout = engine_.options.replication.repl_timeout_seconds * 1'000'000;
  for (Receiver& receiver : receivers_) {
    OutBuffer& out = receiver.session->out();
    if (out.empty() || out.sent_bytes() != receiver.sent_bytes) {
      receiver.sent_bytes = out.sent_bytes();
      receiver.moved_at = loop_.now();
    }
    if (loop_.now() - receiver.moved_at <= timeout) continue;
    engine_.log.print(LogLevel::kWarning, "Disconnecting timedout replica (full sync): %s",
                      receiver.session->peer.address.c_str());
    receiver.session->doom();
  }
  drop_departed();
}

bool ReplicaSync::has_room() const {
  return std::all_of(receivers_.begin(), receivers_.end(), [](const Receiver& receiver) {
    return receiver.session->out().size_bytes() < kOutputBytesMax;
  });
}

void ReplicaSync::deliver(ByteView bytes) {
  Blob* const blob = Blob::create_from(engine_.heap, bytes);
  for (const Receiver& receiver : receivers_) {
    receiver.session->out().append_blob(blob, blob->view());
    receiver.session->flush_soon();
    engine_.stats.net_replication_output_bytes += bytes.size();
  }
  Blob::unpin(engine_.heap, blob);
}

void ReplicaSync::begin_sending(Feed::State how) {
  for (const Receiver& receiver : receivers_) receiver.session->feed->state = how;
}

// ---- without a file

Instant ReplicaSync::walk_due() const {
  const double delay = key_delay_micros(options_.rdb_key_save_delay);
  if (writer_ == nullptr || delay == 0) return loop_.now();
  return began_ + static_cast<Instant>(static_cast<double>(writer_->keys_saved()) * delay);
}

bool ReplicaSync::go_on_walking() {
  if (!has_room() || walk_due() > loop_.now()) return false;
  if (writer_ != nullptr) {
    size_t budget = options_.rdb_key_save_delay == 0 ? kBudget : 1;
    writer_->next_chunk(kChunkBytes, budget, chunk_);
    if (writer_->waiting_bytes() + writer_->copied_bytes() > kFrozenCopiedBytesMax)
      let_go_of_all("too much has changed since the snapshot began, and it is taken too slowly");
  }
  if (part_ != Part::kWalking) return false;
  if (!chunk_.empty()) deliver(chunk_);
  chunk_.clear();
  if (writer_ == nullptr || writer_->is_done()) end_walk();
  return true;
}

void ReplicaSync::end_walk() {
  deliver(mark_);
  for (const Receiver& receiver : std::exchange(receivers_, {})) {
    engine_.log.print(LogLevel::kNotice,
                      "Streamed replica with replica %s succeeded (socket). Waiting for REPLCONF "
                      "ACK from replica to enable streaming",
                      receiver.session->peer.address.c_str());
    release(*receiver.session, Feed::State::kLoading);
  }
  engine_.log.write(LogLevel::kNotice, "Background RDB transfer terminated with success");
  end();
}

// It has all of the snapshot.
void ReplicaSync::release(Session& session, Feed::State next) {
  session.feed->state = next;
  session.feed->heard_at = loop_.now();
  if (!session.feed->wants_snapshot_alone) return;
  engine_.log.print(LogLevel::kNotice,
                    "RDB transfer completed, rdb only replica (%s) should be disconnected asap",
                    session.peer.address.c_str());
  session.close_after_reply();
}

// ---- by a file

bool ReplicaSync::go_on_saving() {
  const bool goes_on = file_->turn();
  if (!file_->is_over()) return goes_on;
  if (!file_->is_ok()) {
    let_go_of_all(file_->problem().c_str());
    return true;
  }
  file_bytes_ = file_->bytes();
  read_bytes_ = 0;
  file_.reset();
  keep_or_open();
  return true;
}

void ReplicaSync::keep_or_open() {
  FileSteps steps = snapshots_.steps_to_keep(path_, began_);
  if (steps.empty()) return open_file();
  part_ = Part::kPlacing;
  const std::string path = steps.front().to;
  steps_.start(std::move(steps), [this, path](const FileStepRunner::Result& result) {
    is_kept_ = result.is_ok();
    if (is_kept_) path_ = path;
    if (!is_kept_) let_go_of_all(result.problem().c_str());
    receivers_.empty() ? close_file() : open_file();
  });
}

void ReplicaSync::open_file() {
  part_ = Part::kOpening;
  loop_.open(op_, path_.c_str(), OpenFor::kRead);
}

void ReplicaSync::on_done(const Outcome& outcome) {
  switch (part_) {
    case Part::kOpening:
      return on_opened(outcome.result);
    case Part::kReading:
      return on_read(outcome.result);
    case Part::kClosing:
      return go_on_closing();
    case Part::kIdle:
    case Part::kWalking:
    case Part::kSaving:
    case Part::kPlacing:
      break;
  }
  OURO_UNREACHABLE();
}

void ReplicaSync::on_opened(int32_t result) {
  part_ = Part::kReading;
  if (result >= 0) fd_ = {result};
  if (receivers_.empty()) return close_file();
  if (!has_receivers()) return;
  if (result < 0) return let_go_of_all(strerrordesc_np(-result));
  begin_sending(Feed::State::kSnapshot);
  room_ = std::make_unique<char[]>(kChunkBytes);
  deliver("$" + std::to_string(file_bytes_) + "\r\n");
}

bool ReplicaSync::go_on_reading() {
  if (!op_.busy() && has_room())
    loop_.read_at(op_, fd_, {room_.get(), std::min(kChunkBytes, file_bytes_ - read_bytes_)},
                  read_bytes_);
  return false;
}

void ReplicaSync::on_read(int32_t result) {
  if (!has_receivers()) return;
  if (result <= 0) return let_go_of_all(result == 0 ? "it ends early" : strerrordesc_np(-result));
  deliver({room_.get(), static_cast<size_t>(result)});
  read_bytes_ += static_cast<size_t>(result);
  if (read_bytes_ == file_bytes_) end_reading();
}

void ReplicaSync::end_reading() {
  for (const Receiver& receiver : std::exchange(receivers_, {})) {
    engine_.log.print(LogLevel::kNotice, "Synchronization with replica %s succeeded",
                      receiver.session->peer.address.c_str());
    release(*receiver.session, Feed::State::kOnline);
  }
  close_file();
}

void ReplicaSync::close_file() {
  part_ = Part::kClosing;
  is_removed_ = false;
  if (!op_.busy()) go_on_closing();
}

// Unless somebody has saved since.
bool ReplicaSync::stays() const {
  if (!is_kept_) return false;
  if (!snapshots_.removes_sync_files() || engine_.persistence.snapshot.began > began_) return true;
  engine_.log.write(LogLevel::kNotice,
                    "Removing the RDB file used to feed replicas in a persistence-less instance");
  return false;
}

void ReplicaSync::go_on_closing() {
  if (!std::exchange(is_removed_, true) && !stays()) return loop_.unlink(op_, path_.c_str());
  if (fd_.is_open()) return loop_.close(op_, std::exchange(fd_, FileFd()));
  end();
}

// ---- the end

void ReplicaSync::let_go_of_all(const char* why) {
  if (!receivers_.empty()) engine_.log.print(LogLevel::kWarning, "A full sync has failed: %s", why);
  give_up();
}

void ReplicaSync::give_up() {
  for (const Receiver& receiver : std::exchange(receivers_, {})) receiver.session->doom();
  writer_.reset();
  switch (part_) {
    case Part::kWalking:
      return end();
    case Part::kSaving:
      // Removed by itself, unless it is whole.
      if (!file_->is_over()) return file_->give_up("It is not wanted any more");
      file_.reset();
      return close_file();
    case Part::kReading:
      return close_file();
    case Part::kIdle:
    case Part::kPlacing:
    case Part::kOpening:
    case Part::kClosing:
      break;
  }
}

void ReplicaSync::stop() {
  is_stopped_ = true;
  give_up();
}

void ReplicaSync::end() {
  part_ = Part::kIdle;
  writer_.reset();
  chunk_ = {};
  room_.reset();
  engine_.persistence.syncs_replicas = false;
}

}  // namespace ouro
