// SPDX-License-Identifier: BSD-3-Clause
// The seed of this run of sim_test: --seed=N, else a new one each time. It is printed at the start
// and with each failure; scenarios that draw by chance take theirs from it. --rounds=N: how long
// those go on that draw many, 1 if it is not said.
#pragma once

#include <cstdint>

namespace ouro {

uint64_t run_seed();
uint64_t run_rounds();

}  // namespace ouro
