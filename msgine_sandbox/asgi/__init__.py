"""The way of a request: from ASGI's scope through the pipeline to a response, and the journal."""
