// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/migrator.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace ouro {
namespace {

// More of a line is not read: an answer is a word, or the text of an error.
constexpr size_t kLineBytesMax = 1023;

std::string name_of(const Migration::Request& request) { return request.host + ":" + request.port; }

}  // namespace

// A target, as long as its connection lives.
struct Migrator::Peer final : Endpoint, ConnectionOwner {
  Peer(Migrator& owner, std::string to, SocketFd fd)
      : migrator(owner),
        name(std::move(to)),
        output(owner.engine_.heap),
        connection(owner.loop_, owner.flush_list_, fd, *this, *this) {}

  void on_bytes(ByteView bytes) override {
    migrator.last_progress_ = migrator.loop_.now();
    while (!bytes.empty()) {
      const size_t end = bytes.find('\n');
      const ByteView part = bytes.substr(0, end);
      line.append(part.substr(0, kLineBytesMax - line.size()));
      if (end == ByteView::npos) return;
      bytes.remove_prefix(end + 1);
      if (line.ends_with('\r')) line.pop_back();
      migrator.on_line(*this, line);
      line.clear();
    }
  }
  void on_closed(ByteView) override {
    is_closing = true;
    migrator.on_closed(*this);
  }
  // It says nothing unless it was asked.
  EndpointState state() const override {
    return has_babbled ? EndpointState::kDoomed : EndpointState::kOpen;
  }
  OutBuffer& out() override { return output; }
  bool has_more() const override {
    return migrator.talking_ == this && !migrator.migration_->is_all_written();
  }
  void on_idle(Connection&) override { migrator.peers_.erase(self); }

  Migrator& migrator;
  std::string name;  // "host:port" as the request had them
  int64_t selected_db = -1;
  Instant last_used = 0;
  bool is_closing = false;
  bool has_babbled = false;
  std::string line;  // as far as it has come
  OutBuffer output;
  Connection connection;
  std::list<Peer>::iterator self;
};

Migrator::Migrator(Loop& loop, FlushList& flush_list, Engine& engine, const AppOptions& options)
    : loop_(loop),
      flush_list_(flush_list),
      engine_(engine),
      options_(options),
      dialer_(loop, *this) {}

Migrator::~Migrator() { CHECK(is_idle()); }

size_t Migrator::kept() const {
  return static_cast<size_t>(std::count_if(peers_.begin(), peers_.end(),
                                           [](const Peer& peer) { return !peer.is_closing; }));
}

void Migrator::begin(Migration& migration) {
  CHECK(migration_ == nullptr);
  migration_ = &migration;
  may_retry_ = true;
  last_progress_ = loop_.now();
  const std::string name = name_of(migration.request());
  const auto found = std::find_if(peers_.begin(), peers_.end(), [&](const Peer& peer) {
    return !peer.is_closing && peer.name == name;
  });
  if (found == peers_.end()) return dial();
  talk_to(*found);
  say_more();
}

// A name is looked up while everything waits, as Redis does; nobody's command runs now anyway.
void Migrator::dial() {
  const Migration::Request& request = migration_->request();
  const auto port = static_cast<uint16_t>(std::strtol(request.port.c_str(), nullptr, 10));
  addresses_ = resolve_blocking(request.host, port);
  must_dial_ = true;
}

void Migrator::turn() {
  if (migration_ == nullptr) return;
  if (must_dial_ && dialer_.is_idle()) {
    must_dial_ = false;
    if (addresses_.empty()) return give_up(Migration::Failure::kConnecting);
    const Address address = addresses_.front();
    addresses_.erase(addresses_.begin());
    return dialer_.dial(address, migration_->request().timeout_ms, {}, source_address(options_));
  }
  if (talking_ != nullptr) say_more();
}

void Migrator::on_dialed(SocketFd fd) {
  if (kept() == kKeptMax) drop_longest_unused();
  peers_.emplace_back(*this, name_of(migration_->request()), fd);
  peers_.back().self = std::prev(peers_.end());
  last_progress_ = loop_.now();
  talk_to(peers_.back());
}

// Redis learns that a port is refused when it writes, and says so.
void Migrator::on_dial_failed(int error) {
  if (!addresses_.empty()) {
    must_dial_ = true;
  } else {
    give_up(error == ECONNREFUSED ? Migration::Failure::kWriting : Migration::Failure::kConnecting);
  }
}

void Migrator::talk_to(Peer& peer) {
  talking_ = &peer;
  sent_seen_ = peer.output.sent_bytes();
  peer.last_used = loop_.now();
  migration_->restart(peer.selected_db);
}

void Migrator::say_more() {
  Peer& peer = *talking_;
  if (peer.output.sent_bytes() != std::exchange(sent_seen_, peer.output.sent_bytes()))
    last_progress_ = loop_.now();
  if (migration_->is_answered()) {
    peer.selected_db = migration_->selected_db();
    migration_->end();
    return end();
  }
  if (loop_.now() >= due()) {
    const bool is_writing = !migration_->is_all_written() || !peer.output.empty();
    close(peer, "it did not answer in time");
    return give_up(is_writing ? Migration::Failure::kWriting : Migration::Failure::kReading);
  }
  migration_->write_more(peer.output);
  peer.connection.touch();
}

Instant Migrator::due() const {
  if (must_dial_) return dialer_.is_idle() ? 0 : kNever;
  if (talking_ == nullptr) return kNever;
  return last_progress_ + migration_->request().timeout_ms * 1000;
}

void Migrator::on_line(Peer& peer, ByteView line) {
  if (&peer == talking_ && !migration_->is_answered()) {
    migration_->on_line(line);
  } else {
    peer.has_babbled = true;
  }
}

void Migrator::close(Peer& peer, ByteView why) {
  if (&peer == talking_) talking_ = nullptr;
  peer.connection.close(why);
}

void Migrator::on_closed(Peer& peer) {
  if (&peer != talking_) return;
  talking_ = nullptr;
  const bool is_writing = !migration_->is_all_written() || !peer.output.empty();
  if (migration_->is_answered()) {  // its last word
    migration_->end();
    end();
  } else if (may_retry_ && !migration_->has_answers()) {
    may_retry_ = false;
    dial();
  } else {
    give_up(is_writing ? Migration::Failure::kWriting : Migration::Failure::kReading);
  }
}

void Migrator::give_up(Migration::Failure failure) {
  migration_->fail(failure);
  end();
}

void Migrator::end() {
  migration_ = nullptr;
  talking_ = nullptr;
  engine_.exclusive.end({});
}

// Whatever the target is about to say, nobody would know what to.
void Migrator::break_off() {
  if (std::exchange(migration_, nullptr) == nullptr) return;
  must_dial_ = false;
  if (!dialer_.is_idle()) dialer_.cancel();
  if (talking_ != nullptr) close(*talking_, "the migration is broken off");
}

void Migrator::drop_longest_unused() {
  Peer* oldest = nullptr;
  for (Peer& peer : peers_) {
    if (!peer.is_closing && (oldest == nullptr || peer.last_used < oldest->last_used))
      oldest = &peer;
  }
  close(*oldest, "too many targets");
}

void Migrator::every_second() {
  for (auto it = peers_.begin(); it != peers_.end();) {
    Peer& peer = *it++;
    if (&peer != talking_ && loop_.now() - peer.last_used > kKeptFor) close(peer, "unused");
  }
}

void Migrator::stop() {
  break_off();
  for (auto it = peers_.begin(); it != peers_.end();) close(*it++, "the server stops");
}

}  // namespace ouro
