"""What the topics say, read once and kept small: the checks compare these with each other and with tables."""
