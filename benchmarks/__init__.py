"""Timings side by side, in one process: dbrouter, agno's own class, the bare driver. Tests assert none of them."""
