"""The routing worker: intake stores what customers say, the desk decides who answers them."""
