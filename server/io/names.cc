// SPDX-License-Identifier: BSD-3-Clause
#include "server/io/names.h"

#include <netdb.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace ouro {
namespace {

// For each question at the end; the C library works on some twenty at once.
constexpr long kPatienceNanos = 50'000'000;

}  // namespace

// Stays where it is while the C library has it.
struct Names::Question {
  explicit Question(std::string of) : host(std::move(of)) {
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    request.ar_name = host.c_str();
    request.ar_request = &hints;
    gaicb* list[] = {&request};
    has_failed = ::getaddrinfo_a(GAI_NOWAIT, list, 1, nullptr) != 0;
  }
  ~Question() {
    if (request.ar_result != nullptr) ::freeaddrinfo(request.ar_result);
  }
  Question(const Question&) = delete;
  Question& operator=(const Question&) = delete;

  bool is_over() { return has_failed || ::gai_error(&request) != EAI_INPROGRESS; }

  std::string host;
  addrinfo hints{};
  gaicb request{};
  bool has_failed = false;
};

struct Names::Known {
  std::string host;
  std::optional<Address> address = {};  // its port is 0
  bool is_doubted = false;
  std::unique_ptr<Question> question = {};  // null: nothing is asked
};

Names::Names() = default;

Names::~Names() {
  for (Known& known : names_) {
    if (known.question == nullptr || known.question->is_over()) continue;
    if (::gai_cancel(&known.question->request) != EAI_NOTCANCELED) continue;
    // A thread is busy with it. That is mostly over at once; else it is that thread's to read, and
    // outlives us.
    const gaicb* const list[] = {&known.question->request};
    const timespec patience = {.tv_sec = 0, .tv_nsec = kPatienceNanos};
    (void)::gai_suspend(list, 1, &patience);
    if (!known.question->is_over()) (void)known.question.release();
  }
}

Names::Iterator Names::look(const std::string& host) {
  const auto found = std::find_if(names_.begin(), names_.end(),
                                  [&](const Known& known) { return known.host == host; });
  if (found != names_.end()) settle(*found);
  return found;
}

// None while all of them are being asked for.
Names::Iterator Names::add(const std::string& host) {
  if (names_.size() == kNamesMax) {
    const auto oldest = std::find_if(names_.rbegin(), names_.rend(),
                                     [](const Known& known) { return known.question == nullptr; });
    if (oldest == names_.rend()) return names_.end();
    names_.erase(std::prev(oldest.base()));
  }
  names_.emplace_front(Known{.host = host, .question = std::make_unique<Question>(host)});
  return names_.begin();
}

void Names::settle(Known& known) {
  if (known.question == nullptr || !known.question->is_over()) return;
  const addrinfo* const answer = known.question->request.ar_result;
  if (answer != nullptr) known.address = Address::from_raw(answer->ai_addr, answer->ai_addrlen);
  known.question.reset();
}

Names::Answer Names::find(const std::string& host, uint16_t port) {
  if (const std::optional<Address> numeric = Address::from_ip(host, port)) return {numeric};
  auto known = look(host);
  if (known == names_.end()) known = add(host);
  if (known == names_.end()) return {.is_asked = true};
  if (known->address) {
    if (std::exchange(known->is_doubted, false) && known->question == nullptr)
      known->question = std::make_unique<Question>(host);
    return {Address::from_ip(known->address->host(), port)};
  }
  if (known->question != nullptr) return {.is_asked = true};
  names_.erase(known);
  return {};
}

void Names::doubt(const std::string& host) {
  if (const auto known = look(host); known != names_.end()) known->is_doubted = true;
}

}  // namespace ouro
