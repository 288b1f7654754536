"""What a database can do: ops, filters, tables, capabilities, errors, and the emulation of what a driver cannot do."""
