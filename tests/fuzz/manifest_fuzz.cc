// SPDX-License-Identifier: BSD-3-Clause
// Fuzzes manifests of append-only logs: what is read is written and read as the same; changes of it
// can be written and read; a start finds an answer. How it is run: fuzz_program.h.
#include <iterator>
#include <string>

#include "datastructs/base/check.h"
#include "datastructs/base/hash.h"
#include "fuzz_program.h"
#include "persistence/recovery.h"

namespace ouro {
namespace {

AofManifest read_again(const AofManifest& manifest) {
  const AofManifest::Parsed again = AofManifest::parse(manifest.format());
  CHECK(!again.error.has_value());
  CHECK(again.manifest.base() == manifest.base());
  CHECK(again.manifest.increments() == manifest.increments());
  CHECK(again.manifest.history() == manifest.history());
  return again.manifest;
}

// The files that a start would load are those of the manifest, and one that is missing is told.
void check_start(ByteView text, const AofManifest& manifest, Prng& prng) {
  AofFacts facts{
      .has_old_file = prng.below(4) == 0, .has_folder = true, .manifest = std::string(text)};
  bool is_whole = true;
  const auto add = [&](const AofFile& file) {
    if (prng.below(20) == 0) {
      is_whole = false;
    } else {
      facts.files.push_back({file.name, prng.below(100)});
    }
  };
  if (manifest.base()) add(*manifest.base());
  for (const AofFile& file : manifest.increments()) add(file);
  const AofRecovery recovery = recover_aof({}, facts);
  if (!recovery.before.empty()) return;
  CHECK(recovery.errors.empty() == is_whole);
  if (is_whole) CHECK(recovery.loads.size() == facts.files.size());
  for (const FileStep& step : recovery.after) {
    for (const AofLoad& load : recovery.loads)
      CHECK(step.kind != FileStep::Kind::kUnlink || step.path != AofPaths().in_folder(load.name));
  }
}

void check_manifest(ByteView text) {
  const AofManifest::Parsed parsed = AofManifest::parse(text);
  if (parsed.error) {
    CHECK(*parsed.error->reason != '\0');
    CHECK(parsed.manifest == AofManifest());
    return;
  }
  Prng prng(hash_bytes(text, {}));
  if (text.find_first_not_of("#\n") == ByteView::npos || parsed.manifest.format().empty()) return;
  AofManifest manifest = read_again(parsed.manifest);
  check_start(text, parsed.manifest, prng);
  // A name of a thousand bytes is too long with more behind it.
  if (text.size() > 500) return;
  manifest.add_increment("appendonly.aof");
  manifest.add_base("it's \n new", AofBaseFormat::kSnapshot);
  manifest.retire_increments(prng.below(3));
  const AofManifest next = read_again(manifest);
  for (const FileStep& step : plan_without_history({}, next)) {
    if (step.kind != FileStep::Kind::kUnlink) continue;
    CHECK(step.path != AofPaths().in_folder(next.base()->name));
    for (const AofFile& file : next.increments())
      CHECK(step.path != AofPaths().in_folder(file.name));
  }
}

std::string fragment(Prng& prng) {
  static constexpr const char* kFragments[] = {"file ",
                                               "seq ",
                                               "type ",
                                               "file appendonly.aof.1.incr.aof seq 1 type i\n",
                                               "file appendonly.aof.2.base.rdb seq 2 type b\n",
                                               "file appendonly.aof.1.incr.aof seq 1 type h\n",
                                               "file appendonly.aof seq 1 type b\n",
                                               "\"a b\\n\\xff\"",
                                               "'",
                                               "\"",
                                               "\\",
                                               "/",
                                               "..",
                                               "\n",
                                               "#\n",
                                               " type i\n",
                                               " type b\n",
                                               " type h\n",
                                               "9223372036854775807",
                                               "4611686018427387903",
                                               "new thing "};
  if (prng.below(30) == 0) return std::string(prng.below(1100), 'x');
  return kFragments[prng.below(std::size(kFragments))];
}

}  // namespace

constinit const FuzzTarget kFuzzTarget = {
    .name = "manifest_fuzz", .check = check_manifest, .fragment = fragment};

}  // namespace ouro
