"""Whose call it is, and which store answers it."""
