// SPDX-License-Identifier: BSD-3-Clause
#include <charconv>

#include "server/engine/docs.h"

namespace ouro {
namespace {

using Type = DocArgument::Type;

struct TypeName {
  Type type;
  ByteView name;
};
constexpr std::array<TypeName, 9> kTypeNames = {{{Type::kString, "string"},
                                                 {Type::kInteger, "integer"},
                                                 {Type::kDouble, "double"},
                                                 {Type::kKey, "key"},
                                                 {Type::kPattern, "pattern"},
                                                 {Type::kUnixTime, "unix-time"},
                                                 {Type::kPureToken, "pure-token"},
                                                 {Type::kOneOf, "oneof"},
                                                 {Type::kBlock, "block"}}};

class Parser {
 public:
  explicit Parser(ByteView text) : text_(text) {}

  bool at_end() const { return at_ == text_.size(); }

  // Arguments with `separator` between them, up to what is none of them.
  Result<std::vector<DocArgument>> list(ByteView separator) {
    std::vector<DocArgument> arguments;
    do {
      OURO_TRY(DocArgument one, argument());
      arguments.push_back(std::move(one));
    } while (take(separator));
    return arguments;
  }

 private:
  bool take(ByteView expected) {
    if (text_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }

  // The longest run without any of `stops` and blanks.
  ByteView run(ByteView stops) {
    const size_t begin = at_;
    while (!at_end() && text_[at_] != ' ' && stops.find(text_[at_]) == ByteView::npos) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  // "..." ends a version or a token, but "." alone is a part of it.
  ByteView word() {
    const ByteView found = run("[]<>{}|#@~&");
    const size_t dots = found.find("...");
    if (dots == ByteView::npos) return found;
    at_ -= found.size() - dots;
    return found.substr(0, dots);
  }

  Result<DocArgument> argument() {
    const bool optional = take("[");
    DocArgument one;
    OURO_TRY(what(one));
    OURO_TRY(suffixes(one));
    if (optional && !take("]")) return Err::kSyntax;
    one.optional = optional;
    return one;
  }

  Status what(DocArgument& one) {
    ByteView head = run("[]<>{}|#@~&!=");
    if (take("=")) {
      if (head.empty()) return Err::kSyntax;
      one.token = head;
      one.has_token = true;
      head = run("[]<>{}|#@~&!=");
    } else if (take("!")) {
      return pure_token(head, one);
    }
    if (head.ends_with("...")) {
      at_ -= 3;
      head.remove_suffix(3);
    }
    const size_t colon = head.rfind(':');
    if (colon == ByteView::npos || colon == 0) return Err::kSyntax;
    one.name = head.substr(0, colon);
    const ByteView type = head.substr(colon + 1);
    if (type.empty()) return nested(one);
    for (const TypeName& known : kTypeNames) {
      if (known.name == type && known.type < Type::kPureToken) {
        one.type = known.type;
        return Status::ok();
      }
    }
    return Err::kSyntax;
  }

  Status pure_token(ByteView name, DocArgument& one) {
    if (name.empty()) return Err::kSyntax;
    one.name = name;
    one.type = Type::kPureToken;
    one.has_token = true;
    // One sign may be the whole token (XTRIM's "~"), even one that begins a suffix elsewhere.
    const size_t begin = at_;
    if (!take("~")) word();
    one.token = text_.substr(begin, at_ - begin);
    if (one.token.empty()) return Err::kSyntax;
    if (one.token == R"("")") one.token = {};
    return Status::ok();
  }

  Status nested(DocArgument& one) {
    const bool one_of = take("<");
    if (!one_of && !take("{")) return Err::kSyntax;
    one.type = one_of ? Type::kOneOf : Type::kBlock;
    OURO_TRY(one.arguments, list(one_of ? " | " : " "));
    return take(one_of ? ">" : "}") ? Status::ok() : Status(Err::kSyntax);
  }

  Status suffixes(DocArgument& one) {
    if (take("#")) {
      const ByteView digits = word();
      const char* end = digits.data() + digits.size();
      const auto parsed = std::from_chars(digits.data(), end, one.key_spec_index);
      if (parsed.ec != std::errc() || parsed.ptr != end || one.key_spec_index < 0)
        return Err::kSyntax;
    }
    if (take("@")) {
      one.since = word();
      if (one.since.empty()) return Err::kSyntax;
    }
    if (take("~")) {
      one.deprecated_since = word();
      if (one.deprecated_since.empty()) return Err::kSyntax;
    }
    one.multiple_token = take("&");
    one.multiple = take("...");
    return one.multiple_token && !one.multiple ? Status(Err::kSyntax) : Status::ok();
  }

  ByteView text_;
  size_t at_ = 0;
};

}  // namespace

ByteView doc_type_name(Type type) {
  for (const TypeName& known : kTypeNames) {
    if (known.type == type) return known.name;
  }
  OURO_UNREACHABLE();
}

Result<std::vector<DocArgument>> parse_doc_arguments(ByteView text) {
  if (text.empty()) return std::vector<DocArgument>{};
  Parser parser(text);
  OURO_TRY(std::vector<DocArgument> arguments, parser.list(" "));
  if (!parser.at_end()) return Err::kSyntax;
  return arguments;
}

}  // namespace ouro
