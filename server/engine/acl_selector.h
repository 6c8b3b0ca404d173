// SPDX-License-Identifier: BSD-3-Clause
// AclSelector: one set of permissions of a user: commands, keys, channels. A command is permitted
// when one selector of the user permits all of it; what two permit in part does not add up.
//
// Rules, as ACL SETUSER takes them:
//   +name -name +container|sub -container|sub   commands; allcommands nocommands
//   +name|word                                  a command only with this first argument
//   +@category -@category                       all that belong to it
//   ~glob %R~glob %W~glob %RW~glob              keys, for reading or writing; allkeys resetkeys
//   &glob                                       channels; allchannels resetchannels
//   db=N,M                                      databases, only these; alldbs resetdbs (Valkey 9.1)
//
// The rules of commands are told as they were given, as Redis does it since 7.2: after +@all or
// -@all, which end all before them, come those that followed, in their order. Whatever they reach
// in a later version is what their words say there, so no later command comes to a user whose words
// do not say it. Not kept is what says nothing in any version:
//   - a rule of the same name as a later one, or of a part of it ("-config|get", then "+config");
//   - in front, what +@all or -@all says anyway ("-@all -get").
//
// A glob that names a channel permits PSUBSCRIBE only of the very same pattern: what a pattern
// would match cannot be told.
#pragma once

#include <string>
#include <vector>

#include "server/engine/acl_commands.h"

namespace ouro {

// Why a rule was not taken.
enum class AclFault : uint8_t {
  kNone,
  kUnknownCommand,
  kSyntax,
  kHasAllKeys,
  kHasAllChannels,
  kFirstArgument,
  kNoSuchPassword,
  kBadHash,
  kNoSuchDb,
};
// Redis's words for it.
ByteView text_of(AclFault fault);

// What was not permitted, and by which argument.
struct AclDenial {
  // What says more comes later.
  enum class Reason : uint8_t { kNone, kDatabase, kCommand, kKey, kChannel };
  Reason reason = Reason::kNone;
  size_t at = 0;  // index of the database, key or channel in argv; 0: the selected database

  bool is_denied() const { return reason != Reason::kNone; }
};

// Where a command is to run: the selected database, of how many.
struct AclPlace {
  DbIndex db;
  DbIndex db_count;
};

// Blanks would end the word when rules are read again.
bool has_blanks(ByteView text);

class AclSelector {
 public:
  explicit AclSelector(bool all_channels) : all_channels_(all_channels) {}

  // Takes one rule; when it has a fault nothing changes.
  AclFault apply(const AclCommands& commands, ByteView rule);

  AclDenial check(const AclCommands& commands, const CommandSpec& spec, Argv argv,
                  AclPlace place) const;
  // True when check() cannot deny anything.
  bool permits_all() const { return all_keys_ && all_channels_ && all_dbs_ && commands_.all(); }
  bool reads_all_keys() const;
  bool permits_key(ByteView key, KeyUse use) const;
  bool has_all_channels() const { return all_channels_; }
  const std::vector<std::string>& channels() const { return channels_; }

  // ---- as text, each part as ACL GETUSER shows it
  std::string commands_text() const;
  std::string keys_text() const;
  std::string channels_text() const;
  std::string databases_text() const;
  // All of it: the rules that make it out of a new one.
  std::string text() const;

 private:
  using Access = uint8_t;
  static constexpr Access kRead = 1;
  static constexpr Access kWrite = 2;
  struct KeyPattern {
    std::string glob;
    Access access;
  };
  // A command that is not permitted as such may be with one first argument ("+select|0").
  struct FirstArgument {
    uint16_t row;
    std::string word;
  };
  enum class Verdict : char { kPermitted = '+', kForbidden = '-' };
  struct CommandRule {
    Verdict verdict;
    std::string name;  // "get", "config|set", "select|0", "@read"
  };

  bool apply_word(ByteView rule);
  AclFault permit_keys(ByteView rule);
  AclFault permit_channel(ByteView glob);
  AclFault permit_databases(ByteView list);
  AclFault apply_category(const AclCommands& commands, ByteView name, Verdict verdict);
  AclFault permit_commands(const AclCommands& commands, ByteView name);
  AclFault permit_first_argument(const AclCommands& commands, const CommandSpec& row,
                                 ByteView word);
  AclFault forbid_commands(const AclCommands& commands, ByteView name);
  void judge_all(Verdict verdict);
  void judge(const CommandSet& which, Verdict verdict, std::string name);
  void keep_rule(Verdict verdict, std::string name);
  bool may_run(const AclCommands& commands, const CommandSpec& spec, Argv argv) const;
  AclDenial check_databases(const CommandSpec& spec, Argv argv, AclPlace place) const;

  Verdict verdict_of_all() const {
    return commands_[AclCommands::kLater] ? Verdict::kPermitted : Verdict::kForbidden;
  }

  CommandSet commands_;
  std::vector<CommandRule> command_rules_;  // since +@all or -@all; they make commands_
  std::vector<FirstArgument> first_arguments_;
  std::vector<KeyPattern> keys_;
  std::vector<std::string> channels_;
  std::vector<DbIndex> dbs_;  // ordered
  bool all_dbs_ = true;
  bool all_keys_ = false;
  bool all_channels_;
};

// Whether `channels` permit this one; a pattern has to be among them literally.
enum class ChannelName : uint8_t { kLiteral, kPattern };
bool permits_channel(const std::vector<std::string>& channels, ByteView name, ChannelName kind);

}  // namespace ouro
