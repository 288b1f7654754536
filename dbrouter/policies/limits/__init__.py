"""How much one tenant may use."""
