"""What `dbrouter demo` runs: a small support desk on a real AgentOS, whose model is a script."""
