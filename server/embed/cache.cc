// SPDX-License-Identifier: BSD-3-Clause
#include "server/embed/core.h"

namespace ouro {
namespace {

template <class T>
Outcome<T> unexpected() {
  return Outcome<T>::failure("ERR the command answers with another type");
}

}  // namespace

namespace embedded {
namespace {

// An aggregate of `kinds`, or why not.
template <class T>
bool is_list(const Answer& answer, Outcome<T>& otherwise) {
  if (answer.is_error()) {
    otherwise = Outcome<T>::failure(answer.text);
    return false;
  }
  if (answer.kind != Answer::Kind::kArray && answer.kind != Answer::Kind::kSet &&
      answer.kind != Answer::Kind::kMap) {
    otherwise = unexpected<T>();
    return false;
  }
  return true;
}

}  // namespace

Outcome<std::vector<std::string>> texts_of(Answer&& answer) noexcept {
  Outcome<std::vector<std::string>> otherwise;
  if (!is_list(answer, otherwise)) return otherwise;
  std::vector<std::string> texts;
  texts.reserve(answer.items.size());
  for (Answer& item : answer.items) texts.push_back(std::move(item.text));
  return texts;
}

Outcome<std::vector<std::optional<std::string>>> optional_texts_of(Answer&& answer) noexcept {
  Outcome<std::vector<std::optional<std::string>>> otherwise;
  if (!is_list(answer, otherwise)) return otherwise;
  std::vector<std::optional<std::string>> texts;
  texts.reserve(answer.items.size());
  for (Answer& item : answer.items) {
    if (item.is_nil()) {
      texts.emplace_back();
    } else {
      texts.emplace_back(std::move(item.text));
    }
  }
  return texts;
}

Outcome<std::vector<std::pair<std::string, std::string>>> pairs_of(Answer&& answer) noexcept {
  Outcome<std::vector<std::pair<std::string, std::string>>> otherwise;
  if (!is_list(answer, otherwise)) return otherwise;
  std::vector<std::pair<std::string, std::string>> pairs;
  pairs.reserve(answer.items.size() / 2);
  for (size_t i = 0; i + 1 < answer.items.size(); i += 2) {
    pairs.emplace_back(std::move(answer.items[i].text), std::move(answer.items[i + 1].text));
  }
  return pairs;
}

Outcome<std::vector<ScoredText>> scored_of(Answer&& answer) noexcept {
  Outcome<std::vector<ScoredText>> otherwise;
  if (!is_list(answer, otherwise)) return otherwise;
  std::vector<ScoredText> scored;
  scored.reserve(answer.items.size());
  for (Answer& item : answer.items) {
    if (item.items.size() != 2) return unexpected<std::vector<ScoredText>>();
    scored.push_back({std::move(item.items[0].text), item.items[1].real});
  }
  return scored;
}

}  // namespace embedded

Outcome<Cache> Cache::open(const CacheOptions& options) noexcept {
  std::string error;
  std::unique_ptr<embedded::Core> core = embedded::Core::create(options, error);
  if (core == nullptr) return Outcome<Cache>::failure(std::move(error));
  return Cache(std::move(core));
}

Cache::Cache(std::unique_ptr<embedded::Core> core) noexcept : core_(std::move(core)) {}
Cache::Cache(Cache&& other) noexcept = default;
Cache& Cache::operator=(Cache&& other) noexcept = default;
Cache::~Cache() = default;

bool Cache::tick() noexcept { return core_->tick(); }
embedded::Peek Cache::peek(std::string_view key) noexcept { return core_->peek(key); }
Outcome<bool> Cache::set(std::string_view key, std::string_view value,
                         const SetOptions& options) noexcept {
  return core_->set(key, value, options);
}

Outcome<bool> Cache::mset(Words pairs) noexcept {
  const Outcome<std::string> done = ask_text(embedded::joined({"MSET"}, pairs));
  if (done.is_error()) return Outcome<bool>::failure(done.error());
  return true;
}

Outcome<int64_t> Cache::ask_integer(Words argv) noexcept {
  std::string failure;
  ScalarReply reply(nullptr, failure);
  core_->run(argv, reply);
  if (reply.kind() == ScalarReply::Kind::kInteger) return reply.number();
  if (reply.kind() == ScalarReply::Kind::kNull) return {};
  return reply.kind() == ScalarReply::Kind::kError ? Outcome<int64_t>::failure(std::move(failure))
                                                   : unexpected<int64_t>();
}

Outcome<std::string> Cache::ask_text(Words argv) noexcept {
  std::string text;
  std::string failure;
  ScalarReply reply(&text, failure);
  core_->run(argv, reply);
  if (reply.kind() == ScalarReply::Kind::kText) return text;
  if (reply.kind() == ScalarReply::Kind::kNull) return {};
  return reply.kind() == ScalarReply::Kind::kError
             ? Outcome<std::string>::failure(std::move(failure))
             : unexpected<std::string>();
}

Outcome<double> Cache::ask_real(Words argv) noexcept {
  std::string failure;
  ScalarReply reply(nullptr, failure);
  core_->run(argv, reply);
  if (reply.kind() == ScalarReply::Kind::kReal) return reply.real_number();
  if (reply.kind() == ScalarReply::Kind::kNull) return {};
  return reply.kind() == ScalarReply::Kind::kError ? Outcome<double>::failure(std::move(failure))
                                                   : unexpected<double>();
}

Answer Cache::ask(Words argv) noexcept {
  ValueReply reply;
  core_->run(argv, reply);
  return reply.take();
}

Answer Cache::execute(Words argv) noexcept {
  ValueReply reply;
  core_->execute(argv, reply);
  return reply.take();
}

bool Cache::select(uint32_t database) noexcept { return core_->select(database); }
size_t Cache::size() const noexcept { return core_->database().size(); }
size_t Cache::used_bytes() const noexcept { return core_->engine().heap.used_bytes(); }

}  // namespace ouro
