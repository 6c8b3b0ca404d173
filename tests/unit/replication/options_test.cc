// SPDX-License-Identifier: BSD-3-Clause
#include "replication/options.h"

#include <gtest/gtest.h>

namespace ouro {
namespace {

TEST(ReplicationOptions, FieldsStartWithTheStandardValuesOfTheirRows) {
  const ReplicationOptions options;
  std::string_view before;
  for (const OptionRow& row : kReplicationOptions) {
    ASSERT_NE(row.field.load, nullptr) << row.name;
    EXPECT_EQ(format_option(row, row.field.load(&options)), row.standard) << row.name;
    EXPECT_FALSE(row.doc.empty()) << row.name;
    EXPECT_LT(before, row.name);
    before = row.name;
  }
}

}  // namespace
}  // namespace ouro
