// SPDX-License-Identifier: BSD-3-Clause
// OptionRow: one parameter of the configuration is one row. The rows stand in the folder that uses
// the parameter, beside its options struct; the parser of files and arguments, CONFIG and its
// documentation derive from them.
//
//   constexpr OptionRow kRows[] = {
//       {.name = "maxmemory-samples",
//        .kind = OptionKind::kInteger,
//        .standard = "5",
//        .least = 1,
//        .most = INT32_MAX,
//        .field = option_field<&EngineOptions::maxmemory_samples>(),
//        .doc = "Keys looked at for each eviction."},
//   };
//
// A row without a field belongs to a feature that a later version brings: whoever joins the rows
// keeps its value. `standard` is the default as CONFIG GET prints it; a test holds it against the
// initialiser of the field.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "datastructs/base/units.h"

namespace ouro {

enum class OptionKind : uint8_t {
  kBool,            // yes, no
  kInteger,         // within [least, most]
  kOctal,           // file permissions
  kBytes,           // with unit: k, kb, m, mb, g, gb; within [least, most]
  kPercentOrBytes,  // as kBytes, or 5%, which is kept as -5
  kEnum,            // one of `names`, kept as its index
  kFlags,           // several of `names`, kept as bits; none of them is names[0]
  kText,            // one word
  kWords,           // any number of words, kept with one blank between them
};

// A parsed value: numbers of any kind in `number`, text and words in `text`.
struct OptionValue {
  int64_t number = 0;
  std::string text = {};
  friend bool operator==(const OptionValue&, const OptionValue&) = default;
};

// How a row reaches its field in the options struct, whose type it has forgotten.
struct OptionField {
  OptionValue (*load)(const void* options) = nullptr;
  void (*store)(void* options, const OptionValue& value) = nullptr;
};

enum class OptionFlag : uint16_t {
  kNone = 0,
  kImmutable = 1U << 0,    // only at start
  kHidden = 1U << 1,       // CONFIG GET shows it to those who name it
  kProtected = 1U << 2,    // CONFIG SET needs enable-protected-configs
  kAccumulates = 1U << 3,  // repeated lines of a file add up
  kFileOnly = 1U << 4,     // a directive of the file, unknown to CONFIG
  kSecret = 1U << 5,       // neither MONITOR nor SLOWLOG show what it is set to
  kNotLoading = 1U << 6,   // CONFIG SET waits until the data are loaded
};
constexpr OptionFlag operator|(OptionFlag a, OptionFlag b) {
  return static_cast<OptionFlag>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}

using Words = std::span<const ByteView>;

struct OptionRow {
  std::string_view name;
  std::string_view alias = {};  // an older name for the same
  OptionKind kind = OptionKind::kText;
  OptionFlag flags = OptionFlag::kNone;
  std::string_view standard = {};
  int64_t least = 0;
  int64_t most = INT64_MAX;
  std::span<const std::string_view> names = {};
  OptionField field = {};
  // A further rule after the kind's own. value: in, what holds now; out, what shall hold. False
  // leaves a text in `error`.
  bool (*check)(Words words, OptionValue& value, std::string& error) = nullptr;
  // Names the feature that any value but the standard one would switch on and that is not there
  // yet.
  std::string_view later = {};
  std::string_view doc = {};

  constexpr bool has(OptionFlag flag) const {
    return (static_cast<unsigned>(flags) & static_cast<unsigned>(flag)) != 0;
  }
};

// Parses what stands behind the name. `value`: in, what holds now. False leaves Redis's text,
// without code, in `error`.
bool parse_option(const OptionRow& row, Words words, OptionValue& value, std::string& error);
// As CONFIG GET prints it.
std::string format_option(const OptionRow& row, const OptionValue& value);

// "100", "64kb", "1GB" to bytes; no digits are 0, what is too large is UINT64_MAX. False when it is
// none.
bool parse_bytes(ByteView text, uint64_t& bytes);

// The words of a text: what stands between blanks, without quotes.
std::vector<ByteView> split_words(ByteView text);
// The words of a value as CONFIG SET takes them: split at every space and nowhere else. A space too
// many makes an empty word, which a rule may refuse; an empty value has no words.
std::vector<ByteView> split_at_spaces(ByteView text);

namespace internal {
template <class T>
void option_store(T& field, const OptionValue& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    field = value.text;
  } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
    field.clear();
    for (const ByteView word : split_words(value.text)) field.emplace_back(word);
  } else if constexpr (std::is_same_v<T, bool>) {
    field = value.number != 0;
  } else {
    field = static_cast<T>(value.number);
  }
}
template <class T>
OptionValue option_load(const T& field) {
  if constexpr (std::is_same_v<T, std::string>) {
    return {.text = field};
  } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
    OptionValue value;
    for (const std::string& word : field)
      value.text.append(value.text.empty() ? "" : " ").append(word);
    return value;
  } else {
    return {.number = static_cast<int64_t>(field)};
  }
}
template <class Owner, class T>
Owner option_owner(T Owner::*);

template <auto First, auto... Rest>
struct OptionPath {
  using Options = decltype(option_owner(First));
  static auto& in(auto& options) {
    if constexpr (sizeof...(Rest) == 0) {
      return options.*First;
    } else {
      return OptionPath<Rest...>::in(options.*First);
    }
  }
  static OptionValue load(const void* options) {
    return option_load(in(*static_cast<const Options*>(options)));
  }
  static void store(void* options, const OptionValue& value) {
    option_store(in(*static_cast<Options*>(options)), value);
  }
};
}  // namespace internal

// The field at a path of member pointers: option_field<&EngineOptions::limits,
// &Limits::set_ints_entries>().
template <auto... Path>
constexpr OptionField option_field() {
  return {internal::OptionPath<Path...>::load, internal::OptionPath<Path...>::store};
}

}  // namespace ouro
