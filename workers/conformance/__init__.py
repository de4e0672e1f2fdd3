"""What a foreign connector's records must be: each rule tried on what it has published. Pure."""
