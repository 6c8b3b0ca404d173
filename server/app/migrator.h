// SPDX-License-Identifier: BSD-3-Clause
// Migrator: MIGRATE's connections. It dials the target of a Migration, moves what the two say, and
// keeps the connection for the next keys.
//
//      begin() --> a kept connection, or dial() --> talk --> Exclusive::end()
//                                        ^           | the target is gone before it has
//                                        +-----------+ answered for a key: once more
//
// At most kKeptMax connections are kept, each until it is closed by its target or nothing was
// said over it for kKeptFor. One migration at a time. A target that neither takes nor says a byte
// for the request's timeout is given up, with its connection.
#pragma once

#include <list>
#include <string>

#include "server/app/options.h"
#include "server/engine/engine.h"
#include "server/engine/migration.h"
#include "server/io/loop.h"
#include "server/net/connection.h"
#include "server/net/dialer.h"
#include "server/net/flush.h"

namespace ouro {

class Migrator final : private DialSink {
 public:
  static constexpr size_t kKeptMax = 64;
  static constexpr Micros kKeptFor = 10'000'000;

  Migrator(Loop& loop, FlushList& flush_list, Engine& engine, const AppOptions& options);
  ~Migrator() override;  // requires is_idle()

  void begin(Migration& migration);
  void break_off();
  // Once a turn, ahead of what waits for the end.
  void turn();
  // When a turn is wanted although nothing happens; kNever if none is.
  Instant due() const;
  void every_second();
  // Closes everything; the loop has let go when is_idle().
  void stop();
  bool is_idle() const { return peers_.empty() && dialer_.is_idle(); }

  size_t kept() const;

 private:
  struct Peer;

  void on_dialed(SocketFd fd) override;
  void on_dial_failed(int error) override;
  void dial();
  void talk_to(Peer& peer);
  void say_more();
  void close(Peer& peer, ByteView why);
  void drop_longest_unused();
  void on_line(Peer& peer, ByteView line);
  void on_closed(Peer& peer);
  void give_up(Migration::Failure failure);
  void end();

  Loop& loop_;
  FlushList& flush_list_;
  Engine& engine_;
  const AppOptions& options_;
  Dialer dialer_;
  std::list<Peer> peers_;           // those that are closing, too
  Migration* migration_ = nullptr;  // under way
  Peer* talking_ = nullptr;         // over which; null while it is dialed
  std::vector<Address> addresses_;  // of the target, still to be tried
  bool must_dial_ = false;          // as soon as the dialer is idle
  bool may_retry_ = false;
  Instant last_progress_ = 0;  // a byte was moved
  uint64_t sent_seen_ = 0;
};

}  // namespace ouro
