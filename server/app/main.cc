// SPDX-License-Identifier: BSD-3-Clause
// The program: reads its options, picks a loop, runs one server until it is told to end.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "server/app/aof_tool.h"
#include "server/app/check_snapshot.h"
#include "server/app/cpu_list.h"
#include "server/app/cycle_stopwatch.h"
#include "server/app/server.h"
#include "server/app/start_request.h"
#include "server/io/blocking_file.h"
#include "server/io/log_file.h"
#include "server/io/probe.h"
#include "server/io/process.h"
#include "server/io/process_title.h"
#include "server/io/random_bytes.h"
#include "server/io/relaunch.h"

#ifdef OURO_MIMALLOC
#include <mimalloc.h>
#endif

namespace ouro {
namespace {

#ifdef OURO_MIMALLOC
// The sanitizers bring an allocator of their own: then this is not built.
class ProgramAllocator final : public Allocator {
 public:
  ByteView name() const override { return "mimalloc"; }
  void return_at_once(bool wanted) override {
    mi_option_set(mi_option_decommit_delay, wanted ? 0 : usual_delay_);
  }
  void purge() override { mi_collect(true); }

 private:
  long usual_delay_ = mi_option_get(mi_option_decommit_delay);
};
#else
using ProgramAllocator = Allocator;
#endif

int print(std::FILE* to, const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), to);
  return to == stderr ? EXIT_FAILURE : EXIT_SUCCESS;
}

StartRequest read_request(Config& config, int argc, char** argv) {
  const std::vector<ByteView> arguments(argv + 1, argv + argc);
  const auto read = [](const std::string& path, std::string& text) {
    const int error = read_whole_file(path == "-" ? "/dev/stdin" : path, text);
    if (error != 0) text = strerrordesc_np(error);
    return error == 0;
  };
  const auto expand = [](const std::string& pattern) { return expand_paths(pattern); };
  return read_start_request(config, arguments, {.read = read, .expand = expand});
}

std::string make_run_id() {
  unsigned char bytes[20];
  random_bytes(bytes, sizeof(bytes));
  std::string id;
  for (const unsigned char byte : bytes) {
    char digits[3];
    std::snprintf(digits, sizeof(digits), "%02x", byte);
    id += digits;
  }
  return id;
}

int check_rdb(const std::string& path) {
  std::string report;
  const bool is_good = check_snapshot(path, report);
  return print(is_good ? stdout : stderr, report + "\n");
}

// Each client is an open file, of which the system may allow fewer.
bool fit_clients(uint64_t& maxclients, LogFile& log) {
  const auto shown = [](uint64_t number) { return static_cast<unsigned long long>(number); };
  const uint64_t fit = Server::clients_that_fit(maxclients);
  if (fit == maxclients) return true;
  log.print(LogLevel::kWarning, "maxclients %llu takes %llu open files, and the system refuses.",
            shown(maxclients), shown(maxclients + Server::kOwnDescriptors));
  if (fit == 0) {
    log.print(LogLevel::kWarning,
              "The current 'ulimit -n' leaves no room for a client. At least %llu open files are "
              "needed. Exiting.",
              shown(1 + Server::kOwnDescriptors));
    return false;
  }
  log.print(LogLevel::kWarning,
            "Current maximum open files is %llu. maxclients has been reduced to %llu to compensate "
            "for low ulimit.",
            shown(fit + Server::kOwnDescriptors), shown(fit));
  maxclients = fit;
  return true;
}

// Before any thread is started, which would run elsewhere.
void take_cpus(ByteView list, Logger& log) {
  if (list.empty()) return;
  const int error = run_on_cpus(*parse_cpu_list(list));
  if (error != 0)
    log.print(LogLevel::kWarning, "Cannot run on the CPUs %.*s: %s", static_cast<int>(list.size()),
              list.data(), strerrordesc_np(error));
}

