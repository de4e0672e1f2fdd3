"""One module for each thing that must always hold."""
