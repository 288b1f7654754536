"""Databases as older releases of agno write them, as text: what the tests of migrations start from."""
