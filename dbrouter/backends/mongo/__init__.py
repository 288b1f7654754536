"""MongoDB: agno's collections and documents, through pymongo."""
