"""Quick replies: prepared answers, their variables filled in for one customer."""
