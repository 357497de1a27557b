"""The OpenAPI documents of both APIs and of the control API, made from what serves them."""
