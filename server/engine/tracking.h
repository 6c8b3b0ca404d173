// SPDX-License-Identifier: BSD-3-Clause
// Tracking: the server's half of client-side caching (CLIENT TRACKING). A client that turns it on
// is told which keys have changed, so that it can drop its own copies.
//
//   by reading     the keys of its reads are remembered; a change tells all who read the key, and
//                  forgets it
//   broadcasting   it names prefixes; once a turn it is told which keys that begin so have changed
//
//      keys_      name   -> the ids of its readers          at most tracking-table-max-keys
//      prefixes_  prefix -> its clients; the keys that changed in this turn, and who changed them
//
// Of a script that runs a command which reads, all keys that were given to the script are read.
// As in Redis a key is its name alone, whatever the database, and the id of a client that has left
// stays with its keys until they change: ids do not come again. A RESP3 client is told by a push; a
// RESP2 client has another one told in its place, by a message of channel __redis__:invalidate.
// What a client's own command invalidates is told behind that command's answer.
//
// A key too many is made up for by forgetting a random one, which tells its readers. Cost: a test
// of active() when nobody tracks; a look-up for each key that is read or changed otherwise, and for
// broadcasts one more for each prefix of the key.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "datastructs/int_set.h"
#include "datastructs/string_map.h"
#include "server/engine/command.h"

namespace ouro {

class Engine;
class Reply;
class Session;
struct Caller;

// How a client tracks; its Session has one while it does.
struct TrackingClient {
  struct Mode {
    uint64_t redirect = 0;  // who is told; 0 is the client itself
    bool broadcasts = false;
    bool opts_in = false;   // keys are remembered only of what follows CLIENT CACHING YES
    bool opts_out = false;  // ... of all but what follows CLIENT CACHING NO
    bool no_loop = false;   // what it changes itself it need not be told
  };
  Mode mode;
  // CLIENT CACHING was said of the next command or transaction; commands of its own container do
  // not count as that. Null when it was not.
  const CommandSpec* caching_said_by = nullptr;
  bool redirect_broken = false;
  std::set<std::string, std::less<>> prefixes;

  size_t memory_bytes() const;
};

class Tracking {
 public:
  explicit Tracking(Engine& engine);

  // ---- who tracks
  // Changes the mode of one that does already; its prefixes are added to.
  void enable(Session& session, const TrackingClient::Mode& mode, Argv prefixes);
  void disable(Session& session);
  bool active() const { return client_count_ != 0; }

  // ---- what happens; only while active()
  // A command has run, with whatever answer.
  void on_command(const Caller& caller, const CommandSpec& spec, Argv argv);
  // by_nobody: the clock or the memory limit has ended the key.
  void on_changed(ByteView key, bool by_nobody);
  // Databases were emptied: nothing is valid any more.
  void on_flushed();
  // The running command has answered: what was held back for its client follows.
  void tell_pending();
  // A command of the client is over, whether it ran or was refused.
  void on_command_end(Session& session, const CommandSpec* spec);

  // ---- once or twice a turn
  // Tells broadcasting clients what has changed.
  void broadcast();
  // A bounded slice of keeping the limit and of freeing. True when work is left.
  bool run_slice();

  size_t client_count() const { return client_count_; }
  size_t key_count() const { return keys_ == nullptr ? 0 : keys_->size(); }
  size_t item_count() const { return item_count_; }  // readers of all keys
  size_t prefix_count() const { return prefixes_.size(); }
  void check_invariants() const;

 private:
  // Most keys have one or few readers, whose ids fit a small block.
  struct Readers {
    Readers() = default;
    Readers(Readers&& other) noexcept
        : heap(std::exchange(other.heap, nullptr)), ids(std::exchange(other.ids, {})) {}
    Readers& operator=(Readers&&) = delete;
    ~Readers() {
      if (heap != nullptr) ids.destroy(*heap);
    }
    Heap* heap = nullptr;
    IntSet ids;
  };
  using Keys = StringMap<Readers>;
  // Key and the id of the client that changed it last, 0 for nobody.
  using Changes = std::map<std::string, uint64_t, std::less<>>;
  struct Prefix {
    std::vector<Session*> clients;
    Changes changes;
  };
  using Prefixes = std::map<std::string, Prefix, std::less<>>;
  struct Pending {
    uint64_t client;
    std::optional<std::string> key;  // none: all keys
  };
  using WriteKeys = FunctionRef<void(Reply&)>;

  void remember(const Session& session, const CommandSpec& spec, Argv argv);
  void add_prefix(Session& session, ByteView prefix);
  void note_change(ByteView key, uint64_t changer);
  void forget(ByteView key);
  bool is_over_limit() const;
  void drop_keys();
  void tell(Session& session, std::optional<ByteView> key);
  void tell_now(Session& session, WriteKeys write_keys);

  Engine& engine_;
  size_t client_count_ = 0;
  std::unique_ptr<Keys> keys_;
  size_t item_count_ = 0;
  Prefixes prefixes_;
  bool has_changes_ = false;  // a prefix has some
  std::vector<Pending> pending_;
  std::vector<std::unique_ptr<Keys>> dropped_;  // to be freed
  HeapShare held_;                              // by the TrackingClients of all
};

}  // namespace ouro
