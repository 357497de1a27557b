"""MsGine's own API as its clients know it: the Messages API and the Developers API."""
