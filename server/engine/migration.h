// SPDX-License-Identifier: BSD-3-Clause
// Migration: the keys that one MIGRATE takes to another server, and what that server has answered.
// Pure: whoever holds the connection (server/app/migrator.h) sends what is written here and brings
// the lines that come.
//
//      restart() --> write_more(), as often as there is room --> [AUTH] [SELECT] RESTORE RESTORE
//      ...
//                    on_line(), in the same order            <--  +OK    +OK      +OK     -BUSYKEY
//      finish()  --> the keys that the target has taken are removed here; one DEL of them is the
//                    effect
//
// Nothing else happens to the keys meanwhile, since the wait is an exclusive one. Payloads are made
// when there is room for them, so that many large keys do not stand in memory twice.
//
//      keys_   [ taken | answered otherwise | said, not answered | gone or due | still to say ]
//                      taken_               answered_            said_         next_
#pragma once

#include <string>
#include <vector>

#include "datastructs/base/out_buffer.h"
#include "datastructs/codec/owned_argv.h"
#include "server/engine/exclusive.h"

namespace ouro {

class Migration final : public ExclusiveWork {
 public:
  struct Request {
    std::string host;
    std::string port;
    int64_t target_db = 0;
    Millis timeout_ms = 0;
    bool copies = false;    // the keys stay here
    bool replaces = false;  // what is there under their names goes
    bool logs_in = false;
    std::string user;  // empty: the password alone is sent
    std::string password;
    DbIndex db = 0;  // where the keys are
  };
  // What kept the target from answering.
  enum class Failure : uint8_t { kConnecting, kWriting, kReading };

  Migration(Engine& engine, Request request, Argv keys);

  const Request& request() const { return request_; }

  // ---- the conversation
  // From its beginning, over a connection in whose target this database is selected; -1: unknown.
  // Requires: !has_answers().
  void restart(int64_t selected_db);
  // Appends what is to be said next, unless `out` holds enough to send.
  void write_more(OutBuffer& out);
  bool is_all_written() const { return is_begun_ && next_ == keys_.size(); }
  // The next line of the target, without its end.
  void on_line(ByteView line);
  // The target has answered for a key, so it is too late to begin anew.
  bool has_answers() const { return answered_ > 0; }
  bool is_answered() const;
  // The database that is selected now; -1: unknown.
  int64_t selected_db() const { return refusal_.empty() ? request_.target_db : -1; }

  // ---- the end
  void end() { is_over_ = true; }
  void fail(Failure failure);
  std::string finish() override;

 private:
  void write_restore(OutBuffer& out, ByteView key);
  void remove_taken();

  Engine& engine_;
  Request request_;
  OwnedArgv words_;  // what keys_ points into
  std::vector<ByteView> keys_;
  size_t taken_ = 0;
  size_t answered_ = 0;
  size_t said_ = 0;
  size_t next_ = 0;
  bool is_begun_ = false;
  bool selects_ = false;
  int greetings_ = 0;     // answers of AUTH and SELECT still to come
  bool is_shut_ = false;  // one of these was a refusal: no key counts as taken
  bool is_over_ = false;
  std::string refusal_;  // the first, with its '-'
  std::string failure_;  // the error to answer
};

}  // namespace ouro
