"""The desk: who answers whom. `decide` and `apply` are pure; the handler brings state and keeps tables."""
