"""Databases of older agnos brought to today's schema: what is left to do in each place, and the doing of it."""
