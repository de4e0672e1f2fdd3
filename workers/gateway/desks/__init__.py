"""What a desk consists of, read and changed by who may."""