// Where relative paths of the configuration and the log count from.
bool prepare_process(Options& options, LogFile& log) {
  if (!options.app.config_file.empty() && options.app.config_file[0] != '/') {
    options.app.config_file = current_directory() + "/" + options.app.config_file;
  }
  if (const int error = change_directory(options.app.dir); error != 0) {
    print(stderr, "Cannot change to the directory '" + options.app.dir +
                      "': " + strerrordesc_np(error) + "\n");
    return false;
  }
  options.app.dir = current_directory();
  // Whoever waits to be told waits for this very process.
  const bool is_waited_for = is_told_when_ready(options.app);
  if (options.app.daemonize && !is_waited_for && become_daemon() != 0) return false;
  if (!options.app.pidfile.empty()) {
    if (replace_file(options.app.pidfile, std::to_string(process_facts().id) + "\n") != 0) {
      log.print(LogLevel::kWarning, "Cannot write the pid file %s", options.app.pidfile.c_str());
    }
  }
  if (options.app.io_threads > 1)
    log.write(LogLevel::kNotice, "io-threads is not used: one thread does all I/O");
  take_cpus(options.app.server_cpulist, log);
  if (options.app.disable_thp && refuse_huge_pages())
    log.write(LogLevel::kNotice, "Transparent huge pages are off for this process (disable-thp)");
  return fit_clients(options.engine.maxclients, log);
}

// The server from its start to its end, and what is to follow.
struct Served {
  int code;
  std::optional<Millis> restarts_after = {};
};
Served serve(Options& options, Config& config, LogFile& log, const char* program,
             const Relaunch& relaunch) {
  ProbedLoop probed = make_loop(options.app.io_backend);
  if (probed.loop == nullptr) return {.code = print(stderr, probed.words + "\n")};
  uint64_t seed = 0;
  random_bytes(&seed, sizeof(seed));
  CycleStopwatch stopwatch;
  ProgramAllocator allocator;
  Server server({.loop = *probed.loop,
                 .stopwatch = stopwatch,
                 .allocator = allocator,
                 .log = log,
                 .options = options,
                 .config = config,
                 .seed = seed,
                 .run_id = make_run_id(),
                 .io_reason = probed.words,
                 .program = program,
                 .relaunch = &relaunch});
  log.take_standard_error();
  if (!server.start()) return {.code = EXIT_FAILURE};
  if (!server.run()) return {.code = EXIT_FAILURE};
  log.write(LogLevel::kNotice, "ouro is ready to exit, bye bye");
  return {.code = EXIT_SUCCESS, .restarts_after = server.restarts_after()};
}

int run_check_aof(int count, char** words) {
  const ProbedLoop probed = make_loop(IoBackend::kAuto);
  if (probed.loop == nullptr) return print(stderr, probed.words + "\n");
  const std::vector<ByteView> arguments(words, words + count);
  const AofToolResult result = check_aof(*probed.loop, arguments);
  print(stdout, result.text);
  return result.is_valid ? EXIT_SUCCESS : EXIT_FAILURE;
}

}  // namespace
}  // namespace ouro

int main(int argc, char** argv) {
  using namespace ouro;
  make_room_for_title(argc, argv);
  const Relaunch relaunch(argc, argv);
  if (argc > 1 && ByteView(argv[1]) == "--check-aof") return run_check_aof(argc - 2, argv + 2);
  Options options;
  Config config = make_config(options);
  const StartRequest request = read_request(config, argc, argv);
  if (request.kind == StartRequest::Kind::kPrint) return print(stdout, request.text);
  if (request.kind == StartRequest::Kind::kCheckRdb) return check_rdb(request.file);
  if (request.kind == StartRequest::Kind::kFail) return print(stderr, request.text);
  options.app.config_file = request.config_file;
  LogFile log(options.app.logfile);
  log.set_least(options.app.loglevel);
  if (!prepare_process(options, log)) return EXIT_FAILURE;
  const Served served = serve(options, config, log, argv[0], relaunch);
  if (!options.app.pidfile.empty()) (void)remove_file(options.app.pidfile);
  if (served.restarts_after) relaunch.run(*served.restarts_after);
  return served.code;
}
