// SPDX-License-Identifier: BSD-3-Clause
// What is left on standard error when the program crashes: by which signal, and where it was. Then
// it ends as it would have without that. LogFile::take_standard_error() brings it into the log.
#pragma once

namespace ouro {

void report_crashes();
void report_no_crashes();

}  // namespace ouro
