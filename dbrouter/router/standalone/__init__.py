"""One database as an agno db of its own, with the arguments of agno's class for it."""
