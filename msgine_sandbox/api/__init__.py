"""MsGine's documented API: the Messages API and the Developers API."""
