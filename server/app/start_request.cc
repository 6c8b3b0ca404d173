// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/start_request.h"

#include "server/engine/arg_parser.h"
#include "server/engine/version.h"

namespace ouro {
namespace {

// A file that includes itself would go on for ever.
constexpr int kIncludeDepthMax = 16;

constexpr ByteView kUsage =
    "Usage: ouro-server [file] [--name value ...] [-]\n"
    "\n"
    "  file            configuration in redis.conf's grammar\n"
    "  --name value    a parameter, as a line of the file would give it\n"
    "  -               reads further lines from standard input\n"
    "  -h, --help      this text\n"
    "  -v, --version   the version\n"
    "\n"
    "Examples:\n"
    "  ouro-server\n"
    "  ouro-server --port 7000 --maxmemory 1gb --maxmemory-policy allkeys-lfu\n"
    "  ouro-server /etc/ouro.conf --loglevel verbose\n"
    "  echo 'maxmemory 128mb' | ouro-server -\n"
    "\n"
    "All parameters, with what holds now: CONFIG GET * on a running server.\n";

std::string quoted(ByteView text) { return "'" + std::string(text) + "'"; }

class Reader {
 public:
  Reader(Config& config, const FileAccess& files) : config_(config), files_(files) {}

  bool read_file(const std::string& path, const std::string& shown, int depth) {
    std::string text;
    if (!files_.read(path, text)) return fail(shown, "cannot read the configuration: " + text);
    size_t number = 0;
    ByteView rest = text;
    while (!rest.empty()) {
      const size_t end = rest.find('\n');
      const ByteView line = rest.substr(0, end);
      rest.remove_prefix(end == ByteView::npos ? rest.size() : end + 1);
      ++number;
      if (!read_line(line, shown + ":" + std::to_string(number), depth)) return false;
    }
    return true;
  }

  // The words of one parameter; `where` begins the message when they are wrong.
  bool apply(Words words, const std::string& where, int depth) {
    const OptionRow* row = config_.find(words[0]);
    if (row == nullptr) {
      const ByteView nearest = config_.nearest(words[0]);
      std::string text = "unknown parameter " + quoted(words[0]);
      if (!nearest.empty()) text += ", did you mean " + quoted(nearest) + "?";
      return fail(where, text);
    }
    if (row->name == "include") return include(words.subspan(1), where, depth);
    std::string error;
    if (config_.load(*row, words.subspan(1), error)) return true;
    return fail(where, bad_value(*row, words.subspan(1), error));
  }

  std::string message;

 private:
  bool fail(const std::string& where, const std::string& what) {
    message = "*** ouro " + std::string(kOuroVersion) +
              " cannot start: the configuration is wrong ***\n" + where + ": " + what + "\n";
    return false;
  }

  bool read_line(ByteView line, const std::string& where, int depth) {
    const size_t begin = line.find_first_not_of(" \t\r");
    if (begin == ByteView::npos || line[begin] == '#') return true;
    std::string buffer;
    std::vector<ByteView> words;
    if (!split_config_line(line, buffer, words)) return fail(where, "a quote is not closed");
    return words.empty() || apply(words, where, depth);
  }

  static std::string bad_value(const OptionRow& row, Words words, const std::string& error) {
    std::string text(row.name);
    for (const ByteView word : words) text += " " + quoted(word);
    text += ": " + error;
    if (!row.names.empty() && !words.empty()) {
      const ByteView nearest = nearest_word(words[0], row.names);
      if (!nearest.empty()) text += ", did you mean " + quoted(nearest) + "?";
    }
    return text;
  }

  bool include(Words words, const std::string& where, int depth) {
    if (words.size() != 1) return fail(where, "include: wrong number of arguments");
    if (depth == kIncludeDepthMax)
      return fail(where, "include: files include each other too deeply");
    const std::string path(words[0]);
    if (path.find_first_of("*?[") == std::string::npos) return read_file(path, path, depth + 1);
    for (const std::string& match : files_.expand(path)) {
      if (!read_file(match, match, depth + 1)) return false;
    }
    return true;
  }

  Config& config_;
  const FileAccess& files_;
};

// --name and the words up to the next --name.
bool read_parameters(Reader& reader, std::span<const ByteView> arguments) {
  for (size_t i = 0; i < arguments.size();) {
    size_t end = i + 1;
    while (end < arguments.size() && !arguments[end].starts_with("--")) ++end;
    std::vector<ByteView> words(arguments.begin() + static_cast<std::ptrdiff_t>(i),
                                arguments.begin() + static_cast<std::ptrdiff_t>(end));
    const std::string where(words[0]);
    words[0].remove_prefix(2);
    // `--save` alone says: no snapshots.
    if (words.size() == 1 && equals_ignoring_case(words[0], "save")) words.push_back("");
    if (!reader.apply(words, where, 0)) return false;
    i = end;
  }
  return true;
}

}  // namespace

StartRequest read_start_request(Config& config, std::span<const ByteView> arguments,
                                const FileAccess& files) {
  using Kind = StartRequest::Kind;
  if (!arguments.empty()) {
    if (arguments[0] == "-h" || arguments[0] == "--help")
      return {.kind = Kind::kPrint, .text = std::string(kUsage), .config_file = {}};
    if (arguments[0] == "-v" || arguments[0] == "--version") {
      return {.kind = Kind::kPrint,
              .text = "ouro " + std::string(kOuroVersion) + " (Redis " +
                      std::string(kRedisVersion) + " compatible)\n",
              .config_file = {}};
    }
  }
  Reader reader(config, files);
  StartRequest request;
  bool good = true;
  if (!arguments.empty() && !arguments[0].starts_with("-")) {
    request.config_file.assign(arguments[0]);
    arguments = arguments.subspan(1);
    good = reader.read_file(request.config_file, request.config_file, 0);
  }
  // The dash may stand first or last.
  const bool first = !arguments.empty() && arguments.front() == "-";
  const bool last = !first && !arguments.empty() && arguments.back() == "-";
  if (first) arguments = arguments.subspan(1);
  if (last) arguments = arguments.first(arguments.size() - 1);
  if (good && (first || last)) good = reader.read_file("-", "standard input", 0);
  if (good && !arguments.empty() && !arguments[0].starts_with("--")) {
    return {.kind = Kind::kFail,
            .text = "Unexpected argument " + quoted(arguments[0]) + "\n" + std::string(kUsage),
            .config_file = {}};
  }
  good = good && read_parameters(reader, arguments);
  if (!good) return {.kind = Kind::kFail, .text = reader.message, .config_file = {}};
  return request;
}

}  // namespace ouro
