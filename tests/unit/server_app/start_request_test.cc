// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/start_request.h"

#include <gtest/gtest.h>

#include <map>

#include "server/app/options.h"

namespace ouro {
namespace {

using Kind = StartRequest::Kind;

class StartRequestTest : public ::testing::Test {
 protected:
  StartRequest start(std::vector<ByteView> arguments) {
    const auto read = [&](const std::string& path, std::string& text) {
      const auto found = files.find(path);
      text = found == files.end() ? "No such file or directory" : found->second;
      return found != files.end();
    };
    const auto expand = [&](const std::string& pattern) {
      std::vector<std::string> paths;
      const std::string prefix = pattern.substr(0, pattern.find('*'));
      for (const auto& [path, text] : files) {
        if (path.compare(0, prefix.size(), prefix) == 0) paths.push_back(path);
      }
      return paths;
    };
    return read_start_request(config, arguments, {.read = read, .expand = expand});
  }
  // The message's second line.
  std::string error_of(std::vector<ByteView> arguments) {
    const StartRequest request = start(std::move(arguments));
    EXPECT_EQ(request.kind, Kind::kFail);
    const std::string text = request.text.substr(request.text.find('\n') + 1);
    return text.substr(0, text.find('\n'));
  }

  std::map<std::string, std::string> files;
  Options options;
  Config config = make_config(options);
};

TEST_F(StartRequestTest, WithoutArgumentsItServesWithStandardValues) {
  EXPECT_EQ(start({}).kind, Kind::kServe);
  EXPECT_EQ(options.app.port, 6379);
}

TEST_F(StartRequestTest, EveryRowHasItsStandardValueAndADoc) {
  config.for_each_row([&](const OptionRow& row) {
    EXPECT_FALSE(row.doc.empty()) << row.name;
    EXPECT_EQ(config.get(row), row.standard) << row.name;
  });
}

TEST_F(StartRequestTest, AFileThatNamesEveryParameterIsReadBack) {
  files["all.conf"] = config.rewrite("", RewriteScope::kEverything);
  const StartRequest request = start({"all.conf"});
  EXPECT_EQ(request.kind, Kind::kServe) << request.text;
  config.for_each_row([&](const OptionRow& row) {
    EXPECT_EQ(config.get(row), row.standard) << row.name;
    const std::string line = "\n" + std::string(row.name) + " ";
    EXPECT_NE(files["all.conf"].find(line) != std::string::npos, row.has(OptionFlag::kFileOnly))
        << row.name;
  });
}

TEST_F(StartRequestTest, FileThenInputThenArguments) {
  files["a.conf"] =
      "# first\n\nport 7000\nmaxmemory 1gb\nbind 127.0.0.1 -::1\nsave 900 1\nsave 60 10\n";
  files["-"] = "maxmemory 2gb\nloglevel debug";
  const StartRequest request =
      start({"a.conf", "--port", "7001", "--requirepass", "two words", "-"});
  EXPECT_EQ(request.kind, Kind::kServe) << request.text;
  EXPECT_EQ(request.config_file, "a.conf");
  EXPECT_EQ(options.app.port, 7001);
  EXPECT_EQ(options.engine.maxmemory, 2_GiB);
  EXPECT_EQ(options.app.loglevel, LogLevel::kDebug);
  EXPECT_EQ(options.engine.requirepass, "two words");
  EXPECT_EQ(options.app.bind, (std::vector<std::string>{"127.0.0.1", "-::1"}));
  EXPECT_EQ(config.get("save"), "900 1 60 10");
}

TEST_F(StartRequestTest, SaveAloneAsksForNoSnapshots) {
  EXPECT_EQ(start({"--save", "--port", "0"}).kind, Kind::kServe);
  EXPECT_EQ(config.get("save"), "");
  EXPECT_EQ(start({"--save", ""}).kind, Kind::kServe);
  EXPECT_EQ(config.get("save"), "");
}

TEST_F(StartRequestTest, RenamedCommandsAreKeptAsLines) {
  files["a.conf"] = "rename-command flushdb badger\nrename-command CONFIG \"\"\n";
  EXPECT_EQ(start({"a.conf"}).kind, Kind::kServe);
  EXPECT_EQ(options.engine.renamed_commands, "flushdb badger\nCONFIG \"\"\n");
  EXPECT_EQ(error_of({"--rename-command", "x"}),
            "command line: 'rename-command \"x\"': wrong number of arguments");
}

TEST_F(StartRequestTest, IncludesAreReadWhereTheyStand) {
  files["a.conf"] = "port 1\ninclude sub/*.conf\ninclude none/*.conf\ntimeout 3\n";
  files["sub/1.conf"] = "port 2\ntimeout 2";
  files["sub/2.conf"] = "port 3";
  EXPECT_EQ(start({"a.conf"}).kind, Kind::kServe);
  EXPECT_EQ(options.app.port, 3);
  EXPECT_EQ(options.engine.timeout_seconds, 3);
}

TEST_F(StartRequestTest, AFileThatIncludesItselfEnds) {
  files["a.conf"] = "include a.conf\n";
  EXPECT_EQ(error_of({"a.conf"}),
            "a.conf:1: 'include a.conf': files include each other too deeply");
}

TEST_F(StartRequestTest, ErrorsNameTheLineAndTheNearestName) {
  files["redis.conf"] = "port 0\n\n  prot 5\n";
  EXPECT_EQ(error_of({"redis.conf"}),
            "redis.conf:3: 'prot 5': unknown parameter, did you mean 'port'?");
  files["redis.conf"] = "maxmemory-policy allkeys-lfo\n";
  EXPECT_NE(error_of({"redis.conf"}).find("redis.conf:1: 'maxmemory-policy allkeys-lfo': "),
            std::string::npos);
  EXPECT_NE(error_of({"redis.conf"}).find("did you mean 'allkeys-lfu'?"), std::string::npos);
  files["redis.conf"] = "port 0\nport a b\n";
  EXPECT_EQ(error_of({"redis.conf"}), "redis.conf:2: 'port a b': wrong number of arguments");
  files["redis.conf"] = "dir \"/tmp\n";
  EXPECT_EQ(error_of({"redis.conf"}), "redis.conf:1: 'dir \"/tmp': a quote is not closed");
  EXPECT_EQ(error_of({"none.conf"}),
            "none.conf: cannot read the configuration: No such file or directory");
  files["-"] = "x";
  EXPECT_EQ(error_of({"-"}), "standard input:1: 'x': unknown parameter");
}

// As redis-server reads them, and shows them when they are wrong.
TEST_F(StartRequestTest, ArgumentsAreLines) {
  EXPECT_EQ(start({"--maxmemory 700mb", "--maxmemory-policy 'volatile-lru'"}).kind, Kind::kServe);
  EXPECT_EQ(options.engine.maxmemory, 700_MiB);
  EXPECT_EQ(options.engine.maxmemory_policy, EvictionPolicy::kVolatileLru);
  EXPECT_EQ(start({"--requirepass", "--secret", "--loglevel", "verbose"}).kind, Kind::kServe);
  EXPECT_EQ(options.engine.requirepass, "--secret");
  EXPECT_EQ(options.app.loglevel, LogLevel::kVerbose);
  EXPECT_EQ(start({"--requirepass", "--save", "--save", "--loglevel", "debug"}).kind, Kind::kServe);
  EXPECT_EQ(options.engine.requirepass, "--save");
  EXPECT_EQ(config.get("save"), "");
  EXPECT_EQ(
      start({"--shutdown-on-sigint", "nosave", "force", "--shutdown-on-sigterm", "now nosave"})
          .kind,
      Kind::kServe);
  EXPECT_EQ(config.get("shutdown-on-sigint"), "nosave force");
  EXPECT_EQ(config.get("shutdown-on-sigterm"), "nosave now");
  files["a.conf"] = "port 1";
  EXPECT_EQ(start({"a.conf", "loglevel", "warning", "--port", "2"}).kind, Kind::kServe);
  EXPECT_EQ(options.app.loglevel, LogLevel::kWarning);
  EXPECT_EQ(options.app.port, 2);
}

TEST_F(StartRequestTest, WrongArgumentsAreShownAsTheLineThatTheyAre) {
  EXPECT_EQ(error_of({"--prot", "1"}),
            "command line: 'prot \"1\"': unknown parameter, did you mean 'port'?");
  EXPECT_EQ(error_of({"--port"}), "command line: 'port': wrong number of arguments");
  EXPECT_EQ(error_of({"--port", "--loglevel", "verbose"}),
            "command line: 'port \"--loglevel\" \"verbose\"': wrong number of arguments");
  EXPECT_EQ(error_of({"--port", "--bla", "--loglevel", "verbose"}),
            "command line: 'port \"--bla\"': argument couldn't be parsed into an integer");
  EXPECT_EQ(error_of({"--shutdown-on-sigint", "now force", "--shutdown-on-sigterm"}),
            "command line: 'shutdown-on-sigterm': argument(s) must be one of the following: "
            "default, save, nosave, now, force");
  EXPECT_EQ(error_of({"--replicaof", "--127.0.0.1", "--abc"}),
            "command line: 'replicaof \"--127.0.0.1\"': wrong number of arguments");
  EXPECT_EQ(error_of({"--replicaof", "127.0.0.1", "abc"}),
            "command line: 'replicaof \"127.0.0.1\" \"abc\"': Invalid master port");
}

TEST_F(StartRequestTest, WhatComesLaterCannotBeSwitchedOn) {
  for (const auto& [name, value] : std::vector<std::pair<ByteView, ByteView>>{
           {"--cluster-enabled", "yes"}, {"--tls-port", "6380"}, {"--loadmodule", "x.so"}}) {
    EXPECT_NE(error_of({name, value}).find("is not available in this version"), std::string::npos)
        << name;
  }
  EXPECT_EQ(start({"--appendonly", "yes", "--replicaof", "no", "one", "--tls-port", "0"}).kind,
            Kind::kServe);
}

TEST_F(StartRequestTest, HelpAndVersion) {
  for (const ByteView flag : {"-h", "--help", "-v", "--version"}) {
    const StartRequest request = start({flag});
    EXPECT_EQ(request.kind, Kind::kPrint);
    EXPECT_NE(request.text.find("ouro"), std::string::npos);
  }
  EXPECT_EQ(start({"a.conf", "b.conf"}).kind, Kind::kFail);
}

TEST_F(StartRequestTest, AFileMayBeLookedAtInstead) {
  const StartRequest request = start({"--check-rdb", "dump.rdb"});
  EXPECT_EQ(request.kind, Kind::kCheckRdb);
  EXPECT_EQ(request.file, "dump.rdb");
  EXPECT_EQ(start({"--check-rdb"}).kind, Kind::kFail);
}

}  // namespace
}  // namespace ouro
