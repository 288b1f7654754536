"""One tenant's rows and no other's, enforced on ops."""
