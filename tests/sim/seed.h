// SPDX-License-Identifier: BSD-3-Clause
// The seed of this run of sim_test: --seed=N, else a new one each time. It is printed at the start
// and with each failure; scenarios that draw by chance take theirs from it.
#pragma once

#include <cstdint>

namespace ouro {

uint64_t run_seed();

}  // namespace ouro
