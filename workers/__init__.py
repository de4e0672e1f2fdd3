"""The workers: each the same loop over its lanes, with another handler."""
