// SPDX-License-Identifier: BSD-3-Clause
// Host: what admin commands ask of the program around the engine. The server's app answers for
// real; the embedded cache derives from NoHost, which says that there is no such thing here.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "datastructs/base/result.h"
#include "datastructs/base/units.h"

namespace ouro {

class Migration;
struct CommandSpec;
enum class RewriteScope : uint8_t;

// Facts about the process and the network for INFO, gathered when asked.
struct HostInfo {
  int64_t process_id = 0;
  std::string run_id;  // 40 hex digits
  std::string executable;
  std::string config_file;
  std::string os;
  std::string io_backend;  // "uring", "epoll" or "none", with the reason in io_reason
  std::string io_reason;
  bool is_supervised = false;        // systemd is told when it is ready
  uint64_t inputs = 0, outputs = 0;  // receives and sends that moved bytes
  int tcp_port = 0;
  UnixMs started = 0;
  size_t resident_bytes = 0;
  size_t peak_resident_bytes = 0;
  double cpu_system_s = 0, cpu_user_s = 0;
  double cpu_system_main_s = 0, cpu_user_main_s = 0;
  uint64_t total_system_memory = 0;
  std::string allocator;
};

class Host {
 public:
  virtual ~Host() = default;

  virtual HostInfo info() = 0;
  // Extra "name:value\r\n" lines for a section of INFO ("server", "stats"): loop turns, back end.
  virtual void append_info(ByteView section, std::string& out) = 0;
  // CONFIG RESETSTAT.
  virtual void reset_stats() = 0;
  // Begins an orderly end of the program. Errors leave their text in `error`. Err::kBlocked: first
  // replicas are waited for; whoever asked by `spec` waits too, and is run for the last time if it
  // fails or is aborted.
  struct ShutdownRequest {
    bool save = false, no_save = false, now = false, force = false;
    const CommandSpec* spec = nullptr;
  };
  virtual Status shutdown(ShutdownRequest request, std::string& error) = 0;
  virtual Status abort_shutdown() = 0;
  // The program is started anew, with the arguments that it was started with: DEBUG RESTART and
  // CRASH-AND-RECOVER. In order: the configuration is rewritten and the data are saved as for
  // shutdown(); else at once and without a word to anybody, and ok is not answered.
  struct RestartRequest {
    bool in_order = true;
    Millis delay = 0;  // between the end and the beginning
  };
  virtual Status restart(RestartRequest request, std::string& error) = 0;
  // The program cannot go on: it ends after this turn, and its exit code says so.
  virtual void end_in_failure(const std::string& why) = 0;
  // Snapshots and the log. Each begins what takes more than a turn; errors leave their text,
  // without code, in `error`. Who must wait for the end waits in Exclusive, which is told of it
  // (Exclusive::end): for a save in the foreground, `reload` and `load_log`.
  struct SaveRequest {
    bool in_foreground = false;  // nobody's command runs until it has ended
    bool may_be_later = false;   // if something is in its way
    bool must_be_later = false;  // a transaction is under way
  };
  // scheduled: it has not begun, and will.
  virtual Status save(SaveRequest request, bool& scheduled, std::string& error) = 0;
  // A snapshot in the background that is being made ends without a result, or one that is to come
  // does not begin.
  enum class CancelledSave : uint8_t { kNone, kRunning, kScheduled };
  virtual CancelledSave cancel_save() = 0;
  // Writes a snapshot, empties the databases, and reads it again.
  struct ReloadRequest {
    bool saves = true, flushes = true, merges = false;
  };
  virtual Status reload(ReloadRequest request, std::string& error) = 0;
  // FLUSHALL: a snapshot of before is not wanted any more; with save points one of nothing is.
  virtual void on_all_flushed() = 0;
  // Begins the log anew from what there is now.
  struct RewriteRequest {
    bool must_be_later = false;  // a transaction is under way
  };
  virtual Status rewrite_log(RewriteRequest request, bool& scheduled, std::string& error) = 0;
  virtual Status load_log(std::string& error) = 0;
  // Begins to take keys to another server; Exclusive::end() tells of the end, after which, as after
  // break_off_migration(), the program knows nothing more of it.
  virtual Status migrate(Migration& migration, std::string& error) = 0;
  virtual void break_off_migration() {}
  // Connections to targets that are kept for the next keys.
  virtual size_t migration_connections() const { return 0; }
  // Turns inside the turn of a script, in which nobody's command runs, until Exclusive::end().
  virtual void run_exclusive() {}
  // A turn inside the turn of a script that is over its time. False when the program ends: the
  // script has to.
  virtual bool pump() = 0;
  // Memory that nobody uses goes back to the system: now, or what is freed while that is wanted.
  virtual void purge_memory() = 0;
  virtual void return_memory_at_once(bool wanted) = 0;
  // The whole program does nothing for so long (DEBUG SLEEP inside a script).
  virtual void stand_still(Micros micros) = 0;
  // Replication::primary is another, or none is followed any more.
  virtual void on_role_changed() = 0;
  // Writes the configuration to the file it was read from.
  virtual Status rewrite_config(RewriteScope scope, std::string& error) = 0;
  // A small file of an administrative command, whole; its directory is the working one. Errors
  // leave the system's words in `error`; Err::kUnknown: there is no such file. Replacing leaves the
  // old contents or the new, on disk.
  virtual Status read_file(const std::string& path, std::string& bytes, std::string& error) = 0;
  virtual Status replace_file(const std::string& path, ByteView bytes, std::string& error) = 0;
  // Bytes that nobody can guess, for secrets.
  virtual void fill_random(std::span<unsigned char> bytes) = 0;
  // Told after CONFIG SET has changed parameters that the program itself acts on (port, bind,
  // loglevel ...).
  virtual Status apply_config(ByteView name, std::string& error) = 0;
};

// There is no program to speak of: the library in a host, and tests. Nothing here, and it says so.
class NoHost : public Host {
 public:
  HostInfo info() override { return {}; }
  void append_info(ByteView, std::string&) override {}
  void reset_stats() override {}
  Status shutdown(ShutdownRequest, std::string& error) override { return not_here(error); }
  Status abort_shutdown() override { return Err::kInvalid; }
  Status restart(RestartRequest, std::string& error) override { return not_here(error); }
  void end_in_failure(const std::string&) override {}
  Status save(SaveRequest, bool&, std::string& error) override { return not_here(error); }
  CancelledSave cancel_save() override { return CancelledSave::kNone; }
  Status reload(ReloadRequest, std::string& error) override { return not_here(error); }
  void on_all_flushed() override {}
  Status rewrite_log(RewriteRequest, bool&, std::string& error) override { return not_here(error); }
  Status load_log(std::string& error) override { return not_here(error); }
  Status migrate(Migration&, std::string& error) override { return not_here(error); }
  bool pump() override { return true; }
  void on_role_changed() override {}
  void purge_memory() override {}
  void return_memory_at_once(bool) override {}
  void stand_still(Micros) override {}
  Status rewrite_config(RewriteScope, std::string& error) override { return not_here(error); }
  Status read_file(const std::string&, std::string&, std::string& error) override {
    return not_here(error);
  }
  Status replace_file(const std::string&, ByteView, std::string& error) override {
    return not_here(error);
  }
  Status apply_config(ByteView, std::string&) override { return Status::ok(); }

 private:
  static Status not_here(std::string& error) {
    error = "There is no server here: the cache runs inside its host program";
    return Err::kInvalid;
  }
};

}  // namespace ouro
