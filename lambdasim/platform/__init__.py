"""AWS's rules as small pure functions of plain integers that fit int64. No clock, no SimPy, no random numbers."""
