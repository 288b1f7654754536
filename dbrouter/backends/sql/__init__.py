"""What all SQL drivers share: ops compiled to SQL text, connections, the schema."""
