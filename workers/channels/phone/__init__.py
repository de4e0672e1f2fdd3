"""SMS and calls as means of a ticket: out by a provider's HTTP API, back by what it posts to the ingress."""
