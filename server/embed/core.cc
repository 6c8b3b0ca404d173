// SPDX-License-Identifier: BSD-3-Clause
#include "server/embed/core.h"

#include <algorithm>
#include <array>

#include "datastructs/codec/number_text.h"
#include "server/engine/gates.h"
#include "server/io/random_bytes.h"
#include "server/script/tables.h"

namespace ouro::embedded {
namespace {

constexpr Micros kSecond = 1'000'000;

uint64_t seed_of(const CacheOptions& options) {
  uint64_t seed = options.seed;
  if (seed == 0) random_bytes(&seed, sizeof(seed));
  return seed;
}

}  // namespace

void HostClock::refine() {
  if (clock_ != nullptr) return;
  cycles_.refine();
  ticks_per_us_ = 1e9 / static_cast<double>(cycles_.nanos(1'000'000));
}

bool Core::Settings::set(ByteView name, ByteView value, std::string& error) {
  const OptionRow* row = config.find(name);
  if (row == nullptr) {
    error = "unknown parameter '" + std::string(name) + "'";
    const ByteView nearest = config.nearest(name);
    if (!nearest.empty()) error.append(", did you mean '").append(nearest).append("'?");
    return false;
  }
  const std::vector<ByteView> words = split_words(value);
  if (config.load(*row, words, error)) return true;
  error.insert(0, std::string(name) + ": ");
  return false;
}

bool Core::Settings::apply(const CacheOptions& from, std::string& error) {
  if (!set("databases", std::to_string(from.databases), error)) return false;
  if (!set("maxmemory", std::to_string(from.maxmemory_bytes), error)) return false;
  if (!set("maxmemory-policy", from.maxmemory_policy, error)) return false;
  for (const auto& [name, value] : from.settings) {
    if (!set(name, value, error)) return false;
  }
  return true;
}

std::unique_ptr<Core> Core::create(const CacheOptions& options, std::string& error) {
  auto settings = std::make_unique<Settings>();
  if (!settings->apply(options, error)) return nullptr;
  return std::unique_ptr<Core>(new Core(std::move(settings), options));
}

Core::Core(std::unique_ptr<Settings> settings, const CacheOptions& options)
    : settings_(std::move(settings)),
      log_(options),
      clock_(options),
      engine_({.options = settings_->options,
               .tables = all_tables_with_scripts(),
               .seed = seed_of(options),
               .stopwatch = clock_,
               .log = log_,
               .host = host_,
               .config = settings_->config}),
      get_row_(*engine_.registry.find("GET")),
      set_row_(*engine_.registry.find("SET")),
      get_stats_(engine_.registry.stats(get_row_)) {
  const CacheTime now = clock_.now();
  engine_.begin_turn(now.unix_ms, now.monotonic_us);
  ticked_ = now.monotonic_us;
  next_second_ = now.monotonic_us + kSecond;
}

bool Core::tick() {
  const CacheTime now = clock_.now();
  ticked_ = now.monotonic_us;
  engine_.begin_turn(now.unix_ms, now.monotonic_us);
  const bool more = engine_.run_slices();
  if (now.monotonic_us >= next_second_) {
    next_second_ = now.monotonic_us + kSecond;
    clock_.refine();
    engine_.every_second();
  }
  return more;
}

// What Executor::run does for GET, less the reply and the timing: gates, look-up, accounts. Three
// quarters of a GET of a small table would be the rest (bench/micro/embed_bench.cc).
Peek Core::peek(ByteView key) {
  const GateMask mask = gates_of(Origin::kEmbedded) & engine_.executor.node_gates();
  if (mask != 0) [[unlikely]] {
    const ByteView argv[] = {get_row_.name, key};
    if (ask_gates(engine_, mask, typed_, get_row_, argv) != Passage::kPass) {
      ++get_stats_.rejected;
      failure_ = engine_.executor.message();
      engine_.stats.count_error(failure_);
      return {Peek::State::kError, failure_};
    }
  }
  Keyspace& db = engine_.dbs[typed_.db];
  Context ctx{.engine = engine_,
              .spec = get_row_,
              .argv = {},
              .caller = typed_,
              .reply = no_reply_,
              .db = db,
              .effects = Effects(engine_.commit, typed_.db),
              .now = engine_.now()};
  const Result<Entry*> found = ctx.find_string(db.key(key));
  if (engine_.commit.size() != 0) [[unlikely]]
    engine_.commit.close_group(GroupKind::kCommand);
  ++get_stats_.calls;
  ++engine_.stats.commands_processed;
  if (!found.is_ok()) [[unlikely]] {
    ++get_stats_.failed;
    failure_ = errors::text_of(found.err());
    engine_.stats.count_error(failure_);
    return {Peek::State::kError, failure_};
  }
  if (*found == nullptr) return {};
  return {Peek::State::kFound, (*found)->text(number_)};
}

// A connection's reader knows this bound; here it is the first who looks.
bool Core::are_storable(Argv argv) const {
  const uint64_t bytes_max = engine_.options.proto_max_bulk_len;
  return std::all_of(argv.begin(), argv.end(),
                     [=](ByteView word) { return word.size() <= bytes_max; });
}

Outcome<bool> Core::set(ByteView key, ByteView value, const SetOptions& options) {
  std::array<ByteView, 8> words = {set_row_.name, key, value};
  if (!are_storable(Argv(words).first(3)))
    return Outcome<bool>::failure(std::string(errors::kTooLong));
  size_t count = 3;
  char ttl[kInt64TextMax];
  if (options.ttl_ms != 0) {
    words[count++] = "PX";
    words[count++] = {ttl, format_int64(options.ttl_ms, ttl)};
  }
  if (options.keep_ttl) words[count++] = "KEEPTTL";
  // Both at once is the command's own syntax error.
  if (options.only_new) words[count++] = "NX";
  if (options.only_existing) words[count++] = "XX";
  Outcome<bool> outcome;
  std::string failure;
  ScalarReply reply(nullptr, failure);
  engine_.executor.start_timing();
  engine_.executor.run(typed_,
                       {.spec = &set_row_,
                        .argv = Argv(words.data(), count),
                        .first_key = engine_.dbs[typed_.db].key(key)},
                       reply);
  if (reply.kind() == ScalarReply::Kind::kError) return Outcome<bool>::failure(std::move(failure));
  return reply.kind() == ScalarReply::Kind::kText;
}

void Core::run_as(Caller& caller, Argv argv, Reply& reply) {
  if (argv.empty()) {
    reply.error("ERR a command has a name");
    return;
  }
  const Executor::Prepared prepared{.spec = engine_.executor.resolve(argv), .argv = argv};
  if (prepared.spec != nullptr && prepared.spec->flags.has(Flag::kNeedsServer)) {
    reply.error(errors::kNeedsServer);
    return;
  }
  if (!are_storable(argv)) {
    reply.error(errors::kTooLong);
    return;
  }
  engine_.executor.start_timing();
  const Executor::Outcome outcome = engine_.executor.run(caller, prepared, reply);
  // Only a connection can wait; a command that would has written nothing.
  const bool is_answered =
      outcome == Executor::Outcome::kDone || outcome == Executor::Outcome::kRefused;
  if (!is_answered) reply.error("ERR this command needs a connection");
}

void Core::run(Argv argv, Reply& reply) { run_as(typed_, argv, reply); }

void Core::execute(Argv argv, Reply& reply) {
  run_as(caller_, argv, reply);
  typed_.db = caller_.db;
}

bool Core::select(DbIndex database) {
  if (database >= engine_.dbs.count()) return false;
  typed_.db = caller_.db = database;
  return true;
}

}  // namespace ouro::embedded
