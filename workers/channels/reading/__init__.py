"""What is read from the channels' APIs when they are asked: who a customer is, and what was said before."""
