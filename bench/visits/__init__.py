"""Visitors of a website, and the agents who hear them, in a process of their own."""
