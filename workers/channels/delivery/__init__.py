"""The delivery worker: gives agents' answers to the channels, in order, and tells how each one fares."""
