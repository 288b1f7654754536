"""SingleStore."""
