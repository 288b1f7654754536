"""The faces: agno's interface, generated, one thin class per family and mode."""
