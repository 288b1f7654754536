"""What a user holds: the router, its faces and its families."""
