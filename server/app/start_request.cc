// SPDX-License-Identifier: BSD-3-Clause
#include "server/app/start_request.h"

#include "datastructs/codec/quoted.h"
#include "server/engine/arg_parser.h"
#include "server/engine/version.h"

namespace ouro {
namespace {

// A file that includes itself would go on for ever.
constexpr int kIncludeDepthMax = 16;

constexpr ByteView kUsage =
    "Usage: ouro-server [file] [--name value ...] [-]\n"
    "       ouro-server --check-rdb FILE\n"
    "       ouro-server --check-aof DIR [--fix]\n"
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

ByteView without_blanks(ByteView line) {
  constexpr ByteView kBlanks = " \t\r\n";
  const size_t begin = line.find_first_not_of(kBlanks);
  if (begin == ByteView::npos) return {};
  return line.substr(begin, line.find_last_not_of(kBlanks) + 1 - begin);
}

class Reader {
 public:
  Reader(Config& config, const FileAccess& files) : config_(config), files_(files) {}

  // `asked_by`: the line that includes it, if one does.
  bool read_file(const std::string& path, const std::string& shown, int depth,
                 const std::string& asked_by = {}) {
    std::string text;
    if (!files_.read(path, text))
      return fail(asked_by + shown, "cannot read the configuration: " + text);
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

  // `where` begins the message when the line is wrong.
  bool read_line(ByteView line, const std::string& where, int depth) {
    line = without_blanks(line);
    if (line.empty() || line[0] == '#') return true;
    const std::string shown = where + ": " + quoted(line);
    std::string buffer;
    std::vector<ByteView> words;
    if (!split_config_line(line, buffer, words)) return fail(shown, "a quote is not closed");
    const OptionRow* row = config_.find(words[0]);
    if (row == nullptr) return fail(shown, unknown(words[0]));
    const Words values = Words(words).subspan(1);
    if (row->name == "include") return include(values, shown, depth);
    // A line of such a row asks for the feature by being there.
    if (row->has(OptionFlag::kFileOnly) && !row->later.empty())
      return fail(shown, std::string(row->later) + " is not available in this version");
    std::string error;
    return config_.load(*row, values, error) || fail(shown, bad_value(*row, values, error));
  }

  std::string message;

 private:
  bool fail(const std::string& where, const std::string& what) {
    message = "*** ouro " + std::string(kOuroVersion) +
              " cannot start: the configuration is wrong ***\n" + where + ": " + what + "\n";
    return false;
  }

  std::string unknown(ByteView name) const {
    const ByteView nearest = config_.nearest(name);
    return nearest.empty() ? "unknown parameter"
                           : "unknown parameter, did you mean " + quoted(nearest) + "?";
  }

  static std::string bad_value(const OptionRow& row, Words words, std::string text) {
    if (row.names.empty() || words.empty() || !row.later.empty()) return text;
    const ByteView nearest = nearest_word(words[0], row.names);
    if (!nearest.empty()) text += ", did you mean " + quoted(nearest) + "?";
    return text;
  }

  bool include(Words words, const std::string& shown, int depth) {
    if (words.size() != 1) return fail(shown, "wrong number of arguments");
    if (depth == kIncludeDepthMax) return fail(shown, "files include each other too deeply");
    const std::string path(words[0]);
    if (path.find_first_of("*?[") == std::string::npos)
      return read_file(path, path, depth + 1, shown + ": ");
    for (const std::string& match : files_.expand(path)) {
      if (!read_file(match, match, depth + 1, shown + ": ")) return false;
    }
    return true;
  }

  Config& config_;
  const FileAccess& files_;
};

bool is_one_word(ByteView line) {
  std::string buffer;
  std::vector<ByteView> words;
  return split_config_line(line, buffer, words) && words.size() == 1;
}

// The arguments as lines of a file. One that begins with -- begins a line, which it may hold as a
// whole ("--maxmemory 1gb"); others are its values. What follows a mere name is always a value, so
// that it may begin with -- itself.
std::vector<std::string> lines_of(std::span<const ByteView> arguments) {
  std::vector<std::string> lines;
  bool needs_value = false;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const ByteView argument = arguments[i];
    if (argument.starts_with("--") && !needs_value) {
      std::string& line = lines.emplace_back(argument.substr(2));
      needs_value = is_one_word(line);
      // `--save` alone says: no snapshots.
      const bool is_alone = i + 1 == arguments.size() || arguments[i + 1].starts_with("--");
      if (is_alone && equals_ignoring_case(line, "save")) {
        line += " \"\"";
        needs_value = false;
      }
      continue;
    }
    if (lines.empty()) lines.emplace_back();
    lines.back() += ' ';
    append_quoted(lines.back(), argument);
    needs_value = false;
  }
  return lines;
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
    if (arguments[0] == "--check-rdb") {
      if (arguments.size() == 2)
        return {.kind = Kind::kCheckRdb,
                .text = {},
                .config_file = {},
                .file = std::string(arguments[1])};
      return {.kind = Kind::kFail, .text = "--check-rdb takes one file\n", .config_file = {}};
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
  for (const std::string& line : lines_of(arguments))
    good = good && reader.read_line(line, "command line", 0);
  if (!good) return {.kind = Kind::kFail, .text = reader.message, .config_file = {}};
  return request;
}

}  // namespace ouro
