"""Plays the platforms' send APIs, as strict as they are, and what they tell of what they have taken."""
