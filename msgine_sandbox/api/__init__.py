"""MsGine's own surface, as its clients know it."""
