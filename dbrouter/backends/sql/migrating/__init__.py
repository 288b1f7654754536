"""An older agno's tables brought to today's shape, on any SQL database."""
