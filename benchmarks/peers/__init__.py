"""Other programs that stand in for a service, at the nearest work that they can do."""
