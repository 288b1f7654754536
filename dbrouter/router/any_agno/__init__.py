"""Databases that are instances of agno's own classes: calls of whole families are handed to them as they are."""
