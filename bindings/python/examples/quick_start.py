# SPDX-License-Identifier: Apache-2.0
"""Three lines: the day that the library carries, planned, bargained, and what it is worth."""
import mgchain as mg

result = mg.Case.builtin().solve(progress=True)
print(f"together they save {result.saving:.2f}; the hospital pays {result.payment['hospital']:.2f}")
