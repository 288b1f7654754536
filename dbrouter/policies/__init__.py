"""Layers around a store."""
