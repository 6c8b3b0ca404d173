// SPDX-License-Identifier: BSD-3-Clause
#include "server/script/source.h"

#include <algorithm>
#include <vector>

#include "datastructs/base/ascii.h"
#include "datastructs/codec/quoted_words.h"
#include "server/engine/arg_parser.h"
#include "server/script/lua_state.h"

namespace ouro {
namespace {

// ---- the first line

enum class Head : uint8_t { kNone, kNoEnd, kUnbalanced, kWords };

struct HeadWords {
  Head head = Head::kNone;
  std::vector<std::string> words;
  ByteView body;
};

HeadWords split_head(ByteView source) {
  HeadWords head;
  head.body = source;
  if (!source.starts_with("#!")) return head;
  const size_t end = source.find('\n');
  if (end == ByteView::npos) return {.head = Head::kNoEnd, .words = {}, .body = {}};
  head.head = Head::kWords;
  head.body = source.substr(end);
  ByteView rest = source.substr(0, end);
  std::string buffer(rest.size(), '\0');
  for (;;) {
    ByteView word;
    size_t used = 0;
    const WordResult result = next_quoted_word(rest, buffer.data(), word, used);
    if (result == WordResult::kEnd) return head;
    if (result == WordResult::kUnbalanced) {
      head.head = Head::kUnbalanced;
      return head;
    }
    head.words.emplace_back(word);
  }
}

bool read_flag_list(ByteView list, ScriptFlags& flags, std::string& error) {
  while (!list.empty()) {
    const size_t end = std::min(list.find(','), list.size());
    const ByteView name = list.substr(0, end);
    if (!flags.set(name)) {
      error = "Unexpected flag in script shebang: " + std::string(name);
      return false;
    }
    // A comma at the end is followed by a flag without a name.
    if (end + 1 == list.size()) {
      error = "Unexpected flag in script shebang: ";
      return false;
    }
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return true;
}

// ---- tokens

bool is_name_byte(char c) { return is_digit(c) || is_letter(c) || c == '_' || (c & 0x80) != 0; }

bool is_line_end(ByteView text, size_t at) {
  return at < text.size() && (text[at] == '\n' || text[at] == '\r');
}

// Removes what `is_wanted` from the front; says how many bytes that were.
template <typename Wanted>
size_t take_while(ByteView& text, Wanted is_wanted) {
  const auto end = std::find_if_not(text.begin(), text.end(), is_wanted);
  const auto count = static_cast<size_t>(end - text.begin());
  text.remove_prefix(count);
  return count;
}

bool take_one(ByteView& text, char lower) {
  if (text.empty() || to_lower(text.front()) != lower) return false;
  text.remove_prefix(1);
  return true;
}

// Bytes of the escape at the front: its backslash and what that takes the meaning of. One end of a
// line may have two bytes.
size_t escape_bytes(ByteView text) {
  const bool is_pair = is_line_end(text, 1) && is_line_end(text, 2) && text[1] != text[2];
  return std::min<size_t>(is_pair ? 3 : 2, text.size());
}

// Goes over a text token by token as Lua 5.1 does, as far as telling names, numbers and strings
// from all else asks for.
class Scanner {
 public:
  enum class Token : uint8_t { kName, kNumber, kString, kOther };

  explicit Scanner(ByteView text) : text_(text), rest_(text) {}

  // False at the end. Comments are no tokens.
  bool next() {
    while (!rest_.empty()) {
      const char c = rest_.front();
      begin_ = position();
      if (rest_.starts_with("--")) {
        skip_comment();
        continue;
      }
      if (is_blank(c)) {
        take(1);
        continue;
      }
      take_token(c);
      return true;
    }
    return false;
  }
  Token token() const { return token_; }
  ByteView bytes() const { return text_.substr(begin_, position() - begin_); }
  // Where the token begins and ends.
  size_t begin() const { return begin_; }
  size_t position() const { return text_.size() - rest_.size(); }

 private:
  void take(size_t bytes) { rest_.remove_prefix(std::min(bytes, rest_.size())); }

  void take_token(char c) {
    token_ = Token::kOther;
    if (c == '\'' || c == '"') {
      token_ = Token::kString;
      skip_string(c);
    } else if (is_digit(c) || (c == '.' && rest_.size() > 1 && is_digit(rest_[1]))) {
      token_ = Token::kNumber;
      skip_number();
    } else if (is_name_byte(c)) {
      token_ = Token::kName;
      take_while(rest_, is_name_byte);
    } else if (c == '.') {
      take(rest_.starts_with("...") ? 3 : rest_.starts_with("..") ? 2 : 1);
    } else if (c != '[' || !skip_long_bracket()) {
      take(1);
    }
  }

  void skip_comment() {
    take(2);
    if (rest_.starts_with('[') && skip_long_bracket()) return;
    take(std::min(rest_.find_first_of("\r\n"), rest_.size()));
  }

  // One that its line ends is refused by the compiler.
  void skip_string(char quote) {
    take(1);
    while (!rest_.empty() && rest_.front() != quote && !is_line_end(rest_, 0))
      take(rest_.front() == '\\' ? escape_bytes(rest_) : 1);
    take(1);
  }

  // "[[ ... ]]", "[=[ ... ]=]": false if there is none here.
  bool skip_long_bracket() {
    size_t level = 0;
    while (1 + level < rest_.size() && rest_[1 + level] == '=') ++level;
    if (1 + level >= rest_.size() || rest_[1 + level] != '[') return false;
    const std::string end = "]" + std::string(level, '=') + "]";
    const size_t at = rest_.find(end, level + 2);
    take(at == ByteView::npos ? rest_.size() : at + end.size());
    return true;
  }

  // What may be one is told by is_number().
  void skip_number() {
    take_while(rest_, [](char c) { return is_digit(c) || c == '.'; });
    if (take_one(rest_, 'e') && !take_one(rest_, '-')) take_one(rest_, '+');
    take_while(rest_, is_name_byte);
  }

  ByteView text_;
  ByteView rest_;
  size_t begin_ = 0;
  Token token_ = Token::kOther;
};

// ---- what LuaJIT reads in another way than Lua 5.1

// Neither 12LL, the 64 bits of ffi, nor 3i, nor 0b11.
bool is_number(ByteView text) {
  if (text.size() > 1 && text[0] == '0' && to_lower(text[1]) == 'x') {
    text.remove_prefix(2);
    const bool has_digits = take_while(text, [](char c) { return hex_value(c) >= 0; }) > 0;
    const bool has_exponent = take_one(text, 'p');
    return has_digits && (!has_exponent || take_while(text, is_digit) > 0) && text.empty();
  }
  size_t digits = take_while(text, is_digit);
  if (take_one(text, '.')) digits += take_while(text, is_digit);
  const bool has_exponent = take_one(text, 'e');
  if (has_exponent && !take_one(text, '-')) take_one(text, '+');
  return digits > 0 && (!has_exponent || take_while(text, is_digit) > 0) && text.empty();
}

// A backslash that Lua 5.1 gives no meaning goes: "\z" is "z" and "\x41" is "x41".
void append_string(std::string& out, ByteView text) {
  constexpr ByteView kEscaped = "abfnrtv\\\"'\r\n0123456789";
  while (!text.empty()) {
    const size_t plain = std::min(text.find('\\'), text.size());
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    const bool is_known = text.size() < 2 || kEscaped.find(text[1]) != ByteView::npos;
    const size_t escape = escape_bytes(text);
    out.append(text.substr(is_known ? 0 : 1, is_known ? escape : escape - 1));
    text.remove_prefix(escape);
  }
}

// Behind a number that is none, so that LuaJIT refuses it, too. No text of UTF-8 has this byte.
constexpr const char* kNoNumberMark = "\xFF";
constexpr const char* kShownNoNumberMark = "\xFF'";

// The text for LuaJIT, which means there what it means in Lua 5.1.
std::string translated(ByteView text) {
  // What LuaJIT skips at the very beginning is no Lua: a line after '#', a byte order mark.
  std::string out = " ";
  size_t copied = 0;
  Scanner scanner(text);
  while (scanner.next()) {
    const ByteView token = scanner.bytes();
    if (scanner.token() == Scanner::Token::kString) {
      out.append(text.substr(copied, scanner.begin() - copied));
      append_string(out, token);
    } else if (scanner.token() == Scanner::Token::kNumber) {
      // LuaJIT would go on behind the end of a number: "1e5..text".
      out.append(text.substr(copied, scanner.position() - copied));
      out.append(is_number(token) ? "" : kNoNumberMark).append(" ");
    } else {
      continue;
    }
    copied = scanner.position();
  }
  return out.append(text.substr(copied));
}

}  // namespace

bool ScriptFlags::set(ByteView name) {
  for (const ScriptFlagName& known : kScriptFlagNames) {
    if (known.name != name) continue;
    this->*known.flag = true;
    return true;
  }
  return false;
}

bool read_script_head(ByteView source, ScriptFlags& flags, ByteView& body, std::string& error) {
  flags = {};
  const HeadWords head = split_head(source);
  body = head.body;
  if (head.head == Head::kNone) return true;
  if (head.head == Head::kNoEnd) error = "Invalid script shebang";
  if (head.head == Head::kUnbalanced) error = "Invalid engine in script shebang";
  if (head.head != Head::kWords) return false;
  if (head.words[0] != "#!lua") {
    error = "Unexpected engine in script shebang: " + head.words[0];
    return false;
  }
  flags.declared = true;
  for (size_t i = 1; i < head.words.size(); ++i) {
    const ByteView word = head.words[i];
    if (!word.starts_with("flags=")) {
      error = "Unknown lua shebang option: " + head.words[i];
      return false;
    }
    if (!read_flag_list(word.substr(6), flags, error)) return false;
  }
  return true;
}

bool read_library_head(ByteView source, std::string& name, ByteView& body, std::string& error) {
  const HeadWords head = split_head(source);
  body = head.body;
  if (head.head != Head::kWords) {
    error = head.head == Head::kNone ? "Missing library metadata" : "Invalid library metadata";
    return false;
  }
  bool is_named = false;
  for (size_t i = 1; i < head.words.size(); ++i) {
    const ByteView word = head.words[i];
    if (word.size() < 5 || !equals_ignoring_case(word.substr(0, 5), "name=")) {
      error = "Invalid metadata value given: " + head.words[i];
      return false;
    }
    if (is_named) {
      error = "Invalid metadata value, name argument was given multiple times";
      return false;
    }
    is_named = true;
    name = word.substr(5);
  }
  if (!is_named) {
    error = "Library name was not given";
  } else if (!is_function_name(name)) {
    error = kFunctionNameText;
  } else if (!equals_ignoring_case(head.words[0].substr(2), "lua")) {
    error = "Engine '" + head.words[0].substr(2) + "' not found";
  }
  return error.empty();
}

Flags command_flags(const CommandSpec& spec, const ScriptFlags& flags) {
  if (!flags.declared) return spec.flags;
  Flags said{spec.flags.bits & ~(Flag::kStale | Flag::kMayReplicate).bits};
  if (!flags.no_writes) said = said | Flag::kWrite;
  if (!flags.no_writes && !flags.allow_oom) said = said | Flag::kDenyOom;
  if (flags.allow_stale) said = said | Flag::kStale;
  return said;
}

bool is_function_name(ByteView name) {
  return !name.empty() && std::all_of(name.begin(), name.end(),
                                      [](char c) { return is_name_byte(c) && (c & 0x80) == 0; });
}

std::string without_tail_calls(ByteView text) {
  std::string out;
  size_t copied = 0;
  size_t after_return = 0;        // where a value may begin; 0 when none is awaited
  std::vector<bool> is_function;  // of the open blocks that `end` closes
  Scanner scanner(text);
  while (scanner.next()) {
    const ByteView token = scanner.bytes();
    const bool is_name = scanner.token() == Scanner::Token::kName;
    const bool ends_return =
        token == ";" ||
        (is_name && (token == "end" || token == "else" || token == "elseif" || token == "until"));
    if (after_return != 0 && !ends_return) {
      out.append(text.substr(copied, after_return - copied)).append(" nil,");
      copied = after_return;
    }
    after_return = 0;
    if (!is_name) continue;
    if (token == "function" || token == "do" || token == "if") {
      is_function.push_back(token == "function");
    } else if (token == "end" && !is_function.empty()) {
      is_function.pop_back();
    } else if (token == "return" &&
               std::find(is_function.begin(), is_function.end(), true) == is_function.end()) {
      after_return = scanner.position();
    }
  }
  return out.append(text.substr(copied));
}

int load_source(lua_State* lua, ByteView text, const char* chunk_name) {
  // Nothing may raise while this is in the frame; compiling gives errors back.
  const std::string source = translated(text);
  const int status = luaL_loadbufferx(lua, source.data(), source.size(), chunk_name, "t");
  if (status != LUA_ERRSYNTAX) return status;
  const LuaState::Unlimited lifted(LuaState::of(lua));
  luaL_gsub(lua, lua_tostring(lua, -1), kShownNoNumberMark, "'");
  lua_remove(lua, -2);
  return status;
}

}  // namespace ouro
