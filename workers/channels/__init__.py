"""The channels: each one verified and normalised by a module of its own, taken in by one HTTP ingress."""
