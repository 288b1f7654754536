"""Tools for working on dbrouter; not part of the package."""
