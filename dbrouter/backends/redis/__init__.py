"""Redis, Valkey and Redis Cluster: a hash for each record, sorted sets for its listings, one script for each write."""
